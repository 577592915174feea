//! Scripted failures: the next calls of a method are delayed, refused, or done and then not answered.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// `history.list`, `messages.get`, `getProfile`, `token`, `certs`, `batch`, …, or `*`: all but the batch itself.
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
        }
    }
}

/// What a fault may be narrowed to.
pub(crate) struct Target<'a> {
    pub method: &'a str,
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

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The first armed fault that hits this call. Each one that matches counts the call, whether it lets it through or not.
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
        let every = self.method == "*" && target.method != "batch";
        let named = self.method == target.method;
        let narrowed = |wanted: &Option<String>, actual: Option<&str>| wanted.is_none() || wanted.as_deref() == actual;
        (every || named)
            && narrowed(&self.email, target.email)
            && narrowed(&self.message_id, target.message_id)
            && (target.in_batch || !self.only_in_batch)
    }
}
