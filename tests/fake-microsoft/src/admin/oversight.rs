//! Faults, limits, shapes, the server's clock, and what was called.

use std::sync::atomic::Ordering;

use time::Duration;

use super::Admin;
use crate::app::Hook;
use crate::calls::CallRecord;
use crate::faults::Fault;
use crate::shapes::Shapes;
use crate::throttle::Limits;
use crate::timing::{Latency, Timing};

impl Admin {
    pub fn add_fault(&self, fault: Fault) {
        self.app.state().faults.arm(fault);
    }

    /// Clears the faults of a mailbox, or all.
    pub fn clear_faults(&self, email: Option<&str>) {
        self.app.state().faults.clear(email);
    }

    /// What happens right before each call of Graph or of the identity platform is answered, for
    /// changes in the middle of a listing. It may use the admin side. `None` ends it.
    pub fn before_calls(&self, hook: Option<Hook>) {
        self.app.set_hook(hook);
    }

    /// Replaces the limits of all mailboxes.
    pub fn set_limits(&self, limits: Limits) -> Limits {
        self.app.state().limits = limits;
        limits
    }

    /// Replaces the previous shapes; what is not named is as by default.
    pub fn set_shapes(&self, shapes: Shapes) -> Shapes {
        self.app.state().shapes = shapes;
        shapes
    }

    /// The server's clock is so far ahead of the true one, or behind it.
    pub fn shift_clock(&self, ms: i64) {
        self.app.state().clock_shift = Duration::milliseconds(ms);
    }

    /// The calls of a mailbox, or all.
    pub fn calls(&self, email: Option<&str>) -> Vec<CallRecord> {
        self.app.state().calls.log.iter().filter(|call| call.is_of(email)).cloned().collect()
    }

    /// Clears the calls of a mailbox, or all with their times.
    pub fn clear_calls(&self, email: Option<&str>) {
        let mut state = self.app.state();
        state.calls.log.retain(|call| !call.is_of(email));
        if email.is_none() {
            state.timings.log.clear();
        }
    }

    /// Bytes of endless answers that were taken so far.
    pub fn endless_bytes(&self) -> u64 {
        self.app.endless_sent.load(Ordering::Relaxed)
    }

    /// From now on each request waits this long, and its times are recorded.
    pub fn set_latency(&self, latency: Latency) {
        self.app.state().timings.latency = Some(latency);
    }

    pub fn timings(&self) -> Vec<Timing> {
        self.app.state().timings.log.clone()
    }

    /// Requests that the fake does not know, or that Graph's documents advise against.
    pub fn violations(&self) -> Vec<String> {
        self.app.state().violations.clone()
    }
}
