//! Scripted failures: the next calls of a name or a path are delayed, refused, or done but not
//! answered.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// `messages.list`, `messages.get`, `subscriptions.create`, `me`, `token`, `authorize`, `keys`,
    /// `batch`, …, or `*`: all but the batch itself.
    pub name: String,
    /// What the path begins with, without the query; all paths if absent.
    pub path: Option<String>,
    /// How many calls it hits; 0 until cleared.
    pub times: u32,
    /// How many matching calls it lets through first.
    pub after: u32,
    /// 0 only delays.
    pub status: u16,
    /// Of Graph's error envelope, or OAuth's `error`.
    pub code: Option<String>,
    pub message: Option<String>,
    /// The `Retry-After` header, as it stands: a number of seconds, or nonsense.
    pub retry_after: Option<String>,
    pub email: Option<String>,
    pub only_in_batch: bool,
    pub delay_ms: u64,
    /// The call takes effect; only its answer is lost.
    pub applied: bool,
    /// The number of an AADSTS error, for `token` and `authorize`.
    pub aadsts: Option<u32>,
    /// The claims that the answer demands, as JSON: of `token`, or of a 401 of Graph.
    pub claims: Option<String>,
    /// Replaces the body of the true answer, which keeps its status unless `status` is given.
    pub body: Option<String>,
    /// Where the answer sends the caller, with `status` if that is a 3xx, else 302.
    pub redirect: Option<String>,
    /// The body goes on until the peer hangs up, or for 10 GB. Not for a call in a batch.
    pub endless: bool,
    /// The body is gzip, and inflates to so many megabytes before the true answer. Not for a call
    /// in a batch.
    pub gzip_bomb_mb: u32,
    /// Every page of a list has a next one: the same page again.
    pub endless_pages: bool,
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            name: "*".into(),
            path: None,
            times: 1,
            after: 0,
            status: 0,
            code: None,
            message: None,
            retry_after: None,
            email: None,
            only_in_batch: false,
            delay_ms: 0,
            applied: false,
            aadsts: None,
            claims: None,
            body: None,
            redirect: None,
            endless: false,
            gzip_bomb_mb: 0,
            endless_pages: false,
        }
    }
}

/// What a fault may be narrowed to.
pub(crate) struct Target<'a> {
    pub name: &'a str,
    pub path: &'a str,
    pub email: Option<&'a str>,
    pub in_batch: bool,
}

#[derive(Default)]
pub(crate) struct Faults(Vec<Armed>);

struct Armed {
    fault: Fault,
    let_through: u32,
    left: Option<u32>,
}

impl Faults {
    pub fn arm(&mut self, fault: Fault) {
        let left = (fault.times > 0).then_some(fault.times);
        self.0.push(Armed { let_through: fault.after, left, fault });
    }

    /// All of them, or those that are narrowed to a mailbox.
    pub fn clear(&mut self, email: Option<&str>) {
        self.0.retain(|armed| email.is_some() && armed.fault.email.as_deref() != email);
    }

    /// The first armed fault that hits this call. Each matching fault counts the call, even if it
    /// lets it through.
    pub fn take(&mut self, target: &Target<'_>) -> Option<Fault> {
        let mut hit = None;
        for armed in self.0.iter_mut().filter(|armed| armed.fault.matches(target)) {
            if armed.let_through > 0 {
                armed.let_through -= 1;
            } else if hit.is_none() {
                armed.left = armed.left.map(|left| left - 1);
                hit = Some(armed.fault.clone());
            }
        }
        self.0.retain(|armed| armed.left != Some(0));
        hit
    }
}

impl Fault {
    fn matches(&self, target: &Target<'_>) -> bool {
        let every = self.name == "*" && target.name != "batch";
        (every || self.name == target.name)
            && self.path.as_deref().is_none_or(|path| target.path.starts_with(path))
            && (self.email.is_none() || self.email.as_deref() == target.email)
            && (target.in_batch || !self.only_in_batch)
            && !(self.endless && target.in_batch)
    }
}
