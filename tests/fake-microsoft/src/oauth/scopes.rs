//! Names of scopes: short ones are Graph's.

const GRAPH: &str = "https://graph.microsoft.com/";
const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];
const KNOWN: [&str; 9] = [
    "User.Read",
    "User.ReadWrite",
    "Mail.Read",
    "Mail.ReadBasic",
    "Mail.ReadWrite",
    "Mail.Send",
    "MailboxSettings.Read",
    "MailboxSettings.ReadWrite",
    ".default",
];

/// The scopes of a request by their short names. None if one is unknown.
pub(crate) fn parsed(text: &str) -> Option<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for name in text.split_whitespace() {
        let short = name.strip_prefix(GRAPH).unwrap_or(name);
        let known = OPENID.iter().chain(&KNOWN).find(|known| known.eq_ignore_ascii_case(short))?;
        if !found.iter().any(|other| other == known) {
            found.push((*known).into());
        }
    }
    Some(found)
}

/// Whether somebody has to consent to it beyond signing in.
pub(crate) fn is_of_mail(scope: &str) -> bool {
    scope.starts_with("Mail")
}

/// As a token answer names them; `offline_access` shows by the refresh token alone.
pub(crate) fn answered(scopes: &[String]) -> String {
    let named = scopes.iter().filter(|scope| *scope != "offline_access");
    named.cloned().collect::<Vec<_>>().join(" ")
}
