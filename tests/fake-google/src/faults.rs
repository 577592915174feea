//! Scripted failures: the next calls of a method are delayed, refused, done but not answered, or
//! answered with hostile bytes.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// `history.list`, `messages.get`, `getProfile`, `token`, `authorize`, `certs`, `batch`, …, or
    /// `*`: all but the batch itself.
    pub method: String,
    /// How many calls it hits; 0 until cleared.
    pub times: u32,
    /// How many matching calls it lets through first.
    pub after: u32,
    /// 0 only delays.
    pub status: u16,
    pub reason: Option<String>,
    pub message: Option<String>,
    /// Seconds, for the `Retry-After` header.
    pub retry_after: Option<u64>,
    pub email: Option<String>,
    pub only_in_batch: bool,
    pub message_id: Option<String>,
    pub delay_ms: u64,
    /// The call takes effect; only its answer is lost.
    pub applied: bool,
    /// The whole path without its query: distinguishes Google's keys from the users'.
    pub path: Option<String>,
    /// Where the answer sends the caller, with `status` if that is a 3xx, else 302.
    pub redirect: Option<String>,
    /// The body goes on until the peer hangs up, or for 10 GB. Not for a call in a batch.
    pub endless: bool,
    /// The body is gzip, and inflates to so many megabytes before the true answer. Not for a call
    /// in a batch.
    pub gzip_bomb_mb: u32,
    /// Every page of a list has a next one: the first page again. For `history.list` and
    /// `messages.list` only.
    pub endless_pages: bool,
    /// The batch is answered with so many parts, cut off or repeated. For `batch` only.
    pub batch_parts: Option<usize>,
    /// The boundary also stands in header values, of the answer and of each part. For `batch` only.
    pub boundary_in_header: bool,
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            method: "*".into(),
            times: 1,
            after: 0,
            status: 0,
            reason: None,
            message: None,
            retry_after: None,
            email: None,
            only_in_batch: false,
            message_id: None,
            delay_ms: 0,
            applied: false,
            path: None,
            redirect: None,
            endless: false,
            gzip_bomb_mb: 0,
            endless_pages: false,
            batch_parts: None,
            boundary_in_header: false,
        }
    }
}

/// What a fault may be narrowed to.
pub(crate) struct Target<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub email: Option<&'a str>,
    pub in_batch: bool,
    pub message_id: Option<&'a str>,
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
    /// Status and target of the redirect that replaces the answer.
    pub(crate) fn redirection(&self) -> Option<(u16, &str)> {
        let status = if (300..400).contains(&self.status) { self.status } else { 302 };
        self.redirect.as_deref().map(|target| (status, target))
    }

    fn matches(&self, target: &Target<'_>) -> bool {
        let every = self.method == "*" && target.method != "batch";
        let named = self.method == target.method;
        let narrowed = |wanted: &Option<String>, actual: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == actual
        };
        (every || named)
            && self.is_possible_for(target)
            && narrowed(&self.path, Some(target.path))
            && narrowed(&self.email, target.email)
            && narrowed(&self.message_id, target.message_id)
            && (target.in_batch || !self.only_in_batch)
    }

    fn is_possible_for(&self, target: &Target<'_>) -> bool {
        let of_a_whole_answer = self.endless || self.gzip_bomb_mb > 0;
        let of_a_list = self.endless_pages;
        let of_a_batch = self.batch_parts.is_some() || self.boundary_in_header;
        !(of_a_whole_answer && target.in_batch)
            && (!of_a_list || matches!(target.method, "history.list" | "messages.list"))
            && (!of_a_batch || target.method == "batch")
    }
}
