//! What was learned of one thing, or why nothing was.

use super::finding::Finding;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    Known(T),
    /// Whoever must know says that there is no such thing.
    Absent,
    /// The caller may not ask: the right that is missing.
    Denied(String),
    /// No answer, or none that can be read: why.
    Unreachable(String),
    /// Nobody was asked: how to have it asked.
    Unasked(String),
}

impl<T> Fact<T> {
    /// What is known; else the finding for it, in which `absent` says what it means that there is no such thing.
    pub fn known(&self, id: &str, absent: impl FnOnce(Finding) -> Finding) -> Result<&T, Finding> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Absent => Err(absent(
                Finding::fail(id, "is not there").because("it was deleted, or never made").mend("sam deploy").see("docs/cli.md#doctor"),
            )),
            Self::Denied(right) => Err(Finding::unchecked(id, format!("access denied; needs {right}"))),
            Self::Unreachable(why) => Err(Finding::unchecked(id, why.clone())),
            Self::Unasked(how) => Err(Finding::unchecked(id, how.clone())),
        }
    }

    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        self.and_then(|value| Fact::Known(change(value)))
    }

    pub fn and_then<U>(self, next: impl FnOnce(T) -> Fact<U>) -> Fact<U> {
        match self {
            Self::Known(value) => next(value),
            Self::Absent => Fact::Absent,
            Self::Denied(right) => Fact::Denied(right),
            Self::Unreachable(why) => Fact::Unreachable(why),
            Self::Unasked(how) => Fact::Unasked(how),
        }
    }

    /// Why it is not known, of something else that depends on it.
    pub fn clone_unknown<U>(&self) -> Fact<U> {
        match self {
            Self::Known(_) | Self::Absent => Fact::Absent,
            Self::Denied(right) => Fact::Denied(right.clone()),
            Self::Unreachable(why) => Fact::Unreachable(why.clone()),
            Self::Unasked(how) => Fact::Unasked(how.clone()),
        }
    }

    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }
}
