//! The port `Store` on DynamoDB: each method is one read, one update or one transaction, except
//! reads by an owner's pointers.

use std::collections::BTreeSet;
use std::time::Duration;

use uuid::Uuid;

use super::DynamoStore;
use super::change::{Change, put};
use super::hook_row::HookRow;
use super::indexes::Deliveries;
use super::keys::{self, Item, Key};
use super::members::{connector, members};
use super::rows::{
    AccessTokenRow, ConsentRow, DataKeyRow, EventRow, GrantRow, MembershipRow, PointerRow, SeenRow,
    attribute, item, number, parts, read,
};
use super::writes::{
    as_read, due, due_row, event_set, ids, of_generation, of_watch, pointer, raise, rotated,
    rows_of,
};
use crate::domain::connect_session::ConnectSession;
use crate::domain::connector::{Closing, Connector, Location, Outbox, Slot, Status, StoredGrant};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::{DetailType, Event, LEDGER_HORIZON};
use crate::domain::id::{AccountId, ConnectorId, EventId, OwnerId, TriggerId};
use crate::domain::mailbox_key::MailboxKey;
use crate::domain::membership::Membership;
use crate::domain::secret::{Sealed, SealedAccessToken, WrappedKey};
use crate::domain::sweep::{SweepTimes, first_sweep, next_sweep};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::domain::watch::Watch;
use crate::ports::{
    CONSENT_LIFE, ClaimedKey, Commit, Delivery, Due, Exchange, Hook, PendingConsent, RequestKey,
    Store, StoreError,
};

impl Store for DynamoStore {
    async fn in_slot(&self, owner: &OwnerId, slot: &Slot) -> Result<Option<Connector>, StoreError> {
        self.pointed(keys::slot(owner, slot)).await
    }

    async fn create_connector(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
        exchange: &Exchange,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let outbox = Outbox { unpublished: ids(events), ..connector.outbox.clone() };
        let created = Connector { outbox, ..connector.clone() };
        let pointer = pointer(connector);
        let mut writes = vec![
            put(&self.table, due_row(&created, first_sweep(exchange.at))?, true),
            put(
                &self.table,
                item(&keys::owned_connector(&connector.owner_id, &connector.id), &pointer)?,
                true,
            ),
            put(
                &self.table,
                item(&keys::slot(&connector.owner_id, &connector.slot), &pointer)?,
                true,
            ),
            self.exchange_row(connector, exchange)?,
            self.membership_row(&connector.account, membership)?,
        ];
        for trigger in triggers {
            writes.extend(self.trigger_rows(trigger, &connector.location())?);
        }
        writes.extend(self.event_rows(&connector.location(), events)?);
        self.transact(writes).await
    }

    async fn reconnect(
        &self,
        before: &Connector,
        grant: &StoredGrant,
        exchange: &Exchange,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let location = before.location();
        // A token of the old grant and an old error end with it.
        let raised = raise(&location, before.version).remove("access_token").remove("last_error");
        let active = raised
            .set("status", attribute(&Status::Active)?)
            .set("email_address", attribute(&before.email_address)?)
            .set("updated_at", attribute(&exchange.at)?);
        let granted = parts(&GrantRow::from(grant))?;
        let change =
            granted.into_iter().fold(active, |change, (name, value)| change.set(&name, value));
        let mut writes = self.with_events(
            due(change, &location, Some(first_sweep(exchange.at))),
            &location,
            events,
        )?;
        writes.push(self.exchange_row(before, exchange)?);
        self.transact(writes).await
    }

    async fn rename(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
        to: &EmailAddress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // The condition below makes sure that nothing waits for publication, whatever was read.
        let moved = Connector {
            email_address: to.clone(),
            version: connector.version + 1,
            outbox: Outbox { unpublished: Default::default(), ..connector.outbox.clone() },
            updated_at: now,
            ..connector.clone()
        };
        let (here, there, pointer) = (connector.location(), moved.location(), pointer(&moved));
        let mut writes = vec![
            as_read(connector)?.into_deletion(&self.table),
            put(&self.table, due_row(&moved, now)?, true),
            put(
                &self.table,
                item(&keys::owned_connector(&moved.owner_id, &moved.id), &pointer)?,
                false,
            ),
            put(&self.table, item(&keys::slot(&moved.owner_id, &moved.slot), &pointer)?, false),
            self.membership_row(&moved.account, membership)?,
        ];
        for trigger in triggers {
            writes.push(Change::of(keys::trigger(&here, &trigger.id)).into_deletion(&self.table));
            writes.push(put(
                &self.table,
                item(&keys::trigger(&there, &trigger.id), trigger)?,
                false,
            ));
        }
        self.transact(writes).await
    }

    async fn exchanged(
        &self,
        owner: &OwnerId,
        exchange: &Exchange,
    ) -> Result<Option<ConnectorId>, StoreError> {
        let Some(item) = self.get(keys::exchange(owner, exchange)).await? else { return Ok(None) };
        let row: PointerRow = read(item)?;
        // DynamoDB deletes expired rows with a delay.
        let lasts = row.expires_at.is_none_or(|expires| expires > exchange.at.seconds());
        Ok(lasts.then_some(row.connector_id))
    }

    async fn membership(&self, account: &AccountId) -> Result<Membership, StoreError> {
        let Some(item) = self.get(keys::membership(account)).await? else {
            return Ok(Membership::default());
        };
        read::<MembershipRow>(item).map(Membership::from)
    }

    async fn put_membership(
        &self,
        account: &AccountId,
        membership: &Membership,
    ) -> Result<(), StoreError> {
        self.transact(vec![self.membership_row(account, membership)?]).await
    }

    async fn keep_consent(
        &self,
        owner: &OwnerId,
        consent: &PendingConsent,
    ) -> Result<(), StoreError> {
        self.transact(vec![put(
            &self.table,
            item(&keys::consent(owner, consent.state), &ConsentRow::from(consent))?,
            false,
        )])
        .await
    }

    async fn take_consent(
        &self,
        owner: &OwnerId,
        state: Uuid,
        now: Timestamp,
    ) -> Result<Option<PendingConsent>, StoreError> {
        let Some(item) = self.take(keys::consent(owner, state)).await? else { return Ok(None) };
        let ConsentRow { code_verifier, asked_at, .. } = read(item)?;
        // DynamoDB deletes expired rows with a delay.
        let timely = asked_at.after(CONSENT_LIFE) > now;
        Ok(timely.then(|| PendingConsent { state, code_verifier: code_verifier.into(), asked_at }))
    }

    async fn put_session(
        &self,
        owner: &OwnerId,
        session: &ConnectSession,
    ) -> Result<(), StoreError> {
        self.write_session(owner, session).await
    }

    async fn session(
        &self,
        owner: &OwnerId,
        id: Uuid,
    ) -> Result<Option<ConnectSession>, StoreError> {
        self.read_session(owner, id).await
    }

    async fn note_seen(&self, what: &str, until: Timestamp) -> Result<(), StoreError> {
        let row = item(&keys::seen(what), &SeenRow { expires_at: until.seconds() })?;
        self.transact(vec![put(&self.table, row, true)]).await
    }

    async fn claim_key(
        &self,
        owner: &OwnerId,
        key: &RequestKey,
    ) -> Result<Option<ClaimedKey>, StoreError> {
        self.claim(owner, key).await
    }

    async fn keep_answer(
        &self,
        owner: &OwnerId,
        key: &RequestKey,
        answer: &str,
    ) -> Result<(), StoreError> {
        self.answer(owner, key, answer).await
    }

    async fn release_key(&self, owner: &OwnerId, key: &RequestKey) -> Result<(), StoreError> {
        self.release(owner, key).await
    }

    async fn forget_requests(&self, owner: &OwnerId) -> Result<(), StoreError> {
        self.forget_left(owner).await
    }

    async fn connector(
        &self,
        owner: &OwnerId,
        id: &ConnectorId,
    ) -> Result<Option<Connector>, StoreError> {
        self.pointed(keys::owned_connector(owner, id)).await
    }

    async fn connectors(&self, owner: &OwnerId) -> Result<Vec<Connector>, StoreError> {
        let pointers = self.query(keys::owner(owner), keys::CONNECTOR_PREFIX).await?;
        let pointers =
            pointers.into_iter().map(read::<PointerRow>).collect::<Result<Vec<_>, _>>()?;
        let located = |pointer: PointerRow| {
            keys::connector(&Location { mailbox: pointer.mailbox, connector: pointer.connector_id })
        };
        let rows = self.get_all(pointers.into_iter().map(located).collect(), None).await?;
        let mut connectors = rows.into_iter().map(connector).collect::<Result<Vec<_>, _>>()?;
        connectors.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(connectors)
    }

    async fn begin_closing(
        &self,
        before: &Connector,
        closing: &Closing,
        membership: &Membership,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let location = before.location();
        let change = raise(&location, before.version)
            .set("closing", attribute(closing)?)
            .set("updated_at", attribute(&closing.since)?);
        let change = due(change, &location, closing_sweep(before, closing));
        let mut writes = self.with_events(change, &location, events)?;
        writes.push(self.membership_row(&before.account, membership)?);
        self.transact(writes).await
    }

    async fn record_closing(
        &self,
        connector: &Location,
        closing: &Closing,
    ) -> Result<(), StoreError> {
        let steps = [
            ("closing.watch_stopped", closing.watch_stopped),
            ("closing.grant_revoked", closing.grant_revoked),
        ];
        let mut change = Change::of(keys::connector(connector)).if_present("closing");
        for (step, done) in steps.into_iter().filter_map(|(step, done)| Some((step, done?))) {
            change = change.set(step, attribute(&done)?);
        }
        self.update(change).await
    }

    async fn remove_connector(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
    ) -> Result<(), StoreError> {
        let location = connector.location();
        let unmoved =
            Change::of(keys::connector(&location)).if_equal("version", number(connector.version));
        let mut gone = vec![
            unmoved.if_absent("unpublished"),
            Change::of(keys::owned_connector(&connector.owner_id, &connector.id)),
            Change::of(keys::slot(&connector.owner_id, &connector.slot)),
        ];
        gone.extend(triggers.iter().flat_map(|trigger| rows_of(trigger, &location)));
        let mut writes: Vec<_> =
            gone.into_iter().map(|row| row.into_deletion(&self.table)).collect();
        writes.push(self.membership_row(&connector.account, membership)?);
        self.transact(writes).await
    }

    async fn trigger(
        &self,
        owner: &OwnerId,
        id: &TriggerId,
    ) -> Result<Option<Trigger>, StoreError> {
        self.get(keys::owned_trigger(owner, id)).await?.map(read).transpose()
    }

    async fn triggers(&self, owner: &OwnerId) -> Result<Vec<Trigger>, StoreError> {
        self.query(keys::owner(owner), keys::TRIGGER_PREFIX).await?.into_iter().map(read).collect()
    }

    async fn put_trigger(
        &self,
        trigger: &Trigger,
        hook: Option<&Hook>,
        connector: &Location,
        version: u64,
    ) -> Result<(), StoreError> {
        let mut writes = vec![raise(connector, version).into_transaction(&self.table)];
        writes.extend(self.trigger_rows(trigger, connector)?);
        if let Some(hook) = hook {
            writes.push(put(
                &self.table,
                item(&keys::hook(&trigger.id), &HookRow::from(hook))?,
                false,
            ));
        }
        self.transact(writes).await
    }

    async fn hook(&self, trigger: &TriggerId) -> Result<Option<Hook>, StoreError> {
        let row = self.get(keys::hook(trigger)).await?.map(read::<HookRow>).transpose()?;
        Ok(row.map(Hook::from))
    }

    async fn remove_trigger(
        &self,
        trigger: &Trigger,
        connector: &Location,
        version: u64,
    ) -> Result<(), StoreError> {
        let mut writes = vec![raise(connector, version).into_transaction(&self.table)];
        writes.extend(
            rows_of(trigger, connector).into_iter().map(|row| row.into_deletion(&self.table)),
        );
        self.transact(writes).await
    }

    async fn mailbox(
        &self,
        mailbox: &MailboxKey,
    ) -> Result<Vec<(Connector, Vec<Trigger>)>, StoreError> {
        Ok(members(self.query(keys::mailbox(mailbox), keys::CONNECTOR_PREFIX).await?))
    }

    async fn connector_at(&self, location: &Location) -> Result<Option<Connector>, StoreError> {
        self.get(keys::connector(location)).await?.map(connector).transpose()
    }

    async fn decided(&self, events: &[EventId]) -> Result<Vec<EventId>, StoreError> {
        let rows = self.get_all(events.iter().map(keys::event).collect(), Some("event_id")).await?;
        let id = |item: &Item| item.get("event_id").and_then(|id| id.as_s().ok()).map(EventId::new);
        Ok(rows.iter().filter_map(id).collect())
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), StoreError> {
        let location = commit.before.location();
        let (before, after) = (parts(&commit.before.reading)?, parts(commit.after)?);
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
        let raised =
            raise(&location, commit.before.version).set("updated_at", attribute(&commit.now)?);
        let change = changed
            .fold(raised, |change, name| change.set_or_remove(name, after.get(name).cloned()));
        let change = due(change, &location, commit.next_sweep);
        // An update of its own costs half of what it costs in a transaction.
        if commit.events.is_empty() {
            return self.update(change).await;
        }
        let fired = commit.events.iter().any(|event| event.detail_type == DetailType::TriggerFired);
        let change =
            if fired { change.set("last_event_at", attribute(&commit.now)?) } else { change };
        self.transact(self.with_events(change, &location, commit.events)?).await
    }

    async fn announce(&self, connector: &Location, events: &[Event]) -> Result<(), StoreError> {
        let open = Change::of(keys::connector(connector)).if_exists().if_absent("closing");
        self.transact(self.with_events(open, connector, events)?).await
    }

    async fn delivery_records(
        &self,
        connector: &ConnectorId,
        after: Option<(Timestamp, EventId)>,
        most: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.newest(Deliveries::Of(connector), after, most).await
    }

    async fn firings(
        &self,
        trigger: &TriggerId,
        after: Option<(Timestamp, EventId)>,
        most: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.newest(Deliveries::FiredBy(trigger), after, most).await
    }

    async fn forget(&self, events: &[EventId]) -> Result<(), StoreError> {
        self.delete_all(events.iter().map(keys::event).collect()).await
    }

    async fn unpublished(&self, events: &[EventId]) -> Result<Vec<Event>, StoreError> {
        let rows = self.get_all(events.iter().map(keys::event).collect(), None).await?;
        let rows = rows.into_iter().map(read::<EventRow>).collect::<Result<Vec<_>, _>>()?;
        Ok(rows.into_iter().filter(|row| row.published_at.is_none()).map(Event::from).collect())
    }

    async fn mark_published(
        &self,
        connector: &Location,
        events: &[Event],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let quiet = Change::of(keys::connector(connector))
            .delete("unpublished", event_set(events))
            .if_exists();
        let mut writes = vec![quiet.into_transaction(&self.table)];
        for event in events {
            let marked =
                Change::of(keys::event(&event.event_id)).set("published_at", attribute(&now)?);
            let marked = marked.set("expires_at", number(now.after(LEDGER_HORIZON).seconds()));
            writes.push(
                marked
                    .remove("due_shard")
                    .remove("due_at")
                    .if_exists()
                    .into_transaction(&self.table),
            );
        }
        self.transact(writes).await
    }

    async fn cache_access_token(
        &self,
        connector: &Location,
        generation: u64,
        token: &SealedAccessToken,
    ) -> Result<(), StoreError> {
        self.update(
            of_generation(connector, generation)
                .set("access_token", attribute(&AccessTokenRow::from(token))?),
        )
        .await
    }

    async fn rotate_refresh_token(
        &self,
        connector: &Location,
        generation: u64,
        replaced: &Sealed,
        by: &Sealed,
    ) -> Result<(), StoreError> {
        let change = rotated(of_generation(connector, generation), replaced, by)?;
        self.transact(vec![change.into_transaction(&self.table)]).await
    }

    async fn record_watch(&self, before: &Connector, watch: &Watch) -> Result<(), StoreError> {
        let open = of_generation(&before.location(), before.grant.generation).if_absent("closing");
        self.update(of_watch(open, &before.watch)?.set("watch", attribute(watch)?)).await
    }

    async fn schedule(
        &self,
        connector: &Location,
        version: u64,
        checked_at: Option<Timestamp>,
        next_sweep: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let unmoved = Change::of(keys::connector(connector)).if_equal("version", number(version));
        let change = match checked_at {
            Some(checked_at) => unmoved.set("checked_at", attribute(&checked_at)?),
            None => unmoved,
        };
        self.update(due(change, connector, next_sweep)).await
    }

    async fn put_off(&self, connector: &Location, until: Timestamp) -> Result<(), StoreError> {
        let change = Change::of(keys::connector(connector))
            .if_present("due_shard")
            .set("due_at", number(until.seconds()));
        self.update(change).await
    }

    async fn due(&self, shard: u8, now: Timestamp, most: u32) -> Result<Vec<Due>, StoreError> {
        self.due_by(shard, now, most).await
    }

    async fn data_key(&self) -> Result<Option<WrappedKey>, StoreError> {
        let Some(item) = self.get(keys::data_key()).await? else { return Ok(None) };
        Ok(Some(Sealed(read::<DataKeyRow>(item)?.key.into_vec())))
    }

    async fn keep_data_key(&self, key: WrappedKey) -> Result<WrappedKey, StoreError> {
        let row = item(
            &keys::data_key(),
            &DataKeyRow { key: serde_bytes::ByteBuf::from(key.0.clone()) },
        )?;
        match self.transact(vec![put(&self.table, row, true)]).await {
            Err(StoreError::Conflict) => self.data_key().await?.ok_or(StoreError::Conflict),
            kept => kept.map(|()| key),
        }
    }
}

impl DynamoStore {
    async fn pointed(&self, pointer: Key) -> Result<Option<Connector>, StoreError> {
        let Some(item) = self.get(pointer).await? else { return Ok(None) };
        let pointer: PointerRow = read(item)?;
        self.connector_at(&Location { mailbox: pointer.mailbox, connector: pointer.connector_id })
            .await
    }
}

/// When a closing connector is due. The times play no part: `next_sweep` returns before it reads
/// them.
fn closing_sweep(before: &Connector, closing: &Closing) -> Option<Timestamp> {
    let none = SweepTimes { settle: Duration::ZERO, quiet_after: Duration::ZERO };
    next_sweep(&Connector { closing: Some(closing.clone()), ..before.clone() }, none)
}
