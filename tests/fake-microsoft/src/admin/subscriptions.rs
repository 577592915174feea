//! Subscriptions and their notifications, as tests look at and disturb them.

use std::time::Duration;

use serde::Serialize;

use super::Admin;
use super::error::AdminError;
use crate::notify::{self, NotificationMode, NotificationStatus, PulledNotification};
use crate::subscriptions::Subscription;
use crate::values::moment;

#[derive(Clone, Debug, Serialize)]
pub struct SubscriptionView {
    pub id: String,
    /// The mailbox, by the address that it was made with.
    pub email: String,
    pub resource: String,
    pub change_type: String,
    pub notification_url: String,
    pub lifecycle_notification_url: Option<String>,
    pub client_state: Option<String>,
    pub expires: String,
    pub immutable_ids: bool,
    pub waits_for_authorization: bool,
}

impl Admin {
    /// Those of a mailbox, or all; lapsed ones too.
    pub fn subscriptions(&self, email: Option<&str>) -> Vec<SubscriptionView> {
        let state = self.app.state();
        let wanted =
            state.subscriptions.iter().filter(|one| email.is_none_or(|email| one.key == email));
        let view = wanted.map(|one| SubscriptionView {
            id: one.id.clone(),
            email: one.key.clone(),
            resource: one.resource.clone(),
            change_type: one.change_type.clone(),
            notification_url: one.notification_url.clone(),
            lifecycle_notification_url: one.lifecycle_url.clone(),
            client_state: one.client_state.clone(),
            expires: moment(one.expires),
            immutable_ids: one.immutable_ids,
            waits_for_authorization: one.waits_for_authorization,
        });
        view.collect()
    }

    /// Ends a subscription; with `tells` its owner hears `subscriptionRemoved`.
    pub fn remove_subscription(&self, id: &str, tells: bool) -> Result<(), AdminError> {
        let mut state = self.app.state();
        let at = state.subscriptions.iter().position(|one| one.id == id);
        let gone = state.subscriptions.remove(at.ok_or_else(|| missing(id))?);
        if tells {
            notify::tell_lifecycle(&self.app, &mut state, &gone, "subscriptionRemoved");
        }
        Ok(())
    }

    /// Its time is over, without a word.
    pub fn lapse_subscription(&self, id: &str) -> Result<(), AdminError> {
        self.shorten_subscription(id, i64::MAX)
    }

    /// It ends so many seconds earlier.
    pub fn shorten_subscription(&self, id: &str, seconds: i64) -> Result<(), AdminError> {
        let mut state = self.app.state();
        let found = state.subscriptions.iter_mut().find(|one| one.id == id);
        let shorten =
            |one: &mut Subscription| one.expires = one.expires.saturating_sub(seconds).max(0);
        found.map(shorten).ok_or_else(|| missing(id))
    }

    /// Tells `missed`, `reauthorizationRequired`, or any other event. After
    /// `reauthorizationRequired` nothing is told of mail until it was done.
    pub fn tell_lifecycle(&self, id: &str, event: &str) -> Result<(), AdminError> {
        let mut state = self.app.state();
        let found = state.subscriptions.iter_mut().find(|one| one.id == id);
        let subscription = found.ok_or_else(|| missing(id))?;
        subscription.waits_for_authorization |= event == "reauthorizationRequired";
        let subscription = subscription.clone();
        if notify::tell_lifecycle(&self.app, &mut state, &subscription, event) {
            Ok(())
        } else {
            Err(AdminError::Invalid(format!("{id} has no lifecycle URL")))
        }
    }

    /// Replaces the previous mode; what is not named is as by default.
    pub fn set_notifications(&self, mode: NotificationMode) -> NotificationMode {
        self.app.state().notifications.mode = mode.clone();
        self.app.notify_changed.notify_waiters();
        mode
    }

    pub fn notification_status(&self) -> NotificationStatus {
        self.app.state().notifications.status()
    }

    /// Waits until the status is as wished.
    pub async fn notifications_become(
        &self,
        wished: impl Fn(&NotificationStatus) -> bool,
        timeout: Duration,
    ) -> Result<NotificationStatus, AdminError> {
        let waiting = async {
            loop {
                let changed = self.app.notify_changed.notified();
                let status = self.notification_status();
                if wished(&status) {
                    return status;
                }
                changed.await;
            }
        };
        tokio::time::timeout(timeout, waiting).await.map_err(|_| AdminError::TimedOut)
    }

    /// Waits until nothing is left to deliver.
    pub async fn flush_notifications(
        &self,
        timeout: Duration,
    ) -> Result<NotificationStatus, AdminError> {
        self.notifications_become(|status| status.pending == 0, timeout).await
    }

    /// Takes the waiting items, in the order of their events, for a test that delivers them itself.
    pub fn pull_notifications(&self) -> Vec<PulledNotification> {
        let pulled = self.app.state().notifications.pull();
        self.app.notify_changed.notify_waiters();
        pulled
    }
}

fn missing(id: &str) -> AdminError {
    AdminError::NotFound(format!("subscription {id}"))
}
