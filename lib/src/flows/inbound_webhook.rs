//! Somebody outside fires a `webhook` trigger: its owner, or whoever signs with its secret.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

use crate::domain::event::MOST_UNPUBLISHED;
use crate::domain::id::{OwnerId, TriggerId, fingerprint};
use crate::domain::limit::Limits;
use crate::domain::role::Action;
use crate::domain::secret::Sealed;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{Trigger, TriggerType};
use crate::domain::webhook::{Signature, UnusablePayload, fired};
use crate::flows::publishing::publish_or_log;
use crate::ports::{Hook, Ports, Signatures, Store, StoreError, Vault, VaultError};

pub struct Fire<'a, P: Ports> {
    pub store: &'a P::Store,
    pub vault: &'a P::Vault,
    pub bus: &'a P::Bus,
    pub signatures: &'a P::Signatures,
    pub opened: &'a OpenedSecrets,
    pub limits: &'a Limits,
}

/// How long a decrypted secret is cached, so that forged signatures for a known trigger id do not
/// cost one KMS call each.
const REMEMBERED: Duration = Duration::from_secs(300);
const MOST_REMEMBERED: usize = 1000;

/// The trigger secrets that this process decrypted, by trigger and ciphertext, each with the end of
/// its caching.
#[derive(Default)]
pub struct OpenedSecrets(Mutex<HashMap<(TriggerId, Sealed), (SecretString, Timestamp)>>);

impl OpenedSecrets {
    fn of(&self, id: &TriggerId, sealed: &Sealed, now: Timestamp) -> Option<SecretString> {
        let opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (secret, until) = opened.get(&(id.clone(), sealed.clone()))?;
        (now < *until).then(|| secret.clone())
    }

    fn remember(&self, id: &TriggerId, sealed: &Sealed, secret: &SecretString, now: Timestamp) {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= MOST_REMEMBERED {
            opened.clear();
        }
        opened.insert((id.clone(), sealed.clone()), (secret.clone(), now.after(REMEMBERED)));
    }
}

/// The event that was decided, and whose trigger it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    pub event_id: String,
    pub owner: OwnerId,
}

#[derive(Debug, thiserror::Error)]
pub enum FireError {
    /// No such trigger, or not one that is fired from outside.
    #[error("no such trigger")]
    NotFound,
    /// Not signed, signed by somebody else, too early, too late, or sent before.
    #[error("the signature is not accepted: {0}")]
    Unauthorized(&'static str),
    #[error("its owner's triggers are fired too often")]
    TooMany(Duration),
    #[error("the body {0}")]
    Unusable(#[from] UnusablePayload),
    #[error(transparent)]
    Vault(VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<P: Ports> Fire<'_, P> {
    /// Fires on behalf of the owner, whom a token proved. `delivery` distinguishes one request from
    /// another.
    pub async fn as_owner(
        &self,
        owner: &OwnerId,
        id: &TriggerId,
        delivery: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Fired, FireError> {
        // Another body under the same `delivery` is another request.
        let delivery =
            fingerprint(&["owner", delivery, &String::from_utf8_lossy(body)]).to_string();
        match self.fire(owner, id, &delivery, body, now).await {
            // The same request again: it fired before.
            Err((event_id, FireError::Store(StoreError::Conflict)))
                if self.is_decided(&event_id).await? =>
            {
                Ok(Fired { event_id, owner: owner.clone() })
            }
            ended => ended.map_err(|(_, error)| error),
        }
    }

    /// Fires on behalf of whoever has the secret. A signature can be used once.
    pub async fn signed(
        &self,
        id: &TriggerId,
        header: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Fired, FireError> {
        let header = header.ok_or(FireError::Unauthorized("it is missing"))?;
        let signature =
            Signature::parse(header).ok_or(FireError::Unauthorized("it has another form"))?;
        if !signature.is_timely(now) {
            return Err(FireError::Unauthorized("its time is not now"));
        }
        // Who has no secret must not learn which triggers there are.
        let hook =
            self.store.hook(id).await?.ok_or(FireError::Unauthorized("it fits no trigger"))?;
        if !self.is_signed(id, &hook, &signature, body, now).await? {
            return Err(FireError::Unauthorized("it does not hold"));
        }
        self.limits.take(&hook.owner, Action::Fire, now).map_err(FireError::TooMany)?;
        let delivery = fingerprint(&["signed", &signature.identity()]).to_string();
        match self.fire(&hook.owner, id, &delivery, body, now).await {
            Err((event_id, FireError::Store(StoreError::Conflict)))
                if self.is_decided(&event_id).await? =>
            {
                Err(FireError::Unauthorized("it was used before"))
            }
            ended => ended.map_err(|(_, error)| error),
        }
    }

    async fn is_signed(
        &self,
        id: &TriggerId,
        hook: &Hook,
        signature: &Signature,
        body: &[u8],
        now: Timestamp,
    ) -> Result<bool, FireError> {
        for sealed in hook.valid_secrets(now) {
            let secret = match self.opened.of(id, sealed, now) {
                Some(secret) => secret,
                None => self.open(id, sealed, now).await?,
            };
            if self.signatures.is_signed(&secret, &signature.over(body), &signature.mac) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn open(
        &self,
        id: &TriggerId,
        sealed: &Sealed,
        now: Timestamp,
    ) -> Result<SecretString, FireError> {
        match self.vault.open_trigger_secret(sealed, id).await {
            Ok(secret) => {
                self.opened.remember(id, sealed, &secret, now);
                Ok(secret)
            }
            Err(VaultError::WrongContext) => {
                Err(FireError::Unauthorized("the stored secret does not open"))
            }
            Err(error) => Err(FireError::Vault(error)),
        }
    }

    async fn is_decided(&self, event_id: &str) -> Result<bool, FireError> {
        Ok(!self.store.decided(&[crate::domain::id::EventId::new(event_id)]).await?.is_empty())
    }

    /// An error carries the id of the event that could not be written, or an empty string if it
    /// failed before that.
    async fn fire(
        &self,
        owner: &OwnerId,
        id: &TriggerId,
        delivery: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Fired, (String, FireError)> {
        let nothing = |error: FireError| (String::new(), error);
        let trigger = self.webhook(owner, id).await.map_err(nothing)?;
        let connector = self
            .store
            .connector(owner, &trigger.config.connector_id)
            .await
            .map_err(|error| nothing(error.into()))?;
        let connector = connector
            .filter(|connector| connector.closing.is_none())
            .ok_or_else(|| nothing(FireError::NotFound))?;
        if connector.outbox.unpublished.len() > MOST_UNPUBLISHED {
            return Err(nothing(
                StoreError::Unavailable("too many events wait for the bus".into()).into(),
            ));
        }
        let event = fired(&connector, &trigger, delivery, body, now)
            .map_err(|error| nothing(error.into()))?;
        let (location, event_id) = (connector.location(), event.event_id.to_string());
        let events = [event];
        self.store
            .announce(&location, &events)
            .await
            .map_err(|error| (event_id.clone(), error.into()))?;
        publish_or_log(self.store, self.bus, &location, &events, now).await;
        Ok(Fired { event_id, owner: owner.clone() })
    }

    async fn webhook(&self, owner: &OwnerId, id: &TriggerId) -> Result<Trigger, FireError> {
        let trigger = self.store.trigger(owner, id).await?;
        trigger.filter(|trigger| trigger.kind == TriggerType::Webhook).ok_or(FireError::NotFound)
    }
}
