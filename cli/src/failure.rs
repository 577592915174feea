//! What can go wrong, and the exit code for it.

use serde_json::Value;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A wrong command line, or something that is not possible here; the text says the way out.
    #[error("{0}")]
    Here(String),
    /// The API said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    #[error("{0}")]
    Unreachable(String),
    /// There is no such thing, as an answer that was read shows.
    #[error("{0}")]
    NotFound(String),
    /// AWS did not do what an operator's command wanted.
    #[error("{0}")]
    Aws(String),
    /// Something is down until somebody acts; the details were printed already.
    #[error("something is down")]
    Down,
    /// Some of it failed and needs a person; the details were printed already.
    #[error("something needs a person")]
    NeedsPerson,
    /// The reader of our output closed it, so that nothing more can be printed.
    #[error("nobody reads on")]
    ReaderGone,
}

/// A problem document (RFC 9457), or whatever came instead of one.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    pub status: u16,
    pub code: Option<String>,
    pub detail: String,
    pub field: Option<String>,
    /// The scope to connect again with.
    pub scope: Option<String>,
    pub retry_after: Option<String>,
    /// The answer as it came.
    pub text: String,
}

/// An answer that is no problem document is quoted up to this length.
const LONGEST_QUOTE: usize = 200;

impl Refusal {
    pub fn read(status: u16, text: String, retry_after: Option<String>) -> Self {
        let document: Value = serde_json::from_str(&text).unwrap_or_default();
        let member = |name: &str| document.get(name).and_then(Value::as_str).map(String::from);
        let detail = member("detail")
            .or_else(|| member("message"))
            .unwrap_or_else(|| text.chars().take(LONGEST_QUOTE).collect());
        Self {
            status,
            code: member("code"),
            detail,
            field: member("field"),
            scope: member("scope"),
            retry_after,
            text,
        }
    }

    pub fn is_passing(&self) -> bool {
        matches!(self.status, 429 | 502 | 503 | 504)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)?;
        let (code, detail) = (self.code.as_deref().unwrap_or_default(), self.detail.trim());
        match (code, detail) {
            ("", "") => {}
            ("", said) | (said, "") => write!(f, " {said}")?,
            (code, detail) => write!(f, " {code}: {detail}")?,
        }
        if let Some(field) = &self.field {
            write!(f, " (field `{field}`)")?;
        }
        if let Some(scope) = &self.scope {
            write!(f, " (connect again with the scope `{scope}`)")?;
        }
        if let Some(seconds) = &self.retry_after {
            write!(f, " (try again in {seconds} s)")?;
        }
        Ok(())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Failure {
    pub fn here(text: impl Into<String>) -> Self {
        Self::Here(text.into())
    }

    /// 1 error, 2 denied, 3 not found.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(refusal) => match refusal.status {
                401 | 403 => 2,
                404 => 3,
                _ => 1,
            },
            Self::NotFound(_) => 3,
            Self::ReaderGone => 0,
            _ => 1,
        }
    }

    /// Whether a retry may succeed.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_passing(),
            Self::Unreachable(_) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_is_shown_whole_and_its_status_sets_the_exit_code() {
        let table = [
            (
                401,
                r#"{"code":"unauthorized","detail":"send a token"}"#,
                "401 unauthorized: send a token",
                2,
            ),
            (
                403,
                r#"{"code":"insufficient_scope","detail":"no","scope":"https://mail.google.com/"}"#,
                "403 insufficient_scope: no (connect again with the scope `https://mail.google.com/`)",
                2,
            ),
            (
                404,
                r#"{"code":"not_found","detail":"no such connector"}"#,
                "404 not_found: no such connector",
                3,
            ),
            (
                400,
                r#"{"code":"invalid","detail":"no","field":"a.b"}"#,
                "400 invalid: no (field `a.b`)",
                1,
            ),
            (404, r#"{"message":"Not Found"}"#, "404 Not Found", 3),
            (502, "<html>", "502 <html>", 1),
            (500, "", "500", 1),
        ];
        for (status, text, expected, code) in table {
            let failure = Failure::from(Refusal::read(status, text.into(), None));
            assert_eq!((failure.to_string().as_str(), failure.exit_code()), (expected, code));
        }
        let later = Refusal::read(
            503,
            r#"{"code":"unavailable","detail":"later"}"#.into(),
            Some("5".into()),
        );
        assert_eq!(later.to_string(), "503 unavailable: later (try again in 5 s)");
    }
}
