//! A trigger is made, changed or taken away; each raises its connector's version, so that a running wake-up notices.

use crate::domain::connector::Connector;
use crate::domain::id::{ConnectorId, OwnerId, TriggerId};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{InvalidTrigger, MOST_TRIGGERS, MOST_WEBHOOKS, NewTrigger, Trigger, TriggerChange, TriggerType};
use crate::domain::webhook::PREVIOUS_SECRET_LIFE;
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
    #[error(transparent)]
    Invalid(#[from] InvalidTrigger),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The trigger and, of a `webhook` trigger, its secret: shown this once.
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
        Some(secret) => Some(Hook { owner: owner.clone(), secret: vault.seal_trigger_secret(secret, &trigger.id).await?, previous: None }),
        None => None,
    };
    let mut attempt = 1;
    loop {
        // The connector first: a trigger that is made after it was read raises the version that this write names.
        let connector = connector(store, &trigger).await?;
        let mut held = store.triggers(owner).await?;
        held.retain(|held| held.config.connector_id == connector.id);
        if held.len() >= MOST_TRIGGERS {
            return Err(SubscribeError::TooMany);
        }
        if hook.is_some() && held.iter().filter(|held| held.kind == TriggerType::Webhook).count() >= MOST_WEBHOOKS {
            return Err(SubscribeError::TooManyWebhooks);
        }
        match store.put_trigger(&trigger, hook.as_ref(), &connector.location(), connector.version).await {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            ended => return ended.map(|()| (trigger, secret)).map_err(SubscribeError::from),
        }
    }
}

/// Makes the trigger unless there is one of its id; whether it did. Not for a `webhook`, whose secret is shown once.
pub async fn ensure(store: &impl Store, trigger: &Trigger) -> Result<bool, SubscribeError> {
    let mut attempt = 1;
    loop {
        let connector = connector(store, trigger).await?;
        let held = store.triggers(&trigger.owner_id).await?;
        if held.iter().any(|held| held.id == trigger.id) {
            return Ok(false);
        }
        if held.iter().filter(|held| held.config.connector_id == connector.id).count() >= MOST_TRIGGERS {
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

/// Gives a `webhook` trigger another secret, shown this once. The one before counts until the moment that is answered; the one
/// before that ends at once.
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
        let hook = Hook { owner: owner.clone(), secret: current, previous: Some((before.secret, until)) };
        let changed = Trigger { updated_at: now, ..trigger };
        match store.put_trigger(&changed, Some(&hook), &connector.location(), connector.version).await {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => (attempt, sealed) = (attempt + 1, Some(hook.secret)),
            ended => return ended.map(|()| (secret, until)).map_err(SubscribeError::from),
        }
    }
}

pub async fn remove(store: &impl Store, owner: &OwnerId, id: &TriggerId) -> Result<(), SubscribeError> {
    let mut attempt = 1;
    loop {
        let (trigger, connector) = with_connector(store, owner, id).await?;
        match store.remove_trigger(&trigger, &connector.location(), connector.version).await {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            ended => return ended.map_err(SubscribeError::from),
        }
    }
}

/// The trigger as it stood at the connector's version, or later: were it read only before, a change in between would be
/// overwritten by a write that holds the version after that change.
async fn with_connector(store: &impl Store, owner: &OwnerId, id: &TriggerId) -> Result<(Trigger, Connector), SubscribeError> {
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
