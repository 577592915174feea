//! What a run expects in the end: the firings that must be decided, those that may be, and the
//! number of other events.

use std::collections::BTreeSet;

use email_connectors::domain::id::{EventId, MessageId, TriggerId};
use email_connectors::domain::trigger::Trigger;

use super::Sim;
use crate::world::{Account, Delivered, Mail};

impl Sim {
    /// The triggers without filters of the account, as of now.
    pub(super) fn for_all_mail(&self, account: &Account) -> Vec<Trigger> {
        let triggers = self.world.store().triggers_of(&account.sub);
        triggers
            .into_iter()
            .filter(|trigger| trigger.config.filters == Default::default())
            .collect()
    }

    fn events(
        &self,
        account: &Account,
        message: &MessageId,
        triggers: &[Trigger],
    ) -> Vec<(EventId, (MessageId, TriggerId))> {
        let event = |trigger: &Trigger| {
            (
                EventId::derive(&account.sub, &account.identity(message), &trigger.id),
                (message.clone(), trigger.id.clone()),
            )
        };
        triggers.iter().map(event).collect()
    }

    /// Delivers mail that must fire every trigger without filters.
    pub fn deliver(&mut self, account: &Account, mail: Mail) -> Delivered {
        let delivered = account.deliver(mail);
        self.owe(account, &delivered.message);
        delivered
    }

    /// Delivers `count` such mails to Ada's mailbox.
    pub fn mail(&mut self, count: usize) {
        let ada = self.ada.clone();
        for _ in 0..count {
            self.deliver(&ada, Mail::new("Some mail"));
        }
    }

    pub fn owe(&mut self, account: &Account, message: &MessageId) {
        let events = self.events(account, message, &self.for_all_mail(account));
        self.owe_events(events);
    }

    fn owe_events(&mut self, events: Vec<(EventId, (MessageId, TriggerId))>) {
        for (event, of) in events {
            if self.owed.get(&event).is_some_and(|other| *other != of) {
                self.violate(format!("{} and another message are one for the ledger", of.0));
            }
            self.owed.insert(event, of);
        }
    }

    /// Each message so far must fire every trigger that is not younger than it.
    pub fn owe_all(&mut self, account: &Account) {
        for message in account.messages() {
            self.owe_by_date(account, &message);
        }
    }

    /// The message must fire every trigger that is not younger than it.
    pub fn owe_by_date(&mut self, account: &Account, message: &MessageId) {
        let Some((_, arrived)) =
            account.arrivals().into_iter().find(|(arrival, _)| arrival == message)
        else {
            return;
        };
        let mut triggers = self.for_all_mail(account);
        triggers.retain(|trigger| trigger.created_at.seconds() <= arrived.seconds());
        let events = self.events(account, message, &triggers);
        self.owe_events(events);
    }

    /// Expects `count` events of the type in the end, unless a fault struck.
    pub fn expect_events(&mut self, detail_type: &'static str, count: usize) {
        self.expected.push((detail_type, count));
    }

    /// Expects no event of this type, even under faults.
    pub fn never(&mut self, detail_type: &'static str) {
        self.forbidden.push(detail_type);
    }

    /// Expects `count` of Ada's messages to be set aside now.
    pub fn expect_parked(&mut self, count: usize) {
        let parked: usize = self
            .world
            .store()
            .connectors_at(&self.ada.key())
            .iter()
            .map(|connector| connector.reading.position.parked.len())
            .sum();
        if parked != count && (self.plan.is_empty() || count == 0) {
            self.violate(format!("{parked} messages are set aside, and not {count}"));
        }
    }

    pub fn owe_to(&mut self, account: &Account, message: &MessageId, trigger: &TriggerId) {
        self.owed.insert(
            EventId::derive(&account.sub, &account.identity(message), trigger),
            (message.clone(), trigger.clone()),
        );
    }

    /// The message may fire the triggers without filters, but need not.
    pub fn allow(&mut self, account: &Account, message: &MessageId) {
        let events = self.events(account, message, &self.for_all_mail(account));
        self.allowed.extend(events.into_iter().map(|(event, _)| event));
    }

    /// What the message has not fired yet it need not fire any more: it was thrown away, say.
    pub fn pardon(&mut self, account: &Account, message: &MessageId) {
        let triggers = self.world.store().triggers_of(&account.sub);
        let decided: BTreeSet<EventId> =
            self.world.store().ledger().into_iter().map(|event| event.event_id).collect();
        for (event, _) in self.events(account, message, &triggers) {
            if !decided.contains(&event) && self.owed.remove(&event).is_some() {
                self.allowed.insert(event);
            }
        }
    }

    /// Undecided firings of these triggers become optional.
    pub(super) fn forgive(&mut self, which: impl Fn(&Trigger) -> bool) {
        let triggers: Vec<Trigger> = self
            .world
            .store()
            .all_triggers()
            .into_iter()
            .filter(|trigger| which(trigger))
            .collect();
        let decided: BTreeSet<EventId> =
            self.world.store().ledger().into_iter().map(|event| event.event_id).collect();
        for account in self.world.accounts() {
            for message in account.messages() {
                for (event, _) in self.events(&account, &message, &triggers) {
                    if !decided.contains(&event) && self.owed.remove(&event).is_some() {
                        self.allowed.insert(event);
                    }
                }
            }
        }
    }
}
