//! What a test sees of the stored rows; none of it is logged as a call.

use std::time::Duration;

use email_connectors::domain::connector::{Connector, Location};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::event::Event;
use email_connectors::domain::id::{AccountId, ConnectorId};
use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::Trigger;

use super::MemoryStore;

impl MemoryStore {
    /// Every event that was ever decided, forgotten ones included.
    pub fn ledger(&self) -> Vec<Event> {
        let state = self.0.lock();
        state
            .tables
            .forgotten
            .values()
            .chain(state.tables.ledger.values())
            .map(|entry| entry.event.clone())
            .collect()
    }

    /// The connector as it is stored.
    pub fn look(&self, id: &ConnectorId) -> Option<Connector> {
        let state = self.0.lock();
        state
            .tables
            .connectors
            .values()
            .map(|row| &row.connector)
            .find(|connector| connector.id == *id)
            .cloned()
    }

    /// The connectors of a mailbox, as they are stored.
    pub fn connectors_of(&self, mailbox: &EmailAddress) -> Vec<Connector> {
        self.connectors_at(&mailbox.into())
    }

    /// As `connectors_of`, by the mailbox's key.
    pub fn connectors_at(&self, mailbox: &MailboxKey) -> Vec<Connector> {
        let state = self.0.lock();
        state
            .tables
            .connectors
            .iter()
            .filter(|(at, _)| at.mailbox == *mailbox)
            .map(|(_, row)| row.connector.clone())
            .collect()
    }

    pub fn all_triggers(&self) -> Vec<Trigger> {
        self.0.lock().tables.triggers.values().map(|(_, trigger)| trigger.clone()).collect()
    }

    /// The triggers of the account's connectors that are not closing.
    pub fn triggers_of(&self, account: &AccountId) -> Vec<Trigger> {
        let state = self.0.lock();
        let is_of =
            |connector: &Connector| connector.account == *account && connector.closing.is_none();
        let of_account = |at: &Location| {
            state.tables.connectors.get(at).is_some_and(|row| is_of(&row.connector))
        };
        state
            .tables
            .triggers
            .values()
            .filter(|(at, _)| of_account(at))
            .map(|(_, trigger)| trigger.clone())
            .collect()
    }

    /// Pending work: mailboxes to read, closings to finish, events to publish.
    pub fn owing(&self, settle: Duration) -> Vec<String> {
        let state = self.0.lock();
        let mut owing = Vec::new();
        for row in state.tables.connectors.values() {
            let connector = &row.connector;
            let look_at = connector.look_at(settle).filter(|_| connector.is_live());
            owing.extend(
                look_at.map(|at| format!("a look at {at}: {:?}", connector.reading.position)),
            );
            owing.extend(connector.closing.as_ref().map(|closing| format!("an end: {closing:?}")));
            owing.extend(
                (!connector.outbox.unpublished.is_empty())
                    .then(|| format!("{} events", connector.outbox.unpublished.len())),
            );
        }
        owing
    }

    /// When the renewer comes to a connector again.
    pub fn next_sweep(&self, location: &Location) -> Option<Timestamp> {
        self.0.lock().tables.connectors.get(location)?.next_sweep
    }

    /// When the renewer has something to look at next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.0.lock().tables.next_due()
    }
}
