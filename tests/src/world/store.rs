//! The store in memory: each call of the port is one step on the tables.

mod looking;

use email_connectors::domain::connect_session::ConnectSession;
use email_connectors::domain::connector::{Closing, Connector, Location, Slot, StoredGrant};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::event::Event;
use email_connectors::domain::id::{AccountId, ConnectorId, EventId, OwnerId, TriggerId};
use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::domain::membership::Membership;
use email_connectors::domain::secret::{Sealed, SealedAccessToken, WrappedKey};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::Trigger;
use email_connectors::domain::watch::Watch;
use email_connectors::ports::{
    ClaimedKey, Commit, Delivery, Due, Exchange, Hook, KEY_LIFE, PendingConsent, RequestKey, Store,
    StoreError,
};
use uuid::Uuid;

use super::World;
use super::script::Call;
use super::tables::Tables;

#[derive(Clone)]
pub struct MemoryStore(World);

impl MemoryStore {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }

    async fn step<T>(
        &self,
        call: Call,
        about: impl ToString,
        step: impl FnOnce(&mut Tables) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        self.0.call(call, about.to_string(), |state| step(&mut state.tables)).await
    }
}

fn about(commit: &Commit<'_>) -> String {
    let (before, after) = (commit.before, commit.after);
    let mut about = format!("{} events", commit.events.len());
    if before.reading.position.cursor != after.position.cursor {
        about += &format!(", cursor {}", after.position.cursor);
    }
    if before.reading.status != after.status {
        about += &format!(", status {:?}", after.status);
    }
    about
}

impl Store for MemoryStore {
    async fn in_slot(&self, owner: &OwnerId, slot: &Slot) -> Result<Option<Connector>, StoreError> {
        let occupant = |tables: &mut Tables| {
            Ok(tables.slots.get(&(owner.clone(), slot.clone())).and_then(|at| tables.at(at)))
        };
        self.step(Call::InSlot, slot.as_str(), occupant).await
    }

    async fn create_connector(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
        exchange: &Exchange,
        events: &[Event],
    ) -> Result<(), StoreError> {
        self.step(Call::CreateConnector, &connector.id, |tables| {
            tables.create(connector, triggers, membership, exchange, events)
        })
        .await
    }

    async fn reconnect(
        &self,
        before: &Connector,
        grant: &StoredGrant,
        exchange: &Exchange,
        events: &[Event],
    ) -> Result<(), StoreError> {
        self.step(Call::Reconnect, &before.id, |tables| {
            tables.reconnect(before, grant, exchange, events)
        })
        .await
    }

    async fn rename(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
        to: &EmailAddress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.step(Call::Rename, to, |tables| {
            tables.rename(connector, triggers, membership, to, now)
        })
        .await
    }

    async fn exchanged(
        &self,
        owner: &OwnerId,
        exchange: &Exchange,
    ) -> Result<Option<ConnectorId>, StoreError> {
        self.step(Call::Exchanged, owner, |tables| Ok(tables.exchanged(owner, exchange))).await
    }

    async fn membership(&self, account: &AccountId) -> Result<Membership, StoreError> {
        self.step(Call::Membership, account, |tables| Ok(tables.membership(account))).await
    }

    async fn put_membership(
        &self,
        account: &AccountId,
        membership: &Membership,
    ) -> Result<(), StoreError> {
        self.step(Call::PutMembership, account, |tables| tables.put_membership(account, membership))
            .await
    }

    async fn keep_consent(
        &self,
        owner: &OwnerId,
        consent: &PendingConsent,
    ) -> Result<(), StoreError> {
        let keep = |tables: &mut Tables| {
            tables.consents.insert((owner.clone(), consent.state), consent.clone());
            Ok(())
        };
        self.step(Call::KeepConsent, owner, keep).await
    }

    async fn take_consent(
        &self,
        owner: &OwnerId,
        state: Uuid,
        now: Timestamp,
    ) -> Result<Option<PendingConsent>, StoreError> {
        self.step(Call::TakeConsent, owner, |tables| Ok(tables.take_consent(owner, state, now)))
            .await
    }

    async fn put_session(
        &self,
        owner: &OwnerId,
        session: &ConnectSession,
    ) -> Result<(), StoreError> {
        self.step(Call::PutSession, owner, |tables| tables.put_session(owner, session)).await
    }

    async fn session(
        &self,
        owner: &OwnerId,
        id: Uuid,
    ) -> Result<Option<ConnectSession>, StoreError> {
        let find = |tables: &mut Tables| Ok(tables.sessions.get(&(owner.clone(), id)).cloned());
        self.step(Call::Session, owner, find).await
    }

    async fn note_seen(&self, what: &str, until: Timestamp) -> Result<(), StoreError> {
        let note = |tables: &mut Tables| {
            if tables.seen.contains_key(what) {
                return Err(StoreError::Conflict);
            }
            tables.seen.insert(what.to_string(), until);
            Ok(())
        };
        self.step(Call::NoteSeen, what, note).await
    }

    async fn claim_key(
        &self,
        owner: &OwnerId,
        key: &RequestKey,
    ) -> Result<Option<ClaimedKey>, StoreError> {
        let claim = |tables: &mut Tables| {
            let row = (owner.clone(), key.name);
            if let Some(claimed) =
                tables.requests.get(&row).filter(|claimed| claimed.at.after(KEY_LIFE) > key.at)
            {
                return Ok(Some(claimed.clone()));
            }
            tables.requests.insert(row, ClaimedKey { body: key.body, at: key.at, answer: None });
            Ok(None)
        };
        self.step(Call::ClaimKey, owner, claim).await
    }

    async fn keep_answer(
        &self,
        owner: &OwnerId,
        key: &RequestKey,
        answer: &str,
    ) -> Result<(), StoreError> {
        let keep = |tables: &mut Tables| {
            let answered = ClaimedKey { body: key.body, at: key.at, answer: Some(answer.into()) };
            tables.requests.insert((owner.clone(), key.name), answered);
            Ok(())
        };
        self.step(Call::KeepAnswer, owner, keep).await
    }

    async fn release_key(&self, owner: &OwnerId, key: &RequestKey) -> Result<(), StoreError> {
        let release = |tables: &mut Tables| {
            tables.requests.remove(&(owner.clone(), key.name));
            Ok(())
        };
        self.step(Call::ReleaseKey, owner, release).await
    }

    async fn forget_requests(&self, owner: &OwnerId) -> Result<(), StoreError> {
        let forget = |tables: &mut Tables| {
            tables.forget_requests(owner);
            Ok(())
        };
        self.step(Call::ForgetRequests, owner, forget).await
    }

    async fn connector(
        &self,
        owner: &OwnerId,
        id: &ConnectorId,
    ) -> Result<Option<Connector>, StoreError> {
        self.step(Call::Connector, id, |tables| {
            Ok(tables.of_owner(owner).find(|connector| connector.id == *id).cloned())
        })
        .await
    }

    async fn connectors(&self, owner: &OwnerId) -> Result<Vec<Connector>, StoreError> {
        self.step(Call::Connectors, owner, |tables| Ok(tables.of_owner(owner).cloned().collect()))
            .await
    }

    async fn begin_closing(
        &self,
        before: &Connector,
        closing: &Closing,
        membership: &Membership,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let about = format!("{}{}", before.id, if closing.last { " last" } else { "" });
        self.step(Call::BeginClosing, about, |tables| {
            tables.begin_closing(before, closing, membership, events)
        })
        .await
    }

    async fn record_closing(
        &self,
        connector: &Location,
        closing: &Closing,
    ) -> Result<(), StoreError> {
        self.step(Call::RecordClosing, &connector.connector, |tables| {
            tables.record_closing(connector, closing)
        })
        .await
    }

    async fn remove_connector(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
    ) -> Result<(), StoreError> {
        self.step(Call::RemoveConnector, &connector.id, |tables| {
            tables.remove(connector, triggers, membership)
        })
        .await
    }

    async fn trigger(
        &self,
        owner: &OwnerId,
        id: &TriggerId,
    ) -> Result<Option<Trigger>, StoreError> {
        let owned = |tables: &mut Tables| {
            Ok(tables
                .triggers
                .get(id)
                .map(|(_, trigger)| trigger.clone())
                .filter(|trigger| trigger.owner_id == *owner))
        };
        self.step(Call::Trigger, id, owned).await
    }

    async fn triggers(&self, owner: &OwnerId) -> Result<Vec<Trigger>, StoreError> {
        let owned = |tables: &mut Tables| {
            let all = tables.triggers.values().map(|(_, trigger)| trigger);
            Ok(all.filter(|trigger| trigger.owner_id == *owner).cloned().collect())
        };
        self.step(Call::Triggers, owner, owned).await
    }

    async fn put_trigger(
        &self,
        trigger: &Trigger,
        hook: Option<&Hook>,
        connector: &Location,
        version: u64,
    ) -> Result<(), StoreError> {
        self.step(Call::PutTrigger, &trigger.id, |tables| {
            tables.put_trigger(trigger, hook, connector, version)
        })
        .await
    }

    async fn hook(&self, trigger: &TriggerId) -> Result<Option<Hook>, StoreError> {
        self.step(Call::Hook, trigger, |tables| Ok(tables.hooks.get(trigger).cloned())).await
    }

    async fn remove_trigger(
        &self,
        trigger: &Trigger,
        connector: &Location,
        version: u64,
    ) -> Result<(), StoreError> {
        self.step(Call::RemoveTrigger, &trigger.id, |tables| {
            tables.remove_trigger(trigger, connector, version)
        })
        .await
    }

    async fn mailbox(
        &self,
        mailbox: &MailboxKey,
    ) -> Result<Vec<(Connector, Vec<Trigger>)>, StoreError> {
        let members = |tables: &mut Tables| {
            let members = tables.connectors.iter().filter(|(at, _)| at.mailbox == *mailbox);
            Ok(members.map(|(at, row)| (row.connector.clone(), tables.triggers_of(at))).collect())
        };
        self.step(Call::Mailbox, mailbox, members).await
    }

    async fn connector_at(&self, location: &Location) -> Result<Option<Connector>, StoreError> {
        self.step(Call::ConnectorAt, &location.connector, |tables| Ok(tables.at(location))).await
    }

    async fn decided(&self, events: &[EventId]) -> Result<Vec<EventId>, StoreError> {
        let decided = |tables: &mut Tables| {
            Ok(events.iter().filter(|event| tables.ledger.contains_key(event)).cloned().collect())
        };
        self.step(Call::Decided, events.len(), decided).await
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), StoreError> {
        self.step(Call::Commit, about(commit), |tables| tables.commit(commit)).await
    }

    async fn announce(&self, connector: &Location, events: &[Event]) -> Result<(), StoreError> {
        self.step(Call::Announce, events.len(), |tables| tables.announce(connector, events)).await
    }

    async fn delivery_records(
        &self,
        connector: &ConnectorId,
        after: Option<(Timestamp, EventId)>,
        most: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.step(Call::DeliveryRecords, connector, |tables| {
            Ok(tables.delivery_records(connector, after, most))
        })
        .await
    }

    async fn firings(
        &self,
        trigger: &TriggerId,
        after: Option<(Timestamp, EventId)>,
        most: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.step(Call::Firings, trigger, |tables| Ok(tables.firings(trigger, after, most))).await
    }

    async fn forget(&self, events: &[EventId]) -> Result<(), StoreError> {
        let forget = |tables: &mut Tables| {
            tables.forget(events);
            Ok(())
        };
        self.step(Call::Forget, events.len(), forget).await
    }

    async fn unpublished(&self, events: &[EventId]) -> Result<Vec<Event>, StoreError> {
        self.step(Call::Unpublished, events.len(), |tables| Ok(tables.unpublished(events))).await
    }

    async fn mark_published(
        &self,
        connector: &Location,
        events: &[Event],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.step(Call::MarkPublished, events.len(), |tables| {
            tables.mark_published(connector, events, now)
        })
        .await
    }

    async fn cache_access_token(
        &self,
        connector: &Location,
        generation: u64,
        token: &SealedAccessToken,
    ) -> Result<(), StoreError> {
        let cache = |tables: &mut Tables| {
            tables.of_generation(connector, generation)?.connector.access_token =
                Some(token.clone());
            Ok(())
        };
        self.step(Call::CacheAccessToken, &connector.connector, cache).await
    }

    async fn rotate_refresh_token(
        &self,
        connector: &Location,
        generation: u64,
        replaced: &Sealed,
        by: &Sealed,
    ) -> Result<(), StoreError> {
        let rotate = |tables: &mut Tables| {
            let grant = &mut tables.of_generation(connector, generation)?.connector.grant;
            if grant.refresh_token != *replaced {
                return Err(StoreError::Conflict);
            }
            grant.refresh_token = by.clone();
            Ok(())
        };
        self.step(Call::RotateRefreshToken, &connector.connector, rotate).await
    }

    async fn record_watch(&self, before: &Connector, watch: &Watch) -> Result<(), StoreError> {
        let record = |tables: &mut Tables| {
            let row = tables.of_generation(&before.location(), before.grant.generation)?;
            if row.connector.closing.is_some() {
                return Err(StoreError::Conflict);
            }
            row.has_watch_of(before)?;
            row.connector.watch = watch.clone();
            Ok(())
        };
        self.step(Call::RecordWatch, &before.id, record).await
    }

    async fn schedule(
        &self,
        connector: &Location,
        version: u64,
        checked_at: Option<Timestamp>,
        next_sweep: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.step(Call::Schedule, &connector.connector, |tables| {
            tables.schedule(connector, version, checked_at, next_sweep)
        })
        .await
    }

    async fn put_off(&self, connector: &Location, until: Timestamp) -> Result<(), StoreError> {
        self.step(Call::PutOff, &connector.connector, |tables| tables.put_off(connector, until))
            .await
    }

    async fn due(&self, shard: u8, now: Timestamp, most: u32) -> Result<Vec<Due>, StoreError> {
        self.step(Call::Due, shard, |tables| Ok(tables.due(shard, now, most))).await
    }

    async fn data_key(&self) -> Result<Option<WrappedKey>, StoreError> {
        self.step(Call::DataKey, "", |tables| Ok(tables.data_key.clone())).await
    }

    async fn keep_data_key(&self, key: WrappedKey) -> Result<WrappedKey, StoreError> {
        self.step(Call::KeepDataKey, "", |tables| Ok(tables.data_key.get_or_insert(key).clone()))
            .await
    }
}
