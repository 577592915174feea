//! Copies a connector's rows from a table that was restored beside the stack's: finds those that
//! are missing, and writes them in one transaction.

pub mod run;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::DynamoStore;
use super::change::{put, put_over};
use super::indexes::Deliveries;
use super::keys::{self, Item, Key};
use super::rows::{ConnectorRow, MembershipRow, PointerRow, attribute, item, number, read, text};
use super::scan::Row;
use super::writes::{event_set, pointer, raise};
use crate::domain::connector::{Connector, Location};
use crate::domain::event::{Event, LEDGER_HORIZON};
use crate::domain::id::{ConnectorId, EventId, TriggerId};
use crate::domain::membership::{KEPT_WHEN_EMPTY, Membership};
use crate::domain::restore::{KeptOut, Now, Then, account_with, admits};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{Trigger, TriggerType};
use crate::ports::{Store, StoreError};

/// How many rows of each kind.
pub type Kinds = BTreeMap<&'static str, u64>;

/// How often a connector is looked at anew after another writer came first.
const MOST_ATTEMPTS: u32 = 5;

/// How far the clocks of two writers of one row may be apart.
const CLOCKS_APART: Duration = Duration::from_secs(3600);
/// How many events are read at once.
const PAGE: u32 = 100;

/// What is missing of a connector.
pub struct Missing {
    /// The connector that is here, or the one to restore.
    connector: Connector,
    /// Hooks: useless without their trigger, so that they may be written before it.
    first: Vec<Item>,
    /// Rows that are written in one transaction.
    together: Vec<Item>,
    /// The membership to write and the stored version; 0 if none is stored.
    account: Option<(Membership, u64)>,
    is_there: bool,
    kinds: Kinds,
}

impl Missing {
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// Events that were decided and not yet published, according to the connector's row.
    pub fn owed(&self) -> &BTreeSet<EventId> {
        &self.connector.outbox.unpublished
    }

    fn add(&mut self, kind: &'static str, row: Item) {
        *self.kinds.entry(kind).or_default() += 1;
        let rows = if kind == "hook" { &mut self.first } else { &mut self.together };
        rows.push(row);
    }
}

impl DynamoStore {
    /// What this table lacks of a connector in the table `from`, or why it must not be restored.
    pub async fn missing(
        &self,
        from: &DynamoStore,
        location: &Location,
    ) -> Result<Result<Missing, KeptOut>, StoreError> {
        let Some(row) = from.get(keys::connector(location)).await? else {
            return Err(StoreError::Unreadable(format!(
                "{} is gone from the table it should come from",
                location.connector
            )));
        };
        let then = match read::<ConnectorRow>(row.clone()) {
            Ok(then) => Connector::from(then),
            Err(error) => return Ok(Err(KeptOut::Unreadable(error.to_string()))),
        };
        let account_then = from.account(&then).await?;
        let triggers = self.triggers_then(from, &then).await?;
        let wanted = wanted(&then, &triggers);
        let stored: HashMap<_, _> = self
            .get_all(wanted, None)
            .await?
            .into_iter()
            .map(|item| (key_of(&item), item))
            .collect();
        let now = self.now(&stored, &then, triggers.len()).await?;
        let older = Then { connector: &then, account: account_then.as_ref() };
        if let Err(kept_out) = admits(older, &now) {
            return Ok(Err(kept_out));
        }
        let version = now.account.as_ref().map_or(0, |account| account.version);
        let account = account_with(older, now.account.as_ref()).map(|account| (account, version));
        let is_there = now.connector.is_some();
        let connector = now.connector.unwrap_or_else(|| then.clone());
        let mut missing = Missing {
            connector,
            first: vec![],
            together: vec![],
            account,
            is_there,
            kinds: Kinds::new(),
        };
        let mut lacks = |kind, row: Item| {
            if !stored.contains_key(&key_of(&row)) {
                missing.add(kind, row);
            }
        };
        lacks("connector", row);
        lacks("pointer", item(&keys::owned_connector(&then.owner_id, &then.id), &pointer(&then))?);
        lacks("slot", item(&keys::slot(&then.owner_id, &then.slot), &pointer(&then))?);
        for (trigger, hook) in triggers.values() {
            for key in [
                keys::trigger(location, &trigger.id),
                keys::owned_trigger(&then.owner_id, &trigger.id),
            ] {
                lacks("trigger", item(&key, trigger)?);
            }
            hook.iter().for_each(|hook| lacks("hook", hook.clone()));
        }
        if missing.account.is_some() {
            *missing.kinds.entry("account").or_default() += 1;
        }
        Ok(Ok(missing))
    }

    /// Writes what is missing of a connector in one transaction, so that it is never there without
    /// its triggers, and returns what was written. Its events must be restored first, or it would
    /// decide them again.
    pub async fn restore_connector(
        &self,
        from: &DynamoStore,
        location: &Location,
        now: Timestamp,
    ) -> Result<Result<Kinds, KeptOut>, StoreError> {
        let mut attempt = 1;
        loop {
            let mut missing = match self.missing(from, location).await? {
                Ok(missing) => missing,
                Err(kept_out) => return Ok(Err(kept_out)),
            };
            if missing.kinds.is_empty() {
                return Ok(Ok(Kinds::new()));
            }
            for hook in std::mem::take(&mut missing.first) {
                self.insert_absent(&Row(hook)).await?;
            }
            let kinds = std::mem::take(&mut missing.kinds);
            match self.transact(self.together(missing, now).await?).await {
                Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
                ended => return ended.map(|()| Ok(kinds)),
            }
        }
    }

    /// Returns whether an event of a restored connector is missing; with `apply` it is written.
    pub async fn insert_event(
        &self,
        row: Row,
        owed: bool,
        apply: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Row(mut event) = row;
        let ends = event.get("expires_at").and_then(|ends| ends.as_n().ok()?.parse::<i64>().ok());
        if !owed && ends.is_some_and(|ends| ends <= now.seconds()) {
            return Ok(false);
        }
        // An event that its connector does not list as unpublished was published since, and nothing
        // would ever mark it.
        if !owed && !event.contains_key("published_at") {
            event.insert("published_at".into(), attribute(&now)?);
            event.insert("expires_at".into(), number(now.after(LEDGER_HORIZON).seconds()));
        }
        if !owed {
            event.remove("due_shard");
            event.remove("due_at");
        }
        let row = Row(event);
        if apply { self.insert_absent(&row).await } else { Ok(!self.lies(&row).await?) }
    }

    async fn account(&self, of: &Connector) -> Result<Option<Membership>, StoreError> {
        let row = self.get(keys::membership(&of.account)).await?;
        row.map(|row| read::<MembershipRow>(row).map(Membership::from)).transpose()
    }

    /// The connector's triggers with their hooks: those of the table `from` and later ones, each as
    /// this table has it, if it does.
    async fn triggers_then(
        &self,
        from: &DynamoStore,
        then: &Connector,
    ) -> Result<BTreeMap<TriggerId, (Trigger, Option<Item>)>, StoreError> {
        let prefix = keys::triggers_of(&then.id);
        let (before, beside, owned) = tokio::join!(
            from.query(keys::mailbox(&then.mailbox()), &prefix),
            self.query(keys::mailbox(&then.mailbox()), &prefix),
            self.triggers(&then.owner_id)
        );
        let typed =
            |rows: Vec<Item>| rows.into_iter().map(read::<Trigger>).collect::<Result<Vec<_>, _>>();
        let own = owned?.into_iter().filter(|trigger| trigger.config.connector_id == then.id);
        // Later entries win: this table counts before `from`, and what the mailbox reads counts
        // most.
        let triggers: BTreeMap<_, _> = typed(before?)?
            .into_iter()
            .chain(own)
            .chain(typed(beside?)?)
            .map(|trigger| (trigger.id.clone(), trigger))
            .collect();
        let webhooks = triggers.values().filter(|trigger| trigger.kind == TriggerType::Webhook);
        let hooks =
            from.get_all(webhooks.map(|trigger| keys::hook(&trigger.id)).collect(), None).await?;
        let mut hooks: HashMap<_, _> =
            hooks.into_iter().map(|hook| (key_of(&hook), hook)).collect();
        let with_hook = |(id, trigger): (TriggerId, Trigger)| {
            let hook = hooks.remove(&key_of(&keys::hook(&id).attributes()));
            (id, (trigger, hook))
        };
        Ok(triggers.into_iter().map(with_hook).collect())
    }

    async fn now(
        &self,
        stored: &HashMap<(String, String), Item>,
        then: &Connector,
        triggers: usize,
    ) -> Result<Now, StoreError> {
        let at = |key: Key| stored.get(&(key.pk, key.sk)).cloned();
        let connector = at(keys::connector(&then.location()))
            .map(read::<ConnectorRow>)
            .transpose()?
            .map(Connector::from);
        let leads =
            |row: PointerRow| Location { mailbox: row.mailbox, connector: row.connector_id };
        let pointer = at(keys::owned_connector(&then.owner_id, &then.id))
            .map(read::<PointerRow>)
            .transpose()?
            .map(leads);
        let slot = at(keys::slot(&then.owner_id, &then.slot))
            .map(read::<PointerRow>)
            .transpose()?
            .map(leads);
        let account = at(keys::membership(&then.account))
            .map(read::<MembershipRow>)
            .transpose()?
            .map(Membership::from);
        // A slot may point to a connector that is gone for good: it blocks nothing, but is not
        // removed here.
        Ok(Now { connector, pointer, slot: slot.map(|slot| slot.connector), account, triggers })
    }

    async fn together(
        &self,
        missing: Missing,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let Missing { connector, together, account, is_there, .. } = missing;
        let location = connector.location();
        let of_connector = key_of(&keys::connector(&location).attributes());
        let mut writes = Vec::new();
        // A wake-up that is reading its triggers just now must start over.
        if is_there {
            writes.push(raise(&location, connector.version).into_transaction(&self.table));
        }
        for mut row in together {
            if key_of(&row) == of_connector {
                self.come_to_life(&mut row, &connector, now).await?;
            }
            writes.push(put(&self.table, row, true));
        }
        if let Some((account, version)) = account {
            let row = item(
                &keys::membership(&connector.account),
                &MembershipRow::new(&account, KEPT_WHEN_EMPTY),
            )?;
            writes.push(put_over(&self.table, row, version));
        }
        Ok(writes)
    }

    /// The connector's events in this table's ledger, from `since` on.
    async fn events_since(
        &self,
        of: &ConnectorId,
        since: Timestamp,
    ) -> Result<BTreeSet<EventId>, StoreError> {
        let (mut events, mut after) = (BTreeSet::new(), None);
        loop {
            let page: Vec<Event> = self.newest(Deliveries::Of(of), after, PAGE).await?;
            let last = page.last().map(|event| (event.decided_at, event.event_id.clone()));
            events.extend(
                page.into_iter()
                    .filter(|event| event.decided_at >= since)
                    .map(|event| event.event_id),
            );
            match last {
                Some((decided_at, event)) if decided_at >= since => {
                    after = Some((decided_at, event))
                }
                _ => return Ok(events),
            }
        }
    }

    /// Makes the connector due now. Its outbox gets the events that are unpublished in this table:
    /// those in its row, and later ones from the ledger.
    async fn come_to_life(
        &self,
        row: &mut Item,
        connector: &Connector,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        row.remove("due_shard");
        row.remove("due_at");
        if connector.is_live() {
            row.insert("due_shard".into(), text(keys::connector_shard(keys::shard(&connector.id))));
            row.insert("due_at".into(), number(now.seconds()));
        }
        let mut decided =
            self.events_since(&connector.id, connector.updated_at.before(CLOCKS_APART)).await?;
        decided.extend(connector.outbox.unpublished.iter().cloned());
        let owed = self.unpublished(&decided.into_iter().collect::<Vec<_>>()).await?;
        row.remove("unpublished");
        if !owed.is_empty() {
            row.insert("unpublished".into(), event_set(&owed));
        }
        Ok(())
    }
}

fn key_of(item: &Item) -> (String, String) {
    let part = |name: &str| {
        item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
    };
    (part("pk"), part("sk"))
}

/// The keys of all rows that belong to a connector, except its events.
fn wanted(then: &Connector, triggers: &BTreeMap<TriggerId, (Trigger, Option<Item>)>) -> Vec<Key> {
    let (location, owner) = (then.location(), &then.owner_id);
    let mut keys = vec![
        keys::connector(&location),
        keys::owned_connector(owner, &then.id),
        keys::slot(owner, &then.slot),
        keys::membership(&then.account),
    ];
    for (id, (_, hook)) in triggers {
        keys.extend([keys::trigger(&location, id), keys::owned_trigger(owner, id)]);
        keys.extend(hook.is_some().then(|| keys::hook(id)));
    }
    keys
}
