//! Google reports that an account's access ended: its connectors are suspended before their next
//! call fails.

use std::time::Duration;

use crate::domain::claims::{Refusal, SecurityEventPolicy};
use crate::domain::id::ConnectorId;
use crate::domain::security_event::{Happened, SecurityEvent, Unreadable, concerns};
use crate::domain::timestamp::Timestamp;
use crate::flows::reauthorization::suspend;
use crate::ports::{Ports, Store, StoreError, TokenError, TokenVerifier};

/// How long the id of an event is remembered. A repetition after that changes nothing either: it is
/// older than the grant.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);

pub struct Protect<'a, P: Ports> {
    pub store: &'a P::Store,
    pub bus: &'a P::Bus,
    pub verifier: &'a P::Verifier,
    pub policy: &'a SecurityEventPolicy,
}

/// What came of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protected {
    /// These connectors wait for their users now.
    Suspended(Vec<ConnectorId>),
    /// There was nothing to do about it.
    Noted(String),
}

#[derive(Debug, thiserror::Error)]
pub enum ProtectError {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the event was seen before")]
    Repeated,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<P: Ports> Protect<'_, P> {
    pub async fn run(&self, token: &str, now: Timestamp) -> Result<Protected, ProtectError> {
        let claims = self.verifier.verify(token, now).await?;
        self.policy.admit(&claims, now)?;
        let event = SecurityEvent::read(&claims)?;
        // Acted on first, then noted: if this breaks off in between, it is acted on again, which
        // changes nothing.
        let done = self.act(&event, now).await?;
        match self.store.note_seen(&format!("RISC#{}", event.jti), now.after(REMEMBERED)).await {
            Err(StoreError::Conflict) => Err(ProtectError::Repeated),
            noted => Ok(noted.map(|()| done)?),
        }
    }

    async fn act(&self, event: &SecurityEvent, now: Timestamp) -> Result<Protected, StoreError> {
        let (account, what) = match &event.happened {
            Happened::AccessEnded { account, what } => (account, *what),
            Happened::Nothing { what } => return Ok(Protected::Noted(what.clone())),
        };
        let mut suspended = Vec::new();
        for member in self.store.membership(account).await?.members {
            if suspend(self.store, self.bus, &member, what, now, |connector| {
                concerns(connector, event)
            })
            .await?
            {
                suspended.push(member.connector);
            }
        }
        Ok(Protected::Suspended(suspended))
    }
}
