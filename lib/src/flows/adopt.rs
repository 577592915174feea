//! A grant that another system held is adopted: a connector with its triggers comes of it, as if its user had connected here.
//! Doing it again changes nothing, and whatever fails, the grant stays as it is: the other system lives by it.

use crate::domain::connector::{Connector, Provider, Slot, Status};
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
    /// What the other system knows it by, among its owner's.
    pub known_as: String,
    /// Its connector is whichever comes of the adoption.
    pub new: NewTrigger,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Adopted {
    pub connector_id: ConnectorId,
    pub email_address: EmailAddress,
    /// Or it was there: adopted before, or connected by its user.
    pub is_new: bool,
    pub watch: Watch,
    /// How many triggers were made; those that were there do not count.
    pub triggers: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    #[error("the mailbox is {0}")]
    AnotherAddress(EmailAddress),
    /// The connector that is there lost its own grant.
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
            let found =
                tokio::try_join!(self.store.in_slot(&admitted.owner_id, &admitted.slot), self.store.membership(&admitted.google_sub));
            let (held, membership) = found.map_err(ConnectError::from)?;
            let Some(held) = held else {
                let triggers = triggers(adoption, &admitted.new_id, now);
                match self.create(&admitted, &triggers, &membership, now).await {
                    Err(ConnectError::Store(StoreError::Conflict)) if attempt < MOST_ATTEMPTS => attempt += 1,
                    Err(refused) => return Err(refused.into()),
                    Ok((connector, told)) => {
                        let started = self.start(connector, &admitted.grant, &told, now).await?;
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
            return self.keep(adoption, &admitted, held, now).await;
        }
    }

    /// What is asked before anything is done.
    async fn admit(&self, adoption: &Adoption, now: Timestamp) -> Result<Admitted, AdoptError> {
        let grant: Grant = self.provider.adopt(&adoption.refresh_token, now).await.map_err(ConnectError::from)?;
        let missing = scopes::missing(&self.required_scopes, &grant.scopes);
        if !missing.is_empty() {
            return Err(ConnectError::MissingScopes(missing).into());
        }
        let google_sub = self.identity.admit(&grant.identity, None, now).map_err(ConnectError::from)?;
        let profile = self.provider.profile(&grant.access_token).await.map_err(ConnectError::from)?;
        if adoption.address.as_ref().is_some_and(|address| *address != profile.email_address) {
            return Err(AdoptError::AnotherAddress(profile.email_address));
        }
        Ok(Admitted {
            owner_id: adoption.owner_id.clone(),
            new_id: adoption.new_id.clone(),
            exchange: Exchange { fingerprint: fingerprint(&["adopt", google_sub.as_str()]), at: now },
            slot: Slot::new(self.uniqueness, Provider::Gmail, &google_sub),
            google_sub,
            profile,
            grant,
        })
    }

    /// The connector that is there stays as it is, and gets the triggers that it lacks. What broke off before its watch began is
    /// gone on with.
    async fn keep(&self, adoption: &Adoption, admitted: &Admitted, held: Connector, now: Timestamp) -> Result<Adopted, AdoptError> {
        if held.closing.is_some() {
            return Err(ConnectError::Closing.into());
        }
        if held.google_sub != admitted.google_sub {
            return Err(ConnectError::AccountMismatch.into());
        }
        if held.reading.status == Status::NeedsReauth {
            return Err(AdoptError::NeedsReauth);
        }
        let mut made = 0;
        for trigger in triggers(adoption, &held.id, now) {
            made += usize::from(subscribe::ensure(&self.store, &trigger).await?);
        }
        let (connector_id, email_address) = (held.id.clone(), held.email_address.clone());
        let watch = if held.watch == Watch::default() { self.start(held, &admitted.grant, &[], now).await?.watch } else { held.watch };
        Ok(Adopted { connector_id, email_address, is_new: false, watch, triggers: made })
    }
}

/// Each under an id that follows from what it was, so that making it again finds it.
fn triggers(adoption: &Adoption, connector: &ConnectorId, now: Timestamp) -> Vec<Trigger> {
    let adopted = |old: &AdoptedTrigger| {
        let mut new = old.new.clone();
        new.config.connector_id = connector.clone();
        let id = fingerprint(&["adopted", adoption.owner_id.as_str(), connector.as_str(), &old.known_as]);
        new.into_trigger(TriggerId::from_uuid(id), adoption.owner_id.clone(), now)
    };
    adoption.triggers.iter().map(adopted).collect()
}
