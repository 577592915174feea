//! A trigger is created, changed or removed; each raises its connector's version, so that a running
//! wake-up starts over.

use crate::domain::connector::Connector;
use crate::domain::id::{ConnectorId, OwnerId, TriggerId};
use crate::domain::invalid::Invalid;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{
    MOST_TRIGGERS, MOST_WEBHOOKS, NewTrigger, Trigger, TriggerChange, TriggerType,
};
use crate::domain::webhook::PREVIOUS_SECRET_LIFE;
use crate::flows::preconditions::Unusable;
use crate::ports::{Entropy, Hook, Store, StoreError, Vault, VaultError};
use secrecy::SecretString;

/// How often a change starts over after another writer came first.
const MOST_ATTEMPTS: u32 = 5;

#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    #[error("no such trigger")]
    NoSuchTrigger,
    #[error("no such connector")]
    NoSuchConnector,
    #[error("the connector has {MOST_TRIGGERS} triggers already")]
    TooMany,
    #[error("the connector has {MOST_WEBHOOKS} triggers of type webhook already")]
    TooManyWebhooks,
    #[error("a trigger of type email has no secret")]
    NoSecret,
    /// A label is named that only the mailbox can tell, and it cannot be asked.
    #[error("the mailbox's labels cannot be read")]
    LabelsUnread(#[source] Unusable),
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the trigger and, for a `webhook` trigger, its secret, which is never shown again.
pub async fn create(
    store: &impl Store,
    vault: &impl Vault,
    entropy: &impl Entropy,
    owner: &OwnerId,
    new: NewTrigger,
    now: Timestamp,
) -> Result<(Trigger, Option<SecretString>), SubscribeError> {
    let trigger = new.into_trigger(TriggerId::from_uuid(entropy.uuid(now)), owner.clone(), now);
    let secret = (trigger.kind == TriggerType::Webhook).then(|| entropy.secret());
    let hook = match &secret {
        Some(secret) => Some(Hook {
            owner: owner.clone(),
            secret: vault.seal_trigger_secret(secret, &trigger.id).await?,
            previous: None,
        }),
        None => None,
    };
    let mut attempt = 1;
    loop {
        // The connector is read first: a trigger that is created after that raises its version, and
        // this write fails.
        let connector = connector(store, &trigger).await?;
        let mut existing = store.triggers(owner).await?;
        existing.retain(|other| other.config.connector_id == connector.id);
        if existing.len() >= MOST_TRIGGERS {
            return Err(SubscribeError::TooMany);
        }
        if hook.is_some()
            && existing.iter().filter(|other| other.kind == TriggerType::Webhook).count()
                >= MOST_WEBHOOKS
        {
            return Err(SubscribeError::TooManyWebhooks);
        }
        match store
            .put_trigger(&trigger, hook.as_ref(), &connector.location(), connector.version)
            .await
        {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            ended => return ended.map(|()| (trigger, secret)).map_err(SubscribeError::from),
        }
    }
}

/// Creates the trigger unless its id exists; returns whether it did. Not for a `webhook`, whose
/// secret is shown once.
pub async fn ensure(store: &impl Store, trigger: &Trigger) -> Result<bool, SubscribeError> {
    let mut attempt = 1;
    loop {
        let connector = connector(store, trigger).await?;
        let existing = store.triggers(&trigger.owner_id).await?;
        if existing.iter().any(|other| other.id == trigger.id) {
            return Ok(false);
        }
        if existing.iter().filter(|other| other.config.connector_id == connector.id).count()
            >= MOST_TRIGGERS
        {
            return Err(SubscribeError::TooMany);
        }
        match store.put_trigger(trigger, None, &connector.location(), connector.version).await {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            ended => return ended.map(|()| true).map_err(SubscribeError::from),
        }
    }
}

pub async fn change(
    store: &impl Store,
    owner: &OwnerId,
    id: &TriggerId,
    change: TriggerChange,
    now: Timestamp,
) -> Result<Trigger, SubscribeError> {
    let mut attempt = 1;
    loop {
        let (trigger, connector) = with_connector(store, owner, id).await?;
        change.check_of(trigger.kind)?;
        let changed = change.clone().apply(&trigger, now);
        match store.put_trigger(&changed, None, &connector.location(), connector.version).await {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            ended => return ended.map(|()| changed).map_err(SubscribeError::from),
        }
    }
}

/// Gives a `webhook` trigger a new secret, returned only here. The previous one stays valid until
/// the returned moment; the one before it ends at once.
pub async fn rotate_secret(
    store: &impl Store,
    vault: &impl Vault,
    entropy: &impl Entropy,
    owner: &OwnerId,
    id: &TriggerId,
    now: Timestamp,
) -> Result<(SecretString, Timestamp), SubscribeError> {
    let (secret, until) = (entropy.secret(), now.after(PREVIOUS_SECRET_LIFE));
    let mut sealed = None;
    let mut attempt = 1;
    loop {
        let (trigger, connector) = with_connector(store, owner, id).await?;
        if trigger.kind != TriggerType::Webhook {
            return Err(SubscribeError::NoSecret);
        }
        let before = store.hook(id).await?.ok_or(SubscribeError::NoSuchTrigger)?;
        let current = match sealed.take() {
            Some(sealed) => sealed,
            None => vault.seal_trigger_secret(&secret, id).await?,
        };
        let hook =
            Hook { owner: owner.clone(), secret: current, previous: Some((before.secret, until)) };
        let changed = Trigger { updated_at: now, ..trigger };
        match store
            .put_trigger(&changed, Some(&hook), &connector.location(), connector.version)
            .await
        {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => {
                (attempt, sealed) = (attempt + 1, Some(hook.secret))
            }
            ended => return ended.map(|()| (secret, until)).map_err(SubscribeError::from),
        }
    }
}

pub async fn remove(
    store: &impl Store,
    owner: &OwnerId,
    id: &TriggerId,
) -> Result<(), SubscribeError> {
    let mut attempt = 1;
    loop {
        let (trigger, connector) = with_connector(store, owner, id).await?;
        match store.remove_trigger(&trigger, &connector.location(), connector.version).await {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            ended => return ended.map_err(SubscribeError::from),
        }
    }
}

/// Reads the trigger again after its connector: else a change between both reads would be
/// overwritten by a write that names the newer version.
async fn with_connector(
    store: &impl Store,
    owner: &OwnerId,
    id: &TriggerId,
) -> Result<(Trigger, Connector), SubscribeError> {
    let known = store.trigger(owner, id).await?.ok_or(SubscribeError::NoSuchTrigger)?;
    let connector = connector(store, &known).await?;
    let trigger = store.trigger(owner, id).await?.ok_or(SubscribeError::NoSuchTrigger)?;
    Ok((trigger, connector))
}

async fn connector(store: &impl Store, trigger: &Trigger) -> Result<Connector, SubscribeError> {
    let id: &ConnectorId = &trigger.config.connector_id;
    let connector = store.connector(&trigger.owner_id, id).await?;
    connector.filter(|connector| connector.closing.is_none()).ok_or(SubscribeError::NoSuchConnector)
}
