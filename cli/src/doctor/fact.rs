//! What was found out about one thing, or why nothing was.

use super::finding::Finding;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    Known(T),
    /// The service answers that there is no such thing.
    Absent,
    /// The caller lacks this right.
    Denied(String),
    /// No answer, or an unreadable one, and why.
    Unreachable(String),
    /// Not queried, and what it takes to query it.
    Skipped(String),
}

impl<T> Fact<T> {
    /// The known value; else a finding, to which `absent` adds what it means that the thing does
    /// not exist.
    pub fn known(&self, id: &str, absent: impl FnOnce(Finding) -> Finding) -> Result<&T, Finding> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Absent => Err(absent(
                Finding::fail(id, "is not there")
                    .because("it was deleted, or never made")
                    .mend("sam deploy")
                    .see("docs/cli.md#doctor"),
            )),
            Self::Denied(right) => {
                Err(Finding::unchecked(id, format!("access denied; needs {right}")))
            }
            Self::Unreachable(why) => Err(Finding::unchecked(id, why.clone())),
            Self::Skipped(how) => Err(Finding::unchecked(id, how.clone())),
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
            Self::Skipped(how) => Fact::Skipped(how),
        }
    }

    /// The same reason, for something else that depends on this fact.
    pub fn clone_unknown<U>(&self) -> Fact<U> {
        match self {
            Self::Known(_) | Self::Absent => Fact::Absent,
            Self::Denied(right) => Fact::Denied(right.clone()),
            Self::Unreachable(why) => Fact::Unreachable(why.clone()),
            Self::Skipped(how) => Fact::Skipped(how.clone()),
        }
    }

    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }
}
