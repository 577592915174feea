//! A mailbox is connected: exchange, check, seal, one transaction, then watch and the first wake-up. Nothing is changed before
//! the checks pass.

mod joining;

use std::time::Duration;

use crate::domain::claims::{IdentityPolicy, Refusal};
use crate::domain::connector::{Connector, Provider, Slot, Status, StoredGrant, Uniqueness};
use crate::domain::consent::{nonce_of, state_id};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::Event;
use crate::domain::id::{ConnectorId, GoogleSub, OwnerId, fingerprint};
use crate::domain::membership::Membership;
use crate::domain::notice;
use crate::domain::scopes;
use crate::domain::timestamp::Timestamp;
use crate::domain::watch::Watch;
use crate::flows::access::{Access, Refreshes};
use crate::flows::disconnect::{Disconnect, DisconnectError};
use crate::flows::watching::rename;
use crate::ports::{
    AuthorizationCode, EmailProvider, Exchange, Grant, PendingConsent, Ports, ProviderError, Store, StoreError, Unavailable, Vault,
    VaultError,
};

/// How often a connect starts over after another one of the same owner or account came first.
const MOST_ATTEMPTS: u32 = 3;
/// By when a revocation has landed that was begun now.
const REVOKING: Duration = Duration::from_secs(30);

pub(super) use self::joining::Admitted;

pub struct Connect<P: Ports> {
    pub store: P::Store,
    pub vault: P::Vault,
    pub provider: P::Provider,
    pub wake_ups: P::WakeUps,
    pub bus: P::Bus,
    pub identity: IdentityPolicy,
    pub required_scopes: Vec<String>,
    pub uniqueness: Uniqueness,
}

#[derive(Debug)]
pub struct ConnectRequest {
    pub owner_id: OwnerId,
    pub code: AuthorizationCode,
    /// Of the redirect flow: the state that came back, which must be one that this owner was sent away with.
    pub state: Option<String>,
    /// Tells repetitions of one request from another request: derived from state and body.
    pub fingerprint: uuid::Uuid,
    /// Whether a connector of another account makes way.
    pub replace: bool,
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
    /// Not asked for here by this owner, too long ago, or used already.
    #[error("the state is not one that this owner was sent away with")]
    UnknownState,
    #[error("not granted: {}", .0.join(" "))]
    MissingScopes(Vec<String>),
    #[error("Google sent no refresh token")]
    NoRefreshToken,
    #[error("another Google account is connected here")]
    AccountMismatch,
    /// The account's grant is being revoked, or was a moment ago and took this one with it.
    #[error("the mailbox is being disconnected")]
    Closing,
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

impl<P: Ports> Connect<P> {
    pub async fn run(&self, request: &ConnectRequest, now: Timestamp) -> Result<Connected, ConnectError> {
        let exchange = Exchange { fingerprint: request.fingerprint, at: now };
        let Some((code, consent)) = self.code(request, now).await? else {
            return self.earlier_answer(request, &exchange).await?.ok_or(ConnectError::UnknownState);
        };
        let grant = match self.provider.exchange(&code, now).await {
            Ok(grant) => grant,
            // A code is good once. If this very request was answered before, that answer is the answer.
            Err(refused @ ProviderError::GrantRefused(_)) => {
                return self.earlier_answer(request, &exchange).await?.ok_or(refused.into());
            }
            Err(error) => {
                // Nobody knows whether the code is used up: the same request may be sent again.
                if let Some(consent) = consent {
                    self.store.keep_consent(&request.owner_id, &consent).await?;
                }
                return Err(error.into());
            }
        };
        let nonce = request.state.as_deref().map(nonce_of);
        let google_sub = self.identity.admit(&grant.identity, nonce.as_deref(), now)?;
        let missing = scopes::missing(&self.required_scopes, &grant.scopes);
        if !missing.is_empty() {
            self.release_grant(&grant, &google_sub, now).await;
            return Err(ConnectError::MissingScopes(missing));
        }
        match self.store_connector(request, exchange, &grant, &google_sub, now).await {
            Ok((connector, told)) => self.start(connector, &grant, &told, now).await,
            Err(refused) => {
                self.release_grant(&grant, &google_sub, now).await;
                Err(refused)
            }
        }
    }

    /// The code with what it must be exchanged with, and the consent that was used up for it; none if its state is used up, or
    /// was never given to this owner.
    async fn code(
        &self,
        request: &ConnectRequest,
        now: Timestamp,
    ) -> Result<Option<(AuthorizationCode, Option<PendingConsent>)>, StoreError> {
        let code = request.code.clone();
        let Some(state) = &request.state else { return Ok(Some((code, None))) };
        let Some(consent) = self.store.take_consent(&request.owner_id, state_id(state), now).await? else { return Ok(None) };
        let code_verifier = code.code_verifier.or_else(|| Some(consent.code_verifier.clone()));
        Ok(Some((AuthorizationCode { code_verifier, ..code }, Some(consent))))
    }

    async fn earlier_answer(&self, request: &ConnectRequest, exchange: &Exchange) -> Result<Option<Connected>, StoreError> {
        let Some(id) = self.store.exchanged(&request.owner_id, exchange).await? else { return Ok(None) };
        let connector = self.store.connector(&request.owner_id, &id).await?.filter(|held| held.closing.is_none());
        Ok(connector.map(|held| Connected { connector_id: held.id, email_address: held.email_address, watch: held.watch }))
    }

    /// Creates the connector or renews its grant; a race between two connects of one owner ends with one connector. Answers
    /// what is to be told of it.
    async fn store_connector(
        &self,
        request: &ConnectRequest,
        exchange: Exchange,
        grant: &Grant,
        google_sub: &GoogleSub,
        now: Timestamp,
    ) -> Result<(Connector, Vec<Event>), ConnectError> {
        let slot = Slot::new(self.uniqueness, Provider::Gmail, google_sub);
        // The first cursor is the profile's, read before the first watch: what a watch answers would skip what lies between.
        let read = async || tokio::try_join!(self.store.in_slot(&request.owner_id, &slot), self.store.membership(google_sub));
        let (profile, mut found) = tokio::join!(self.provider.profile(&grant.access_token), read());
        let admitted = Admitted {
            owner_id: request.owner_id.clone(),
            new_id: request.new_id.clone(),
            exchange,
            grant: grant.clone(),
            google_sub: google_sub.clone(),
            profile: profile?,
            slot: slot.clone(),
        };
        let mut attempt = 1;
        loop {
            let (held, membership) = found?;
            let stored = match held {
                None => self.create(&admitted, &[], &membership, now).await,
                Some(held) if held.closing.is_some() => Err(ConnectError::Closing),
                Some(held) if held.google_sub != *google_sub => self.free_slot(&admitted, &held, request.replace, &membership, now).await,
                Some(held) => self.reconnect(&admitted, held, now).await,
            };
            match stored {
                Err(ConnectError::Store(StoreError::Conflict)) if attempt < MOST_ATTEMPTS => attempt += 1,
                ended => return ended,
            }
            found = read().await;
        }
    }

    /// The same account again: a new generation of the same connector, with its cursor, its triggers and, if Google sent
    /// none, its refresh token.
    async fn reconnect(&self, admitted: &Admitted, held: Connector, now: Timestamp) -> Result<(Connector, Vec<Event>), ConnectError> {
        let Admitted { exchange, grant, profile, .. } = admitted;
        let sealed = match &grant.refresh_token {
            Some(token) => self.vault.seal_refresh_token(token, &held.id).await?,
            // The stored token is the one that Google refused.
            None if held.reading.status == Status::NeedsReauth => return Err(ConnectError::NoRefreshToken),
            None => held.grant.refresh_token.clone(),
        };
        let held = self.at_its_address(held, &profile.email_address, now).await?;
        let recovers = held.reading.status == Status::NeedsReauth;
        let generation = held.grant.generation + 1;
        let granted = StoredGrant { scopes: grant.scopes.clone(), generation, refresh_token: sealed, granted_at: now };
        let connector = Connector { grant: granted, ..held.clone() };
        let told: Vec<Event> = recovers.then(|| notice::recovered(&connector, now)).into_iter().collect();
        self.store.reconnect(&held, &connector.grant, exchange, &told).await?;
        Ok((connector, told))
    }

    /// Another account is connected here. It is let go first if that was asked for, with all that hangs on it; else nothing
    /// changes.
    async fn free_slot(
        &self,
        admitted: &Admitted,
        held: &Connector,
        replace: bool,
        membership: &Membership,
        now: Timestamp,
    ) -> Result<(Connector, Vec<Event>), ConnectError> {
        if !replace {
            return Err(ConnectError::AccountMismatch);
        }
        // What is there does not go for a grant that connects nothing.
        self.lasting(&admitted.grant, membership, now).await?;
        let Self { store, vault, provider, bus, .. } = self;
        let access = Access { store, vault, provider, refreshes: &Refreshes::default() };
        match (Disconnect::<P> { access, bus }).run(&held.owner_id, &held.id, now).await {
            Ok(receipt) if !receipt.data_purged => Err(ConnectError::Closing),
            // The slot is free now.
            Ok(_) | Err(DisconnectError::NotFound) => Err(StoreError::Conflict.into()),
            Err(DisconnectError::Store(error)) => Err(error.into()),
        }
    }

    /// A mailbox that was renamed is found under its new address from now on.
    async fn at_its_address(&self, held: Connector, address: &EmailAddress, now: Timestamp) -> Result<Connector, ConnectError> {
        if held.email_address == *address {
            return Ok(held);
        }
        if !held.outbox.unpublished.is_empty() {
            return Err(ConnectError::Busy);
        }
        rename(&self.store, &held, address, now).await?;
        Ok(Connector { email_address: address.clone(), version: held.version + 1, ..held })
    }

    /// A grant that leads to no connector is not kept at Google either, unless another connector lives by it. Nobody joins the
    /// account while the revocation is on its way. What fails here is the user's to remove.
    async fn release_grant(&self, grant: &Grant, account: &GoogleSub, now: Timestamp) {
        let revoked = async {
            let Some(token) = &grant.refresh_token else { return Ok(()) };
            let membership = self.store.membership(account).await?;
            if !membership.members.is_empty() || membership.closing.is_some() {
                return Ok(());
            }
            let during = membership.revoked_by(now.after(REVOKING));
            self.store.put_membership(account, &during).await?;
            self.provider.revoke(token).await?;
            self.store.put_membership(account, &during.revoked_by(now)).await?;
            Ok::<_, ConnectError>(())
        };
        if let Err(error) = revoked.await {
            tracing::warn!(%error, "a grant that leads to no connector is not revoked");
        }
    }
}
