//! OAuth scopes: which of those we need the user really granted.

/// Google answers with the long names of the two OpenID Connect scopes that are asked for by short ones.
const ALIASES: [(&str, &str); 2] =
    [("email", "https://www.googleapis.com/auth/userinfo.email"), ("profile", "https://www.googleapis.com/auth/userinfo.profile")];

/// The one scope under which Gmail refuses message bodies and `format=full`.
pub const GMAIL_METADATA: &str = "https://www.googleapis.com/auth/gmail.metadata";

const FULL_ACCESS: &str = "https://mail.google.com/";
const GMAIL_PREFIX: &str = "https://www.googleapis.com/auth/gmail.";

/// The required scopes that the user did not grant, in the order in which they were asked for.
pub fn missing(required: &[String], granted: &[String]) -> Vec<String> {
    required.iter().filter(|scope| !covers(granted, scope)).cloned().collect()
}

fn covers(granted: &[String], scope: &str) -> bool {
    let full_access = scope.starts_with(GMAIL_PREFIX) && granted.iter().any(|held| held == FULL_ACCESS);
    full_access || granted.iter().any(|held| canonical(held) == canonical(scope))
}

fn canonical(scope: &str) -> &str {
    ALIASES.iter().find(|(short, _)| *short == scope).map_or(scope, |(_, long)| long)
}

/// Whether only headers may be read.
pub fn only_metadata(granted: &[String]) -> bool {
    let reads_more = |scope: &String| scope == FULL_ACCESS || ["gmail.readonly", "gmail.modify"].iter().any(|name| scope.ends_with(name));
    granted.iter().any(|scope| scope == GMAIL_METADATA) && !granted.iter().any(reads_more)
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
            (format!("openid email {modify}"), format!("openid https://www.googleapis.com/auth/userinfo.email {modify}"), String::new()),
            (format!("openid email {modify}"), "openid email".into(), modify.into()),
            (format!("openid {modify}"), "openid https://mail.google.com/".into(), String::new()),
            ("https://mail.google.com/".into(), modify.into(), "https://mail.google.com/".into()),
        ];
        for (required, granted, expected) in table {
            assert_eq!(missing(&list(&required), &list(&granted)), list(&expected), "{required} against {granted}");
        }
    }
}
