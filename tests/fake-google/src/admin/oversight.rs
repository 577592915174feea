//! Pushes, faults, the shapes of answers, and what was called.

use std::time::Duration;

use super::Admin;
use super::error::AdminError;
use crate::calls::CallRecord;
use crate::cloud::CloudChange;
use crate::faults::Fault;
use crate::pubsub::{self, PulledPush, PushChange, PushSettings, PushStatus};
use crate::shapes::Shapes;
use crate::timing::{Latency, Timing};

impl Admin {
    pub fn set_push(&self, change: PushChange) -> PushSettings {
        let settings = {
            let mut state = self.app.state();
            state.push.change(change);
            state.push.settings.clone()
        };
        self.app.push_changed.notify_waiters();
        settings
    }

    /// Replaces the previous change; an empty change restores the defaults.
    pub fn set_cloud(&self, change: CloudChange) -> CloudChange {
        self.app.state().cloud = change.clone();
        change
    }

    pub fn push_status(&self) -> PushStatus {
        self.app.state().push.status()
    }

    /// Waits until the status is as wished.
    pub async fn push_becomes(
        &self,
        wished: impl Fn(&PushStatus) -> bool,
        timeout: Duration,
    ) -> Result<PushStatus, AdminError> {
        let waiting = async {
            loop {
                let changed = self.app.push_changed.notified();
                let status = self.push_status();
                if wished(&status) {
                    return status;
                }
                changed.await;
            }
        };
        tokio::time::timeout(timeout, waiting).await.map_err(|_| AdminError::TimedOut)
    }

    /// Waits until nothing is left to deliver.
    pub async fn flush_push(&self, timeout: Duration) -> Result<PushStatus, AdminError> {
        self.push_becomes(|status| status.pending == 0, timeout).await
    }

    /// Takes the waiting notifications, in the order of publication, for a test that delivers them
    /// itself.
    pub fn pull_pushes(&self) -> Vec<PulledPush> {
        pubsub::pull(&self.app)
    }

    pub fn add_fault(&self, fault: Fault) {
        self.app.state().faults.arm(fault);
    }

    pub fn clear_faults(&self) {
        self.clear_faults_of(None);
    }

    /// Clears the faults of a mailbox, or all.
    pub fn clear_faults_of(&self, email: Option<&str>) {
        self.app.state().faults.clear(email);
    }

    /// Replaces the previous shapes of all mailboxes' messages; what is not named is as by default.
    pub fn set_shapes(&self, shapes: Shapes) -> Shapes {
        self.app.state().shapes = shapes;
        shapes
    }

    pub fn calls(&self) -> Vec<CallRecord> {
        self.calls_of(None)
    }

    /// The calls of a mailbox, or all.
    pub fn calls_of(&self, email: Option<&str>) -> Vec<CallRecord> {
        self.app.state().calls.log.iter().filter(|call| call.is_of(email)).cloned().collect()
    }

    pub fn clear_calls(&self) {
        self.clear_calls_of(None);
    }

    /// Clears the calls of a mailbox, or all with their times.
    pub fn clear_calls_of(&self, email: Option<&str>) {
        let mut state = self.app.state();
        state.calls.log.retain(|call| !call.is_of(email));
        if email.is_none() {
            state.timings.log.clear();
        }
    }

    /// From now on each request waits this long, and its times are recorded.
    pub fn set_latency(&self, latency: Latency) {
        self.app.state().timings.latency = Some(latency);
    }

    pub fn timings(&self) -> Vec<Timing> {
        self.app.state().timings.log.clone()
    }

    /// Requests that the discovery document does not know.
    pub fn violations(&self) -> Vec<String> {
        self.app.state().violations.clone()
    }
}
