//! OAuth scopes: which of those we need the user really granted.

use std::collections::BTreeSet;

use crate::domain::provider::outlook::methods;

/// Google answers with the long names of the two OpenID Connect scopes that are requested by short
/// ones.
const ALIASES: [(&str, &str); 2] = [
    ("email", "https://www.googleapis.com/auth/userinfo.email"),
    ("profile", "https://www.googleapis.com/auth/userinfo.profile"),
];

/// The one scope under which Gmail refuses message bodies and `format=full`.
pub const GMAIL_METADATA: &str = "https://www.googleapis.com/auth/gmail.metadata";
/// The least scope under which mail is searched and read whole.
pub const GMAIL_READONLY: &str = "https://www.googleapis.com/auth/gmail.readonly";

const FULL_ACCESS: &str = "https://mail.google.com/";
const GMAIL_PREFIX: &str = "https://www.googleapis.com/auth/gmail.";

/// The required scopes that the user did not grant, in the order of the request.
pub fn missing(required: &[String], granted: &[String]) -> Vec<String> {
    required.iter().filter(|scope| !covers(granted, scope)).cloned().collect()
}

fn covers(granted: &[String], scope: &str) -> bool {
    let full_access =
        scope.starts_with(GMAIL_PREFIX) && granted.iter().any(|name| name == FULL_ACCESS);
    full_access
        || methods::covers(granted, scope)
        || granted.iter().any(|name| canonical(name) == canonical(scope))
}

fn canonical(scope: &str) -> &str {
    ALIASES.iter().find(|(short, _)| *short == scope).map_or(scope, |(_, long)| long)
}

/// Whether only headers may be read.
pub fn only_metadata(granted: &[String]) -> bool {
    let reads_more = |scope: &String| {
        scope == FULL_ACCESS
            || ["gmail.readonly", "gmail.modify"].iter().any(|name| scope.ends_with(name))
    };
    let is_least =
        granted.iter().any(|scope| scope == GMAIL_METADATA) && !granted.iter().any(reads_more);
    is_least || methods::only_headers(granted)
}

/// What a connector's grant lets it do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// See headers and labels, and be notified of new mail.
    ReadHeaders,
    /// Read whole messages.
    Read,
    /// Change labels, move to trash and back.
    Modify,
    /// Make drafts.
    Draft,
    Send,
    /// Delete for good.
    Delete,
}

/// Which scope allows what (<https://developers.google.com/workspace/gmail/api/auth/scopes>), in
/// order and each once.
pub fn capabilities(granted: &[String]) -> Vec<Capability> {
    use Capability::{Delete, Draft, Modify, Read, ReadHeaders, Send};
    let of = |scope: &String| -> &[Capability] {
        match scope.strip_prefix(GMAIL_PREFIX) {
            Some("metadata") => &[ReadHeaders],
            Some("readonly") => &[ReadHeaders, Read],
            Some("modify") => &[ReadHeaders, Read, Modify, Draft, Send],
            Some("compose") => &[Draft, Send],
            Some("send") => &[Send],
            _ if scope == FULL_ACCESS => &[ReadHeaders, Read, Modify, Draft, Send, Delete],
            _ => match scope.as_str() {
                methods::READ_BASIC => &[ReadHeaders],
                methods::READ => &[ReadHeaders, Read],
                methods::READ_WRITE => &[ReadHeaders, Read, Modify, Draft, Delete],
                methods::SEND => &[Send],
                _ => &[],
            },
        }
    };
    granted.iter().flat_map(of).copied().collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn names_the_scopes_that_were_unticked() {
        let modify = "https://www.googleapis.com/auth/gmail.modify";
        let table = [
            (
                format!("openid email {modify}"),
                format!("openid https://www.googleapis.com/auth/userinfo.email {modify}"),
                String::new(),
            ),
            (format!("openid email {modify}"), "openid email".into(), modify.into()),
            (format!("openid {modify}"), "openid https://mail.google.com/".into(), String::new()),
            ("https://mail.google.com/".into(), modify.into(), "https://mail.google.com/".into()),
        ];
        for (required, granted, expected) in table {
            assert_eq!(
                missing(&list(&required), &list(&granted)),
                list(&expected),
                "{required} against {granted}"
            );
        }
    }

    #[test]
    fn the_granted_scopes_say_what_a_connector_can_do() {
        use Capability::{Delete, Draft, Modify, Read, ReadHeaders, Send};
        let gmail =
            |name: &str| format!("openid email https://www.googleapis.com/auth/gmail.{name}");
        let table: [(String, &[Capability]); 10] = [
            ("openid Mail.ReadBasic".into(), &[ReadHeaders]),
            ("Mail.Read Mail.Send".into(), &[ReadHeaders, Read, Send]),
            ("Mail.ReadWrite".into(), &[ReadHeaders, Read, Modify, Draft, Delete]),
            ("openid email".into(), &[]),
            (gmail("metadata"), &[ReadHeaders]),
            (gmail("readonly"), &[ReadHeaders, Read]),
            (gmail("send"), &[Send]),
            (format!("{} {}", gmail("compose"), gmail("metadata")), &[ReadHeaders, Draft, Send]),
            (gmail("modify"), &[ReadHeaders, Read, Modify, Draft, Send]),
            ("https://mail.google.com/".into(), &[ReadHeaders, Read, Modify, Draft, Send, Delete]),
        ];
        for (granted, expected) in table {
            assert_eq!(capabilities(&list(&granted)), expected, "{granted}");
        }
    }
}
