//! A grant of another system is adopted: it becomes a connector with triggers, as if its user had
//! connected here. Repeating it changes nothing, and a failure never revokes the grant, since the
//! other system still uses it.

use crate::domain::connector::{Connector, Slot, Status};
use crate::domain::email_address::EmailAddress;
use crate::domain::id::{ConnectorId, OwnerId, TriggerId, fingerprint};
use crate::domain::scopes;
use crate::domain::secret::RefreshToken;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{NewTrigger, Trigger};
use crate::domain::watch::Watch;
use crate::flows::connect::{Admitted, Connect, ConnectError};
use crate::flows::subscribe::{self, SubscribeError};
use crate::ports::{EmailProvider, Exchange, Grant, Ports, Store, StoreError};

/// How often an adoption starts over after another writer came first.
const MOST_ATTEMPTS: u32 = 3;

#[derive(Debug)]
pub struct Adoption {
    pub owner_id: OwnerId,
    pub refresh_token: RefreshToken,
    /// The address that the other system knows the mailbox by.
    pub address: Option<EmailAddress>,
    pub triggers: Vec<AdoptedTrigger>,
    /// The id of the connector, if there is none yet.
    pub new_id: ConnectorId,
}

#[derive(Debug, Clone)]
pub struct AdoptedTrigger {
    /// Its id in the other system, unique for each owner.
    pub known_as: String,
    /// Its connector id is replaced by that of the adopted connector.
    pub new: NewTrigger,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Adopted {
    pub connector_id: ConnectorId,
    pub email_address: EmailAddress,
    /// False if the connector existed: adopted before, or connected by its user.
    pub is_new: bool,
    pub watch: Watch,
    /// How many triggers were created; existing ones do not count.
    pub triggers: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    #[error("the mailbox is {0}")]
    AnotherAddress(EmailAddress),
    /// The existing connector lost its own grant.
    #[error("the connector that is there waits for its user")]
    NeedsReauth,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Subscribe(#[from] SubscribeError),
}

impl<P: Ports> Connect<P> {
    pub async fn adopt(&self, adoption: &Adoption, now: Timestamp) -> Result<Adopted, AdoptError> {
        let admitted = self.admit(adoption, now).await?;
        let mut attempt = 1;
        loop {
            let found = tokio::try_join!(
                self.store.in_slot(&admitted.owner_id, &admitted.slot),
                self.store.membership(&admitted.account)
            );
            let (existing, membership) = found.map_err(ConnectError::from)?;
            let Some(existing) = existing else {
                let triggers = triggers(adoption, &admitted.new_id, now);
                match self.create(&admitted, &triggers, &membership, now).await {
                    Err(ConnectError::Store(StoreError::Conflict)) if attempt < MOST_ATTEMPTS => {
                        attempt += 1
                    }
                    Err(refused) => return Err(refused.into()),
                    Ok((connector, events)) => {
                        let started = self.start(connector, &admitted.grant, &events, now).await;
                        return Ok(Adopted {
                            connector_id: started.connector_id,
                            email_address: started.email_address,
                            is_new: true,
                            watch: started.watch,
                            triggers: triggers.len(),
                        });
                    }
                }
                continue;
            };
            return self.keep(adoption, &admitted, existing, now).await;
        }
    }

    /// The checks before anything is written.
    async fn admit(&self, adoption: &Adoption, now: Timestamp) -> Result<Admitted, AdoptError> {
        let grant: Grant = self
            .mail_provider()
            .adopt(&adoption.refresh_token, now)
            .await
            .map_err(ConnectError::from)?;
        let missing = scopes::missing(&self.required_scopes, &grant.scopes);
        if !missing.is_empty() {
            return Err(ConnectError::MissingScopes(missing).into());
        }
        let account =
            self.identity.admit(&grant.identity, None, now).map_err(ConnectError::from)?;
        let profile =
            self.mail_provider().profile(&grant.access_token).await.map_err(ConnectError::from)?;
        if adoption.address.as_ref().is_some_and(|address| *address != profile.email_address) {
            return Err(AdoptError::AnotherAddress(profile.email_address));
        }
        Ok(Admitted {
            owner_id: adoption.owner_id.clone(),
            new_id: adoption.new_id.clone(),
            exchange: Exchange { fingerprint: fingerprint(&["adopt", account.as_str()]), at: now },
            slot: Slot::new(self.uniqueness, self.kind, &account),
            account,
            profile,
            grant,
        })
    }

    /// An existing connector stays as it is, and gets the triggers that it lacks. If an earlier
    /// adoption broke off before the watch began, the watch begins now.
    async fn keep(
        &self,
        adoption: &Adoption,
        admitted: &Admitted,
        existing: Connector,
        now: Timestamp,
    ) -> Result<Adopted, AdoptError> {
        if existing.closing.is_some() {
            return Err(ConnectError::Closing.into());
        }
        if existing.account != admitted.account {
            return Err(ConnectError::AccountMismatch.into());
        }
        if existing.reading.status == Status::NeedsReauth {
            return Err(AdoptError::NeedsReauth);
        }
        let mut made = 0;
        for trigger in triggers(adoption, &existing.id, now) {
            made += usize::from(subscribe::ensure(&self.store, &trigger).await?);
        }
        let (connector_id, email_address) = (existing.id.clone(), existing.email_address.clone());
        let watch = if existing.watch == Watch::default() {
            self.start(existing, &admitted.grant, &[], now).await.watch
        } else {
            existing.watch
        };
        Ok(Adopted { connector_id, email_address, is_new: false, watch, triggers: made })
    }
}

/// Each trigger's id is derived from its id in the other system, so that a repeated adoption finds
/// it.
fn triggers(adoption: &Adoption, connector: &ConnectorId, now: Timestamp) -> Vec<Trigger> {
    let adopted = |old: &AdoptedTrigger| {
        let mut new = old.new.clone();
        new.config.connector_id = connector.clone();
        let id = fingerprint(&[
            "adopted",
            adoption.owner_id.as_str(),
            connector.as_str(),
            &old.known_as,
        ]);
        new.into_trigger(TriggerId::from_uuid(id), adoption.owner_id.clone(), now)
    };
    adoption.triggers.iter().map(adopted).collect()
}
