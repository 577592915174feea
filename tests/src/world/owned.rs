//! What the tables hold in one owner's partition.

use email_connectors::domain::connect_session::ConnectSession;
use email_connectors::domain::id::OwnerId;
use email_connectors::ports::StoreError;

use super::tables::Tables;

impl Tables {
    pub fn rows_of(&self, owner: &str) -> usize {
        let of = |id: &OwnerId| id.as_str() == owner;
        let connectors = self.connectors.values().filter(|row| of(&row.connector.owner_id)).count();
        let triggers = self.triggers.values().filter(|(_, trigger)| of(&trigger.owner_id)).count();
        let slots = self.slots.keys().filter(|(of_owner, _)| of(of_owner)).count();
        let exchanges = self.exchanges.keys().filter(|(of_owner, _)| of(of_owner)).count();
        let consents = self.consents.keys().filter(|(of_owner, _)| of(of_owner)).count();
        let requests = self.requests.keys().filter(|(of_owner, _)| of(of_owner)).count();
        let sessions = self.sessions.keys().filter(|(of_owner, _)| of(of_owner)).count();
        connectors + triggers + slots + exchanges + consents + sessions + requests
    }

    pub fn put_session(
        &mut self,
        owner: &OwnerId,
        session: &ConnectSession,
    ) -> Result<(), StoreError> {
        let key = (owner.clone(), session.id);
        let stored = self.sessions.get(&key).map_or(0, |stored| stored.version);
        if session.version != stored + 1 {
            return Err(StoreError::Conflict);
        }
        self.sessions.insert(key, session.clone());
        Ok(())
    }

    pub fn forget_requests(&mut self, owner: &OwnerId) {
        self.exchanges.retain(|(of, _), _| of != owner);
        self.consents.retain(|(of, _), _| of != owner);
        self.sessions.retain(|(of, _), _| of != owner);
        self.requests.retain(|(of, _), _| of != owner);
    }
}
