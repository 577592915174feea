//! The paths of Graph that the fake has, named as Microsoft's description names them.

use serde::Serialize;

/// What a caller must have been granted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Need {
    Nothing,
    User,
    Read,
    Write,
    Send,
}

impl Need {
    pub fn is_met_by(self, scopes: &[String]) -> bool {
        let any = |wanted: &[&str]| scopes.iter().any(|scope| wanted.contains(&scope.as_str()));
        match self {
            Self::Nothing => true,
            Self::User => any(&["User.Read", "User.ReadWrite"]),
            Self::Read => any(&["Mail.Read", "Mail.ReadWrite"]),
            Self::Write => any(&["Mail.ReadWrite"]),
            Self::Send => any(&["Mail.Send"]),
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Route {
    pub method: &'static str,
    pub template: &'static str,
    /// What calls and faults know it by.
    pub name: &'static str,
    pub need: Need,
    /// Query options that it heeds; any other is noted as a violation.
    pub query: &'static [&'static str],
}

const LIST: &[&str] =
    &["$filter", "$orderby", "$select", "$top", "$skip", "$search", "$count", "$expand"];
const ONE: &[&str] = &["$select", "$expand"];
const NONE: &[&str] = &[];

const fn route(
    method: &'static str,
    template: &'static str,
    name: &'static str,
    need: Need,
    query: &'static [&'static str],
) -> Route {
    Route { method, template, name, need, query }
}

pub(crate) const ROUTES: &[Route] = &[
    route("GET", "/me", "me", Need::User, ONE),
    route("POST", "/$batch", "batch", Need::Nothing, NONE),
    route("GET", "/me/messages", "messages.list", Need::Read, LIST),
    route("POST", "/me/messages", "messages.create", Need::Write, NONE),
    route("GET", "/me/messages/{message-id}", "messages.get", Need::Read, ONE),
    route("PATCH", "/me/messages/{message-id}", "messages.update", Need::Write, NONE),
    route("DELETE", "/me/messages/{message-id}", "messages.delete", Need::Write, NONE),
    route("GET", "/me/messages/{message-id}/$value", "messages.mime", Need::Read, NONE),
    route("POST", "/me/messages/{message-id}/move", "messages.move", Need::Write, NONE),
    route("POST", "/me/messages/{message-id}/copy", "messages.copy", Need::Write, NONE),
    route("POST", "/me/messages/{message-id}/send", "messages.send", Need::Send, NONE),
    route(
        "POST",
        "/me/messages/{message-id}/permanentDelete",
        "messages.permanentDelete",
        Need::Write,
        NONE,
    ),
    route(
        "POST",
        "/me/messages/{message-id}/createReply",
        "messages.createReply",
        Need::Write,
        NONE,
    ),
    route(
        "POST",
        "/me/messages/{message-id}/createReplyAll",
        "messages.createReplyAll",
        Need::Write,
        NONE,
    ),
    route(
        "POST",
        "/me/messages/{message-id}/createForward",
        "messages.createForward",
        Need::Write,
        NONE,
    ),
    route("POST", "/me/messages/{message-id}/reply", "messages.reply", Need::Send, NONE),
    route("POST", "/me/messages/{message-id}/replyAll", "messages.replyAll", Need::Send, NONE),
    route("POST", "/me/messages/{message-id}/forward", "messages.forward", Need::Send, NONE),
    route("GET", "/me/messages/{message-id}/attachments", "attachments.list", Need::Read, LIST),
    route("POST", "/me/messages/{message-id}/attachments", "attachments.create", Need::Write, NONE),
    route(
        "POST",
        "/me/messages/{message-id}/attachments/createUploadSession",
        "attachments.createUploadSession",
        Need::Write,
        NONE,
    ),
    route(
        "GET",
        "/me/messages/{message-id}/attachments/{attachment-id}",
        "attachments.get",
        Need::Read,
        ONE,
    ),
    route(
        "DELETE",
        "/me/messages/{message-id}/attachments/{attachment-id}",
        "attachments.delete",
        Need::Write,
        NONE,
    ),
    route(
        "GET",
        "/me/messages/{message-id}/attachments/{attachment-id}/$value",
        "attachments.content",
        Need::Read,
        NONE,
    ),
    route("POST", "/me/sendMail", "sendMail", Need::Send, NONE),
    route(
        "GET",
        "/me/mailFolders",
        "folders.list",
        Need::Read,
        &[
            "$filter",
            "$orderby",
            "$select",
            "$top",
            "$skip",
            "$count",
            "$expand",
            "includeHiddenFolders",
        ],
    ),
    route("POST", "/me/mailFolders", "folders.create", Need::Write, NONE),
    route("GET", "/me/mailFolders/{mailFolder-id}", "folders.get", Need::Read, ONE),
    route("PATCH", "/me/mailFolders/{mailFolder-id}", "folders.update", Need::Write, NONE),
    route("DELETE", "/me/mailFolders/{mailFolder-id}", "folders.delete", Need::Write, NONE),
    route(
        "GET",
        "/me/mailFolders/{mailFolder-id}/childFolders",
        "folders.children",
        Need::Read,
        &[
            "$filter",
            "$orderby",
            "$select",
            "$top",
            "$skip",
            "$count",
            "$expand",
            "includeHiddenFolders",
        ],
    ),
    route(
        "POST",
        "/me/mailFolders/{mailFolder-id}/childFolders",
        "folders.createChild",
        Need::Write,
        NONE,
    ),
    route(
        "GET",
        "/me/mailFolders/{mailFolder-id}/messages",
        "messages.listInFolder",
        Need::Read,
        LIST,
    ),
    route(
        "GET",
        "/me/outlook/masterCategories",
        "categories.list",
        Need::Nothing,
        &["$top", "$skip", "$select", "$filter", "$orderby", "$count", "$search"],
    ),
    route("POST", "/me/outlook/masterCategories", "categories.create", Need::Nothing, NONE),
    route("GET", "/subscriptions", "subscriptions.list", Need::Nothing, &["$top", "$select"]),
    route("POST", "/subscriptions", "subscriptions.create", Need::Nothing, NONE),
    route(
        "GET",
        "/subscriptions/{subscription-id}",
        "subscriptions.get",
        Need::Nothing,
        &["$select"],
    ),
    route("PATCH", "/subscriptions/{subscription-id}", "subscriptions.update", Need::Nothing, NONE),
    route(
        "DELETE",
        "/subscriptions/{subscription-id}",
        "subscriptions.delete",
        Need::Nothing,
        NONE,
    ),
    route(
        "POST",
        "/subscriptions/{subscription-id}/reauthorize",
        "subscriptions.reauthorize",
        Need::Nothing,
        NONE,
    ),
];

/// The route, and what stands in its braces.
pub(crate) fn find(method: &str, segments: &[String]) -> Option<(&'static Route, Vec<String>)> {
    ROUTES
        .iter()
        .filter(|route| route.method == method)
        .find_map(|route| captured(route.template, segments).map(|ids| (route, ids)))
}

/// Names count in any case; ids are taken letter by letter. A name comes before an id in the table
/// (`createUploadSession` is no attachment's).
fn captured(template: &str, segments: &[String]) -> Option<Vec<String>> {
    let wanted: Vec<&str> = template.split('/').skip(1).collect();
    if wanted.len() != segments.len() {
        return None;
    }
    let mut ids = Vec::new();
    for (wanted, segment) in wanted.into_iter().zip(segments) {
        if wanted.starts_with('{') {
            ids.push(segment.clone());
        } else if !wanted.eq_ignore_ascii_case(segment) {
            return None;
        }
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_one_route() {
        let found = |method: &str, path: &str| {
            let segments: Vec<String> = path.split('/').skip(1).map(Into::into).collect();
            find(method, &segments).map(|(route, ids)| (route.name, ids.join(",")))
        };
        assert_eq!(found("GET", "/me/Messages/Ab/$value"), Some(("messages.mime", "Ab".into())));
        let upload = "/me/messages/a/attachments/createUploadSession";
        assert_eq!(found("POST", upload), Some(("attachments.createUploadSession", "a".into())));
        assert_eq!(
            found("GET", "/me/messages/a/attachments/b"),
            Some(("attachments.get", "a,b".into()))
        );
        assert_eq!(found("GET", "/me/messages/delta"), Some(("messages.get", "delta".into())));
        assert_eq!(found("PUT", "/me"), None);
    }
}
