//! Rows beside the connectors' own: the membership of an account, how a member leaves it, and
//! pending consents.

use std::time::Duration;

use email_connectors::domain::connector::{Closing, Connector, Location};
use email_connectors::domain::event::Event;
use email_connectors::domain::id::{AccountId, OwnerId};
use email_connectors::domain::membership::Membership;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{CONSENT_LIFE, PendingConsent, StoreError};
use uuid::Uuid;

use super::tables::{Tables, ids};

/// How long after its begin an unfinished closing is due for the renewer.
const CLOSE_AGAIN_AFTER: Duration = Duration::from_secs(60);

impl Tables {
    pub fn membership(&self, account: &AccountId) -> Membership {
        self.memberships.get(account).cloned().unwrap_or_default()
    }

    /// A Conflict unless the membership has the next version of the stored one.
    pub(super) fn is_next(
        &self,
        account: &AccountId,
        membership: &Membership,
    ) -> Result<(), StoreError> {
        let is_next = membership.version == self.membership(account).version + 1;
        is_next.then_some(()).ok_or(StoreError::Conflict)
    }

    pub fn put_membership(
        &mut self,
        account: &AccountId,
        membership: &Membership,
    ) -> Result<(), StoreError> {
        self.is_next(account, membership)?;
        self.memberships.insert(account.clone(), membership.clone());
        Ok(())
    }

    pub fn begin_closing(
        &mut self,
        before: &Connector,
        closing: &Closing,
        membership: &Membership,
        events: &[Event],
    ) -> Result<(), StoreError> {
        self.are_new(events)?;
        self.is_next(&before.account, membership)?;
        let row = self.at_version(&before.location(), before.version)?;
        row.connector.version += 1;
        row.connector.closing = Some(closing.clone());
        row.connector.updated_at = closing.since;
        row.connector.outbox.unpublished.extend(ids(events));
        row.next_sweep = Some(closing.since.after(CLOSE_AGAIN_AFTER));
        self.decide(&before.location(), events);
        self.memberships.insert(before.account.clone(), membership.clone());
        Ok(())
    }

    pub fn record_closing(
        &mut self,
        location: &Location,
        closing: &Closing,
    ) -> Result<(), StoreError> {
        let row = self.connectors.get_mut(location).ok_or(StoreError::Conflict)?;
        let stored = row.connector.closing.as_mut().ok_or(StoreError::Conflict)?;
        stored.watch_stopped = closing.watch_stopped.or(stored.watch_stopped);
        stored.grant_revoked = closing.grant_revoked.or(stored.grant_revoked);
        Ok(())
    }

    pub fn take_consent(
        &mut self,
        owner: &OwnerId,
        state: Uuid,
        now: Timestamp,
    ) -> Option<PendingConsent> {
        let consent = self.consents.remove(&(owner.clone(), state))?;
        (consent.asked_at.after(CONSENT_LIFE) > now).then_some(consent)
    }
}
