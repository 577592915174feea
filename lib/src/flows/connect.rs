//! A mailbox is connected: exchange, check, seal, profile, one transaction, then watch and the first wake-up.
//! Nothing is changed before the checks pass.

use crate::domain::circuit::Circuit;
use crate::domain::claims::{IdentityPolicy, Refusal};
use crate::domain::connector::{Connector, Provider, Slot, Status, Uniqueness};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::Event;
use crate::domain::id::{ConnectorId, GoogleSub, OwnerId, fingerprint};
use crate::domain::notice;
use crate::domain::position::Position;
use crate::domain::quota::Spent;
use crate::domain::scopes;
use crate::domain::secret::AccessToken;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::domain::wake_up::{Kind, WakeUp};
use crate::domain::watch::Watch;
use crate::flows::watching::watch;
use crate::ports::{
    AuthorizationCode, EmailProvider, Exchange, Grant, ProviderError, Store, StoreError, Unavailable, Vault, VaultError, WakeUps,
};

/// How often a connect starts over after another one of the same owner came first.
const MOST_ATTEMPTS: u32 = 3;

pub struct Connect<S, V, P, W> {
    pub store: S,
    pub vault: V,
    pub provider: P,
    pub wake_ups: W,
    pub identity: IdentityPolicy,
    pub required_scopes: Vec<String>,
    pub uniqueness: Uniqueness,
}

#[derive(Debug)]
pub struct ConnectRequest {
    pub owner_id: OwnerId,
    pub code: AuthorizationCode,
    /// Tells repetitions of one request from another request: derived from state and body.
    pub fingerprint: uuid::Uuid,
    /// The id of the connector, if this turns out to be the first connect.
    pub new_id: ConnectorId,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Connected {
    pub connector_id: ConnectorId,
    pub email_address: EmailAddress,
    pub watch: Watch,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("not granted: {}", .0.join(" "))]
    MissingScopes(Vec<String>),
    #[error("Google sent no refresh token")]
    NoRefreshToken,
    #[error("another Google account is connected here")]
    AccountMismatch,
    /// The mailbox has another address, and events that wait for publication under the old one.
    #[error("events of this connector wait for publication")]
    Busy,
    #[error("the id token: {0}")]
    Identity(#[from] Refusal),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] Unavailable),
}

/// What a repeated request is known by: the same state and body.
pub fn fingerprint_of(state: &str, body: &str) -> uuid::Uuid {
    fingerprint(&["connect", state, body])
}

impl<S: Store, V: Vault, P: EmailProvider, W: WakeUps> Connect<S, V, P, W> {
    pub async fn run(&self, request: &ConnectRequest, now: Timestamp) -> Result<Connected, ConnectError> {
        let exchange = Exchange { fingerprint: request.fingerprint, at: now };
        let grant = match self.provider.exchange(&request.code, now).await {
            Ok(grant) => grant,
            // A code is good once. If this very request was answered before, that answer is the answer.
            Err(ProviderError::GrantRefused(reason)) => return self.earlier_answer(request, &exchange, reason).await,
            Err(error) => return Err(error.into()),
        };
        let google_sub = self.identity.admit(&grant.identity, now)?;
        let missing = scopes::missing(&self.required_scopes, &grant.scopes);
        if !missing.is_empty() {
            return Err(ConnectError::MissingScopes(missing));
        }
        let connector = self.store_connector(request, &exchange, &grant, google_sub, now).await?;
        self.start_watch(connector, &grant.access_token, now).await
    }

    async fn earlier_answer(&self, request: &ConnectRequest, exchange: &Exchange, reason: String) -> Result<Connected, ConnectError> {
        if let Some(id) = self.store.exchanged(&request.owner_id, exchange).await?
            && let Some(connector) = self.store.connector(&request.owner_id, &id).await?
        {
            return Ok(Connected { connector_id: connector.id, email_address: connector.email_address, watch: connector.watch });
        }
        Err(ProviderError::GrantRefused(reason).into())
    }

    /// Creates the connector or renews its grant; a race between two connects of one owner ends with one connector.
    async fn store_connector(
        &self,
        request: &ConnectRequest,
        exchange: &Exchange,
        grant: &Grant,
        google_sub: GoogleSub,
        now: Timestamp,
    ) -> Result<Connector, ConnectError> {
        let slot = Slot::new(self.uniqueness, Provider::Gmail, &google_sub);
        let mut attempt = 1;
        loop {
            let stored = match self.store.in_slot(&request.owner_id, &slot).await? {
                Some(held) => self.reconnect(held, exchange, grant, &google_sub, now).await,
                None => self.create(request, &slot, exchange, grant, &google_sub, now).await,
            };
            match stored {
                Err(ConnectError::Store(StoreError::Conflict)) if attempt < MOST_ATTEMPTS => attempt += 1,
                ended => return ended,
            }
        }
    }

    async fn create(
        &self,
        request: &ConnectRequest,
        slot: &Slot,
        exchange: &Exchange,
        grant: &Grant,
        google_sub: &GoogleSub,
        now: Timestamp,
    ) -> Result<Connector, ConnectError> {
        let refresh_token = grant.refresh_token.as_ref().ok_or(ConnectError::NoRefreshToken)?;
        // The first cursor is the profile's, read before the first watch: what a watch answers would skip what lies between.
        let (sealed, profile) =
            tokio::join!(self.vault.seal_refresh_token(refresh_token, &request.new_id), self.provider.profile(&grant.access_token));
        let profile = profile?;
        let connector = Connector {
            id: request.new_id.clone(),
            owner_id: request.owner_id.clone(),
            provider: Provider::Gmail,
            slot: slot.clone(),
            email_address: profile.email_address,
            google_sub: google_sub.clone(),
            status: Status::Active,
            granted_scopes: grant.scopes.clone(),
            version: 1,
            generation: 1,
            position: Position::at(profile.history_id),
            watch: Watch::default(),
            verified_at: None,
            lapse_told: None,
            flushed_at: None,
            checked_at: None,
            circuit: Circuit::default(),
            spent: Spent::default(),
            pauses: Vec::new(),
            refresh_token: sealed?,
            access_token: None,
            unpublished: Default::default(),
            last_event_at: None,
            last_error: None,
            connected_at: now,
            created_at: now,
            updated_at: now,
        };
        self.store.create_connector(&connector, exchange).await?;
        Ok(connector)
    }

    /// The same account again: a new generation of the same connector, with its cursor, its triggers and, if Google sent
    /// none, its refresh token.
    async fn reconnect(
        &self,
        held: Connector,
        exchange: &Exchange,
        grant: &Grant,
        google_sub: &GoogleSub,
        now: Timestamp,
    ) -> Result<Connector, ConnectError> {
        if held.google_sub != *google_sub {
            return Err(ConnectError::AccountMismatch);
        }
        if grant.refresh_token.is_none() && held.status == Status::NeedsReauth {
            // The stored token is the one that Google refused.
            return Err(ConnectError::NoRefreshToken);
        }
        let seal = async {
            match &grant.refresh_token {
                Some(token) => self.vault.seal_refresh_token(token, &held.id).await,
                None => Ok(held.refresh_token.clone()),
            }
        };
        let (sealed, profile) = tokio::join!(seal, self.provider.profile(&grant.access_token));
        let held = self.at_its_address(held, profile?.email_address, now).await?;
        let version = held.version;
        let recovers = held.status == Status::NeedsReauth;
        let connector = Connector {
            status: Status::Active,
            granted_scopes: grant.scopes.clone(),
            version: version + 1,
            generation: held.generation + 1,
            refresh_token: sealed?,
            access_token: None,
            last_error: None,
            updated_at: now,
            ..held
        };
        let events: Vec<Event> = recovers.then(|| notice::recovered(&connector, now)).into_iter().collect();
        self.store.reconnect(&connector, version, exchange, &events).await?;
        Ok(connector)
    }

    /// A mailbox that was renamed is found under its new address from now on.
    async fn at_its_address(&self, held: Connector, address: EmailAddress, now: Timestamp) -> Result<Connector, ConnectError> {
        if held.email_address == address {
            return Ok(held);
        }
        if !held.unpublished.is_empty() {
            return Err(ConnectError::Busy);
        }
        let triggers = self.store.triggers(&held.owner_id).await?.into_iter();
        let triggers: Vec<Trigger> = triggers.filter(|trigger| trigger.config.connector_id == held.id).collect();
        self.store.rename(&held, &triggers, &address, now).await?;
        Ok(Connector { email_address: address, version: held.version + 1, ..held })
    }

    /// The watch's outcome is told as it is: a failed one leaves a connector whose watch the renewer tries again.
    async fn start_watch(&self, connector: Connector, access: &AccessToken, now: Timestamp) -> Result<Connected, ConnectError> {
        let watch = match watch(&self.provider, access).await {
            Ok(expiration) => connector.watch.renewed(expiration, now),
            Err(error) => connector.watch.failed(error.to_string(), now),
        };
        let location = connector.location();
        let kick = WakeUp::own(Kind::Kick, connector.email_address.clone(), now);
        let (recorded, kicked) =
            tokio::join!(self.store.record_watch(&location, connector.generation, &watch), self.wake_ups.send(&kick, None),);
        match recorded {
            // A connect that came after this one records its own watch.
            Err(StoreError::Conflict) => {}
            recorded => recorded?,
        }
        kicked?;
        Ok(Connected { connector_id: connector.id, email_address: connector.email_address, watch })
    }
}
