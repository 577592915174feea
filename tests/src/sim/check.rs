//! The invariants: of cursors after every step, of events at the end of a run.

use std::collections::{BTreeMap, BTreeSet};

use email_connectors::domain::event::DetailType;
use email_connectors::domain::id::EventId;

use super::Sim;
use crate::world::Account;
/// The invariants that every run is checked for.
pub const INVARIANTS: [&str; 9] = [
    "every matching message since the connect is decided exactly once",
    "what was decided is published, and nothing else",
    "a repeat is byte-identical, and comes only where an outcome was unknown",
    "a cursor never falls, and is only set to a history id of a listing, a connect or a pin",
    "an acknowledged push lies in the queue",
    "no token serves another connector or account",
    "who is connected has a living grant, and who left last took it along",
    "calls and quota units of a wake-up stay within the model",
    "everything comes to rest by itself",
];

impl Sim {
    pub(super) fn check_cursors(&mut self) {
        for account in self.world.accounts() {
            for connector in self.world.store().connectors_at(&account.key()) {
                let cursor = connector.reading.position.cursor;
                let stood = self.cursors.insert(connector.id.clone(), cursor).unwrap_or(cursor);
                if cursor < stood {
                    self.violate(format!("the cursor fell from {stood} to {cursor}"));
                }
                if connector.reading.position.settled > cursor {
                    self.violate(format!(
                        "settled at {} beyond the cursor {cursor}",
                        connector.reading.position.settled
                    ));
                }
                let pinned =
                    connector.reading.position.gap.as_ref().is_some_and(|gap| gap.pinned == cursor);
                if pinned && account.profile_history_ids().contains(&cursor) {
                    self.begun.insert(connector.id.clone(), cursor);
                }
                let listed = account.page_history_ids().contains(&cursor)
                    || self.begun.get(&connector.id) == Some(&cursor);
                if !listed && !pinned {
                    // A connect whose answer was lost still sets the first cursor.
                    if account.profile_history_ids().contains(&cursor)
                        && connector.reading.position.listed_at.is_none()
                    {
                        self.begun.insert(connector.id.clone(), cursor);
                    } else {
                        self.violate(format!(
                            "the cursor {cursor} is not the history id of any listing"
                        ));
                    }
                }
            }
        }
    }

    /// The first violation, if there is one.
    pub fn verdict(&mut self) -> Result<(), String> {
        if let Some(violation) = self.violations.first() {
            return Err(violation.clone());
        }
        self.check_decided()?;
        self.check_published()?;
        self.check_expected()?;
        self.check_grants()?;
        self.check_costs()
    }

    fn check_decided(&self) -> Result<(), String> {
        let ledger = self.world.store().ledger();
        let fired: BTreeSet<&EventId> = ledger
            .iter()
            .filter(|event| event.detail_type == DetailType::TriggerFired)
            .map(|event| &event.event_id)
            .collect();
        let lost: Vec<_> = self
            .owed
            .iter()
            .filter(|(event, _)| !fired.contains(event))
            .map(|(_, of)| of)
            .collect();
        let decided =
            ledger.iter().filter(|event| event.detail_type == DetailType::TriggerFired).count();
        if decided > fired.len() {
            return Err(format!(
                "{} firings were decided again once the ledger had forgotten them",
                decided - fired.len()
            ));
        }
        let unexpected: Vec<&&EventId> = fired
            .iter()
            .filter(|event| !self.owed.contains_key(**event) && !self.allowed.contains(**event))
            .collect();
        if let Some((message, trigger)) = lost.first() {
            let (count, owed) = (lost.len(), self.owed.len());
            return Err(format!(
                "lost: {count} of {owed} owed firings were never decided, the first of {message} for {trigger}"
            ));
        }
        if let Some(event) = unexpected.first() {
            let of = ledger
                .iter()
                .find(|known| known.event_id == ***event)
                .map(|known| (&known.message_id, &known.trigger_id));
            return Err(format!(
                "{} firings that no trigger should have decided, the first: {of:?}",
                unexpected.len()
            ));
        }
        Ok(())
    }

    fn check_published(&self) -> Result<(), String> {
        let decided: BTreeMap<EventId, String> = self
            .world
            .store()
            .ledger()
            .into_iter()
            .map(|event| (event.event_id, event.detail))
            .collect();
        let mut published: BTreeMap<EventId, (String, usize)> = BTreeMap::new();
        for event in self.stage.published() {
            let entry = published
                .entry(event.event_id.clone())
                .or_insert_with(|| (event.detail.clone(), 0));
            entry.1 += 1;
            if entry.0 != event.detail {
                return Err("a repeat came in other bytes".into());
            }
        }
        let bytes = published
            .iter()
            .map(|(event, (detail, _))| (event.clone(), detail.clone()))
            .collect::<BTreeMap<_, _>>();
        if bytes != decided {
            return Err(format!(
                "{} events are published and {} decided",
                bytes.len(),
                decided.len()
            ));
        }
        let excused = self.world.excused();
        let repeats = published
            .iter()
            .filter(|(event, (_, times))| *times > 1 && !excused.contains(event))
            .count();
        if repeats > 0 {
            return Err(format!("{repeats} events were published twice, and nothing excuses it"));
        }
        if self.dead_letters > 0 && self.world.struck().len() < 10 {
            return Err(format!("{} wake-ups became dead letters", self.dead_letters));
        }
        Ok(())
    }

    fn check_expected(&self) -> Result<(), String> {
        let ledger = self.world.store().ledger();
        let count_of = |detail_type: &str| {
            ledger.iter().filter(|event| event.detail_type.as_str() == detail_type).count()
        };
        if let Some(detail_type) =
            self.forbidden.iter().find(|detail_type| count_of(detail_type) > 0)
        {
            return Err(format!(
                "{} events {detail_type}, but none is allowed",
                count_of(detail_type)
            ));
        }
        let other =
            self.expected.iter().find(|(detail_type, count)| count_of(detail_type) != *count);
        match other.filter(|_| self.world.struck().is_empty()) {
            Some((detail_type, count)) => {
                Err(format!("{} events {detail_type}, and not {count}", count_of(detail_type)))
            }
            None => Ok(()),
        }
    }

    fn check_grants(&self) -> Result<(), String> {
        for account in self.world.accounts() {
            let live = self
                .world
                .store()
                .connectors_at(&account.key())
                .into_iter()
                .find(|connector| connector.is_live());
            if let Some(connector) =
                live.filter(|_| !account.is_granted() && !account.was_taken_back())
            {
                return Err(format!(
                    "{} of {} is active and its grant is dead",
                    connector.id, connector.owner_id
                ));
            }
        }
        Ok(())
    }

    /// No connector of the account may be left, and neither its watch nor its grant.
    pub fn expect_left(&mut self, account: &Account) {
        if !self.world.store().connectors_at(&account.key()).is_empty() {
            self.violate("a connector is still there");
        }
        if account.is_granted() || account.watched_until().is_some() {
            self.violate("everybody left, and watch or grant is still there");
        }
    }

    /// The one subscription that lives is the recorded one.
    pub fn expect_watched(&mut self, account: &Account) {
        let connectors = self.world.store().connectors_at(&account.key());
        let known: Vec<String> =
            connectors.into_iter().filter_map(|connector| connector.watch.id).collect();
        let living = account.subscription_ids();
        // What a crash left behind may live on beside it.
        let is_well = match self.world.struck().is_empty() {
            true => living == known,
            false => !known.is_empty() && known.iter().all(|id| living.contains(id)),
        };
        if !is_well {
            self.violate(format!("{living:?} live, and {known:?} is recorded"));
        }
    }

    /// Nobody is left who would end a subscription, so none may be.
    pub fn expect_unwatched(&mut self, account: &Account) {
        let living = account.subscription_ids();
        if !living.is_empty() && self.world.struck().is_empty() {
            self.violate(format!("everybody left, and {living:?} live"));
        }
    }

    /// Calls and quota units are bounded by the number of messages and connectors.
    fn check_costs(&self) -> Result<(), String> {
        for cost in &self.costs {
            // A gap of weeks is listed day by day.
            let (calls, units) = (
                40 + 10 * cost.connectors * (cost.mailbox + 8),
                cost.connectors as u64 * (400 + 45 * cost.mailbox as u64),
            );
            if cost.calls > calls || cost.units > units {
                return Err(format!(
                    "a wake-up took {} calls and {} units with {} messages there",
                    cost.calls, cost.units, cost.mailbox
                ));
            }
        }
        Ok(())
    }
}
