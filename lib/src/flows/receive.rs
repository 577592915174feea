//! A push arrives: prove who pushed, decode, hand the wake-up to the queue. Nothing is acknowledged
//! before the queue has it.

use crate::domain::claims::{PushPolicy, Refusal};
use crate::domain::id::fingerprint;
use crate::domain::mark::Mark;
use crate::domain::provider::gmail::push::{Envelope, Malformed, Notification, kept};
use crate::domain::timestamp::Timestamp;
use crate::domain::wake_up::WakeUp;
use crate::ports::{Ports, Quarantine, TokenError, TokenVerifier, Unavailable, WakeUps};

pub struct Receive<P: Ports> {
    pub verifier: P::Verifier,
    pub wake_ups: P::WakeUps,
    pub quarantine: P::Quarantine,
    pub policy: PushPolicy,
    /// The only subscription that may push to us, as `projects/…/subscriptions/…`.
    pub subscription: String,
}

/// What one push says.
struct Push {
    notification: Notification,
    message_id: String,
    published_at: Option<Timestamp>,
    is_repeated: bool,
}

/// What was queued, for the log: the mailbox appears only as its message group.
#[derive(Debug, PartialEq, Eq)]
pub struct Queued {
    pub pubsub_message_id: Option<String>,
    pub mark: Mark,
    pub group: String,
    /// Pub/Sub delivered it before.
    pub is_repeated: bool,
}

impl Queued {
    fn of(wake_up: &WakeUp, mark: Mark, is_repeated: bool) -> Self {
        let pubsub_message_id = wake_up.correlation.pubsub_message_id.clone();
        Self { pubsub_message_id, mark, group: wake_up.group(), is_repeated }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    Queued(Queued),
    /// From our own subscription, and unreadable: refusing it would only slow the subscription
    /// down.
    Quarantined(Malformed),
}

#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error("no bearer token")]
    NoToken,
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the push comes from another subscription")]
    OtherSubscription,
    #[error(transparent)]
    Queue(#[from] Unavailable),
}

impl<P: Ports> Receive<P> {
    pub async fn push(
        &self,
        token: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Received, PushError> {
        let claims = self.verifier.verify(token.ok_or(PushError::NoToken)?, now).await?;
        self.policy.admit(&claims, now)?;
        match self.read(body)? {
            Ok(push) => {
                let published_at =
                    push.published_at.map_or(now, |published_at| published_at.min(now));
                let Notification { email_address, history_id } = push.notification;
                let wake_up = WakeUp::push(
                    email_address,
                    history_id,
                    Some(push.message_id.clone()),
                    published_at,
                );
                self.wake_ups.send(&wake_up, Some(&push.message_id)).await?;
                Ok(Received::Queued(Queued::of(&wake_up, history_id, push.is_repeated)))
            }
            Err(malformed) => self.set_aside(body, malformed).await,
        }
    }

    fn read(&self, body: &[u8]) -> Result<Result<Push, Malformed>, PushError> {
        let envelope = match Envelope::parse(body) {
            Ok(envelope) => envelope,
            Err(malformed) => return Ok(Err(malformed)),
        };
        if envelope.subscription != self.subscription {
            return Err(PushError::OtherSubscription);
        }
        let published_at = envelope.message.published_at();
        let message_id = envelope.message.id().map(String::from);
        let is_repeated = envelope.is_repeated();
        Ok(message_id.and_then(|message_id| {
            let notification = envelope.message.notification()?;
            Ok(Push { notification, message_id, published_at, is_repeated })
        }))
    }

    /// The legacy notification: Gmail's JSON without an envelope, numbered by its channel. Its
    /// sender was proven by the channel token before.
    pub async fn legacy(
        &self,
        message_number: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Received, PushError> {
        let notification: Notification = match serde_json::from_slice(body) {
            Ok(notification) => notification,
            Err(error) => {
                return self.set_aside(body, Malformed::NotANotification(error.to_string())).await;
            }
        };
        let deduplication_id =
            fingerprint(&["legacy", notification.email_address.as_str(), message_number])
                .to_string();
        let wake_up = WakeUp::push(notification.email_address, notification.history_id, None, now);
        self.wake_ups.send(&wake_up, Some(&deduplication_id)).await?;
        Ok(Received::Queued(Queued::of(&wake_up, notification.history_id, false)))
    }

    async fn set_aside(&self, body: &[u8], malformed: Malformed) -> Result<Received, PushError> {
        self.quarantine.keep(&kept(body), &malformed.to_string()).await?;
        Ok(Received::Quarantined(malformed))
    }
}
