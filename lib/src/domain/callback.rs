//! The query with which a consent page sends the browser to the callback URL.

use std::fmt;

use form_urlencoded::Serializer;
use secrecy::{ExposeSecret, SecretString};

/// Google's codes have 256 bytes at most, Microsoft's some thousands, states 43 characters; scopes and
/// the vendors' own additions fit in the rest.
const LONGEST_QUERY: usize = 8192;
const LONGEST_ERROR: usize = 64;

/// A code or an error, with the state that identifies the consent.
#[derive(Debug, Clone)]
pub struct Callback {
    pub state: String,
    pub answer: Answer,
}

#[derive(Debug, Clone)]
pub enum Answer {
    Code(SecretString),
    /// The vendor's word for it, such as `access_denied`.
    Error(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCallback {
    #[error("is longer than {LONGEST_QUERY} bytes")]
    TooLong,
    #[error("cannot be decoded")]
    Undecodable,
    #[error("holds control characters")]
    ControlCharacters,
    #[error("names `{0}` twice")]
    Twice(Name),
    #[error("names no state")]
    NoState,
    #[error("names neither a code nor an error, or both")]
    NoAnswer,
    #[error("names an error that is none of OAuth's")]
    UnknownError,
    #[error("comes from another issuer")]
    OtherIssuer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Code,
    State,
    Error,
    Iss,
}

impl Name {
    const ALL: [Self; 4] = [Self::Code, Self::State, Self::Error, Self::Iss];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::State => "state",
            Self::Error => "error",
            Self::Iss => "iss",
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Callback {
    /// Parses a raw query. Unknown parameters are dropped.
    /// `issuer` is whom the consent was requested from: its name, or how it begins if it ends in a slash.
    pub fn parse(query: &str, issuer: &str) -> Result<Self, InvalidCallback> {
        if query.len() > LONGEST_QUERY {
            return Err(InvalidCallback::TooLong);
        }
        let [code, state, error, iss] = read(query)?;
        // RFC 9207: if an answer names its issuer, it must be the one that the consent was
        // requested from.
        let is_ours =
            |iss: &String| iss == issuer || (issuer.ends_with('/') && iss.starts_with(issuer));
        if iss.is_some_and(|iss| !is_ours(&iss)) {
            return Err(InvalidCallback::OtherIssuer);
        }
        let state = state.filter(|state| !state.is_empty()).ok_or(InvalidCallback::NoState)?;
        let answer = match (code.filter(|code| !code.is_empty()), error) {
            (Some(code), None) => Answer::Code(code.into()),
            (None, Some(error)) if is_error_code(&error) => Answer::Error(error),
            (None, Some(_)) => return Err(InvalidCallback::UnknownError),
            _ => return Err(InvalidCallback::NoAnswer),
        };
        Ok(Self { state, answer })
    }

    /// The query to send on: only what was parsed.
    pub fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        match &self.answer {
            Answer::Code(code) => query.append_pair(Name::Code.as_str(), code.expose_secret()),
            Answer::Error(error) => query.append_pair(Name::Error.as_str(), error),
        };
        query.append_pair(Name::State.as_str(), &self.state).finish()
    }
}

fn read(query: &str) -> Result<[Option<String>; 4], InvalidCallback> {
    let mut found = [const { None }; 4];
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let Some(at) = Name::ALL.iter().position(|known| known.as_str() == name) else { continue };
        // What is not UTF-8 was decoded to replacement characters.
        if value.contains('\u{fffd}') {
            return Err(InvalidCallback::Undecodable);
        }
        if value.chars().any(char::is_control) {
            return Err(InvalidCallback::ControlCharacters);
        }
        if found[at].replace(value.into_owned()).is_some() {
            return Err(InvalidCallback::Twice(Name::ALL[at]));
        }
    }
    Ok(found)
}

/// RFC 6749, section 4.1.2.1, and what Google adds: words of small letters.
fn is_error_code(error: &str) -> bool {
    (1..=LONGEST_ERROR).contains(&error.len())
        && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_google_sends_is_sent_on_and_nothing_else() {
        let table = [
            ("code=4%2F0a&state=s&scope=email+openid&authuser=0", "code=4%2F0a&state=s"),
            ("state=s%26code%3Dx&code=c", "code=c&state=s%26code%3Dx"),
            ("error=access_denied&state=s", "error=access_denied&state=s"),
            ("iss=https%3A%2F%2Faccounts.google.com&code=c&state=s", "code=c&state=s"),
        ];
        for (query, expected) in table {
            assert_eq!(
                Callback::parse(query, "https://accounts.google.com").unwrap().query(),
                expected,
                "{query}"
            );
        }
    }

    #[test]
    fn what_google_would_not_send_is_refused() {
        let table = [
            ("", InvalidCallback::NoState),
            ("code=c", InvalidCallback::NoState),
            ("code=c&state=", InvalidCallback::NoState),
            ("state=s", InvalidCallback::NoAnswer),
            ("state=s&code=", InvalidCallback::NoAnswer),
            ("state=s&code=c&error=access_denied", InvalidCallback::NoAnswer),
            ("state=s&error=%3Cscript%3E", InvalidCallback::UnknownError),
            ("state=s&error=", InvalidCallback::UnknownError),
            ("state=s&code=c&code=d", InvalidCallback::Twice(Name::Code)),
            ("state=s&code=c&state=s", InvalidCallback::Twice(Name::State)),
            ("state=s&code=c%0d%0aSet-Cookie:x", InvalidCallback::ControlCharacters),
            ("state=s%00&code=c", InvalidCallback::ControlCharacters),
            ("state=%ff&code=c", InvalidCallback::Undecodable),
            ("state=s&code=c&iss=https%3A%2F%2Fevil.example", InvalidCallback::OtherIssuer),
        ];
        for (query, expected) in table {
            assert_eq!(
                Callback::parse(query, "https://accounts.google.com").unwrap_err(),
                expected,
                "{query}"
            );
        }
        assert_eq!(
            Callback::parse(&"a".repeat(LONGEST_QUERY + 1), "https://accounts.google.com")
                .unwrap_err(),
            InvalidCallback::TooLong
        );
    }

    #[test]
    fn a_callback_prints_no_code() {
        let callback =
            Callback::parse("code=canary-code&state=s", "https://accounts.google.com").unwrap();
        assert!(!format!("{callback:?}").contains("canary"), "{callback:?}");
    }
}
