//! The actions of the audit log: one table of the routes that change something, read mail or take
//! data out.

use crate::domain::operation::{OPERATIONS, Verb};

/// A route whose requests are audited.
#[derive(Debug)]
pub struct Audited {
    /// Stable: people search for it.
    pub action: &'static str,
    pub verb: Verb,
    /// The path in the router's form.
    pub path: &'static str,
    pub tells: &'static str,
}

const fn audited(
    action: &'static str,
    (verb, path): (Verb, &'static str),
    tells: &'static str,
) -> Audited {
    Audited { action, verb, path, tells }
}

/// A connect that replaces another account's connector: known by the request's body, not by its
/// route.
pub const REPLACE: &str = "connector.replace";

use Verb::{Delete, Get, Patch, Post};

#[rustfmt::skip]
pub const AUDITED: [Audited; 20] = [
    audited("consent.start", (Get, "/api/auth/google/gmail/start"), "A user was sent to Google's consent page."),
    audited("consent.start_outlook", (Get, "/api/auth/microsoft/outlook/start"), "A user was sent to Microsoft's consent page."),
    audited("consent.start_admin", (Get, "/api/auth/microsoft/outlook/admin-consent"), "Somebody was told where an administrator consents for an organization."),
    audited("connector.connect_outlook", (Post, "/api/auth/microsoft/outlook"), "An Outlook mailbox was connected, or connected again."),
    audited("connect_session.open", (Post, "/api/connect-sessions"), "A page was given a connect session, to connect one mailbox for a user."),
    audited("connector.connect", (Post, "/api/auth/google/gmail"), "A mailbox was connected, or connected again."),
    audited("connector.change", (Patch, "/api/connectors/{id}"), "A connector was paused, resumed or named."),
    audited("connector.sync", (Post, "/api/connectors/{id}/sync"), "A mailbox was looked at on request."),
    audited("connector.disconnect", (Delete, "/api/connectors/{id}"), "A connector was disconnected and its data deleted."),
    audited("trigger.create", (Post, "/api/triggers"), "A trigger was made."),
    audited("trigger.change", (Patch, "/api/triggers/{id}"), "A trigger was changed."),
    audited("trigger.delete", (Delete, "/api/triggers/{id}"), "A trigger was deleted."),
    audited("trigger.rotate_secret", (Post, "/api/triggers/{id}/secret"), "A `webhook` trigger was given another secret."),
    audited("trigger.fire", (Post, "/api/triggers/{id}/events"), "A `webhook` trigger was fired, by token or by signature."),
    audited("trigger.rehearse", (Post, "/api/triggers/{id}/test"), "A trigger was tried on the mail of the last days, which was read for it."),
    audited("connector.rehearse", (Post, "/api/connectors/{id}/rehearsals"), "Filters were tried on the mail of the last days, which was read for it."),
    audited("trigger.firings", (Get, "/api/triggers/{id}/firings"), "The events of a trigger were read: for who may read mail they hold addresses, subjects and snippets."),
    audited("owner.export", (Get, "/api/owner/data"), "A page of all of the owner's data was taken out."),
    audited("owner.erase", (Delete, "/api/owner/data"), "All of the owner's data was deleted."),
    audited("access.end", (Post, "/api/auth/google/risc"), "Google told that an account's access ended; the connectors that it ended for are the target."),
];

/// The path prefix of the operations on mail, whose actions are their names.
pub const MAIL: &str = "/api/connectors/{connector_id}";

/// What each audit line begins to say; the template's subscription filters look for these words.
pub const MESSAGE: &str = "request audited";

/// Whether a line of a function's log is an audit line, and not one that only contains its words.
pub fn is_line(line: &str) -> bool {
    let json = serde_json::from_str::<serde_json::Value>(line).unwrap_or_default();
    line.lines().count() == 1
        && json["fields"]["message"] == MESSAGE
        && json["fields"]["action"].is_string()
}

/// The action of a request to a route; `None` if it is not audited.
pub fn action(method: &str, path: &str) -> Option<&'static str> {
    // A router answers HEAD as it does GET.
    let method = if method == "HEAD" { "GET" } else { method };
    if let Some(mail) = path.strip_prefix(MAIL) {
        let entry =
            OPERATIONS.iter().find(|entry| entry.verb.as_str() == method && entry.path == mail)?;
        return Some(entry.name);
    }
    AUDITED
        .iter()
        .find(|known| known.verb.as_str() == method && known.path == path)
        .map(|known| known.action)
}

/// The outcome, by the answer's status.
pub fn outcome(status: u16) -> &'static str {
    match status {
        ..400 => "done",
        400..500 => "refused",
        _ => "failed",
    }
}

/// The longest audited text of those that a caller or an issuer chose.
pub const LONGEST_TEXT: usize = 256;

/// Shortens such a text, and makes it fit for one line.
pub fn plain(text: &str) -> String {
    text.chars().filter(|sign| !steers(*sign)).take(LONGEST_TEXT).collect()
}

/// Signs that steer a terminal or turn the direction of writing.
pub fn steers(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_has_a_word_and_a_route_of_its_own() {
        let words = AUDITED
            .iter()
            .map(|known| known.action)
            .chain(OPERATIONS.iter().map(|entry| entry.name))
            .chain([REPLACE]);
        let words: Vec<_> = words.collect();
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len(), "{words:?}");
        let routes: BTreeSet<_> =
            AUDITED.iter().map(|known| (known.verb.as_str(), known.path)).collect();
        assert_eq!(routes.len(), AUDITED.len());
        for word in words {
            assert!(
                word.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte))
                    && word.contains('.'),
                "{word}"
            );
        }
    }

    #[test]
    fn a_route_is_known_by_method_and_path() {
        let table = [
            ("DELETE", "/api/owner/data", Some("owner.erase")),
            ("GET", "/api/owner/data", Some("owner.export")),
            ("HEAD", "/api/owner/data", Some("owner.export")),
            ("POST", "/api/owner/data", None),
            ("GET", "/api/connectors", None),
            ("DELETE", "/api/connectors/{id}", Some("connector.disconnect")),
            ("GET", "/api/connectors/{connector_id}/messages/{message_id}", Some("messages.get")),
            ("POST", "/api/connectors/{connector_id}/messages", Some("messages.send")),
            ("GET", "/api/system/info", None),
        ];
        for (method, path, expected) in table {
            assert_eq!(action(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn an_outcome_is_the_answers_status_in_words() {
        let table = [
            (200, "done"),
            (202, "done"),
            (302, "done"),
            (401, "refused"),
            (409, "refused"),
            (500, "failed"),
            (503, "failed"),
        ];
        for (status, expected) in table {
            assert_eq!(outcome(status), expected, "{status}");
        }
    }

    #[test]
    fn a_line_is_one_by_what_it_says_and_not_by_a_word_in_it() {
        let table = [
            (
                r#"{"level":"INFO","fields":{"message":"request audited","action":"owner.erase"}}"#,
                true,
            ),
            (r#"{"level":"INFO","fields":{"message":"request audited"}}"#, false),
            (
                r#"{"level":"INFO","fields":{"message":"refused","why":"request audited","action":"owner.erase"}}"#,
                false,
            ),
            ("request audited", false),
            ("{\"fields\":\n{\"message\":\"request audited\",\"action\":\"owner.erase\"}}", false),
            ("", false),
        ];
        for (line, expected) in table {
            assert_eq!(is_line(line), expected, "{line}");
        }
    }

    #[test]
    fn a_text_of_a_callers_is_bounded_and_steers_nothing() {
        let table = [
            ("curl/8.5.0", "curl/8.5.0"),
            ("a\r\n{\"action\":\"owner.erase\"}", "a{\"action\":\"owner.erase\"}"),
            ("a\u{1b}[2Jb\u{0}\u{7f}\u{85}", "a[2Jb"),
            ("a\u{202e}b\u{2028}c\u{feff}", "abc"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(plain(text), expected, "{text:?}");
        }
        assert_eq!(plain(&"ä".repeat(10_000)).chars().count(), LONGEST_TEXT);
    }
}
