//! A mailbox is connected: exchange, check, seal, one transaction, then watch and the first
//! wake-up. Nothing is changed before the checks pass.

mod joining;

use std::time::Duration;

use crate::domain::claims::Refusal;
use crate::domain::connector::{Connector, Provider, Slot, Status, StoredGrant, Uniqueness};
use crate::domain::consent::{nonce_of, state_id};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::Event;
use crate::domain::id::{AccountId, ConnectorId, OwnerId, fingerprint};
use crate::domain::identity::IdentityPolicy;
use crate::domain::membership::Membership;
use crate::domain::notice;
use crate::domain::scopes;
use crate::domain::timestamp::Timestamp;
use crate::domain::watch::Watch;
use crate::flows::access::{Access, Refreshes};
use crate::flows::disconnect::{Disconnect, DisconnectError};
use crate::flows::watching::rename;
use crate::ports::{
    AuthorizationCode, EmailProvider, Exchange, Grant, PendingConsent, Ports, Profile,
    ProviderError, ProviderOf, Providers, Store, StoreError, Vault, VaultError,
};

/// How often a connect starts over after another one of the same owner or account came first.
const MOST_ATTEMPTS: u32 = 3;
/// How long a revocation may take until it has ended every earlier grant.
const REVOKING: Duration = Duration::from_secs(30);

pub(super) use self::joining::Admitted;

pub struct Connect<P: Ports> {
    pub store: P::Store,
    pub vault: P::Vault,
    pub provider: P::Provider,
    /// Whose mailboxes it connects.
    pub kind: Provider,
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
    /// The state of the redirect flow; it must have been issued to this owner.
    pub state: Option<String>,
    /// Identifies a repeated request: derived from state and body.
    pub fingerprint: uuid::Uuid,
    /// The only account that may be connected; any, if absent.
    pub account: Option<AccountId>,
    /// Whether a connector of another account in the same slot is disconnected first.
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
    /// Not issued to this owner, expired, or used already.
    #[error("the state is not one that this owner was sent away with")]
    UnknownState,
    #[error("not granted: {}", .0.join(" "))]
    MissingScopes(Vec<String>),
    #[error("Google sent no refresh token")]
    NoRefreshToken,
    #[error("another Google account is connected here")]
    AccountMismatch,
    /// The account's grant is being revoked, or its recent revocation ended this grant too.
    #[error("the mailbox is being disconnected")]
    Closing,
    /// The mailbox was renamed while events wait for publication under its old address.
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
    /// The code may be spent and no connector came of it. A code is good once, so that only a new
    /// consent helps, whatever failed.
    #[error("the code may be spent and led to no connector")]
    ConsentAgain(#[source] Box<ConnectError>),
}

impl ConnectError {
    /// The same failure once the code may be spent: what could otherwise be tried again needs a new
    /// consent. What is refused for good says so as before.
    fn once_spent(self) -> Self {
        let may_pass = match &self {
            Self::Vault(_) | Self::Store(_) => true,
            Self::Provider(error) => !matches!(
                error,
                ProviderError::Unauthorized
                    | ProviderError::GrantRefused(_)
                    | ProviderError::Refused { .. }
            ),
            _ => false,
        };
        if may_pass { Self::ConsentAgain(Box::new(self)) } else { self }
    }
}

/// What a repeated request is known by: the same state and body.
pub fn fingerprint_of(state: &str, body: &str) -> uuid::Uuid {
    fingerprint(&["connect", state, body])
}

impl<P: Ports> Connect<P> {
    pub fn mail_provider(&self) -> &ProviderOf<P> {
        self.provider.of(self.kind)
    }

    pub async fn run(
        &self,
        request: &ConnectRequest,
        now: Timestamp,
    ) -> Result<Connected, ConnectError> {
        let exchange = Exchange { fingerprint: request.fingerprint, at: now };
        let Some((code, consent)) = self.code(request, now).await? else {
            return self.earlier_answer(request, &exchange, ConnectError::UnknownState).await;
        };
        let grant = match self.mail_provider().exchange(&code, now).await {
            Ok(grant) => grant,
            // A code can be exchanged once: a repeated request gets its first answer.
            Err(refused @ ProviderError::GrantRefused(_)) => {
                return self.earlier_answer(request, &exchange, refused.into()).await;
            }
            Err(unknown @ ProviderError::OutcomeUnknown(_)) => {
                return Err(ConnectError::from(unknown).once_spent());
            }
            // Tokens came, and no identity: whose grant it is, and so whether another connector
            // lives by it, is not known.
            Err(refused @ ProviderError::Refused { status: 200, .. }) => {
                return Err(refused.into());
            }
            Err(error) => {
                // The code is unused: the consent is stored again, so that the request can be
                // repeated.
                if let Some(consent) = consent {
                    let kept = self.store.keep_consent(&request.owner_id, &consent).await;
                    kept.map_err(|lost| ConnectError::from(lost).once_spent())?;
                }
                return Err(error.into());
            }
        };
        let nonce = request.state.as_deref().map(nonce_of);
        let account = self.identity.admit(&grant.identity, nonce.as_deref(), now)?;
        let missing = scopes::missing(&self.required_scopes, &grant.scopes);
        if !missing.is_empty() {
            self.release_grant(&grant, &account, now).await;
            return Err(ConnectError::MissingScopes(missing));
        }
        if request.account.as_ref().is_some_and(|expected| *expected != account) {
            self.release_grant(&grant, &account, now).await;
            return Err(ConnectError::AccountMismatch);
        }
        match self.store_connector(request, exchange, &grant, &account, now).await {
            Ok((connector, events)) => Ok(self.start(connector, &grant, &events, now).await),
            Err(refused) => {
                self.release_grant(&grant, &account, now).await;
                Err(refused.once_spent())
            }
        }
    }

    /// The code with its PKCE verifier, and the consent that it used up; `None` if the state was
    /// used before or was not issued to this owner.
    async fn code(
        &self,
        request: &ConnectRequest,
        now: Timestamp,
    ) -> Result<Option<(AuthorizationCode, Option<PendingConsent>)>, StoreError> {
        let code = request.code.clone();
        let Some(state) = &request.state else { return Ok(Some((code, None))) };
        let Some(consent) =
            self.store.take_consent(&request.owner_id, state_id(self.kind, state), now).await?
        else {
            return Ok(None);
        };
        let code_verifier = code.code_verifier.or_else(|| Some(consent.code_verifier.clone()));
        Ok(Some((AuthorizationCode { code_verifier, ..code }, Some(consent))))
    }

    /// What the first of several equal requests led to, or `otherwise` if it led to nothing. The
    /// code is spent by then.
    async fn earlier_answer(
        &self,
        request: &ConnectRequest,
        exchange: &Exchange,
        otherwise: ConnectError,
    ) -> Result<Connected, ConnectError> {
        let owner = &request.owner_id;
        let found = async {
            let Some(id) = self.store.exchanged(owner, exchange).await? else { return Ok(None) };
            self.store.connector(owner, &id).await
        };
        // The same request may find it later.
        let found = found.await?;
        let connector = found.filter(|connector| connector.closing.is_none()).ok_or(otherwise)?;
        Ok(Connected {
            connector_id: connector.id,
            email_address: connector.email_address,
            watch: connector.watch,
        })
    }

    /// Creates the connector or renews its grant, and returns the events to publish. A race between
    /// two connects of one owner ends with one connector.
    async fn store_connector(
        &self,
        request: &ConnectRequest,
        exchange: Exchange,
        grant: &Grant,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<(Connector, Vec<Event>), ConnectError> {
        let slot = Slot::new(self.uniqueness, self.kind, account);
        // The first cursor is the profile's mark, read before the watch begins: the watch's own
        // position would skip mail in between.
        let read = async || {
            tokio::try_join!(
                self.store.in_slot(&request.owner_id, &slot),
                self.store.membership(account)
            )
        };
        let (profile, mut found) =
            tokio::join!(self.mail_provider().profile(&grant.access_token), read());
        let profile = match (profile, &found) {
            (Err(ProviderError::Unavailable { .. }), Ok((Some(existing), _)))
                if existing.account == *account =>
            {
                known_profile(existing)
            }
            (profile, _) => profile?,
        };
        let admitted = Admitted {
            owner_id: request.owner_id.clone(),
            new_id: request.new_id.clone(),
            exchange,
            grant: grant.clone(),
            account: account.clone(),
            profile,
            slot: slot.clone(),
        };
        let mut attempt = 1;
        loop {
            let (existing, membership) = found?;
            let stored = match existing {
                None => self.create(&admitted, &[], &membership, now).await,
                Some(existing) if existing.closing.is_some() => Err(ConnectError::Closing),
                Some(existing) if existing.account != *account => {
                    self.free_slot(&admitted, &existing, request.replace, &membership, now).await
                }
                Some(existing) => self.reconnect(&admitted, existing, now).await,
            };
            match stored {
                Err(ConnectError::Store(StoreError::Conflict)) if attempt < MOST_ATTEMPTS => {
                    attempt += 1
                }
                ended => return ended,
            }
            found = read().await;
        }
    }

    /// The same account again: the connector gets a new generation, and keeps its cursor, its
    /// triggers and, if Google sent no new one, its refresh token.
    async fn reconnect(
        &self,
        admitted: &Admitted,
        existing: Connector,
        now: Timestamp,
    ) -> Result<(Connector, Vec<Event>), ConnectError> {
        let Admitted { exchange, grant, profile, .. } = admitted;
        let sealed = match &grant.refresh_token {
            Some(token) => self.vault.seal_refresh_token(token, &existing.id).await?,
            // The stored token is the one that Google refused.
            None if existing.reading.status == Status::NeedsReauth => {
                return Err(ConnectError::NoRefreshToken);
            }
            None => existing.grant.refresh_token.clone(),
        };
        let existing = self.at_its_address(existing, &profile.email_address, now).await?;
        let recovers = existing.reading.status == Status::NeedsReauth;
        let generation = existing.grant.generation + 1;
        let granted = StoredGrant {
            scopes: grant.scopes.clone(),
            generation,
            refresh_token: sealed,
            granted_at: now,
        };
        let connector = Connector { grant: granted, ..existing.clone() };
        let events: Vec<Event> =
            recovers.then(|| notice::recovered(&connector, now)).into_iter().collect();
        self.store.reconnect(&existing, &connector.grant, exchange, &events).await?;
        Ok((connector, events))
    }

    /// Another account's connector occupies the slot. With `replace` it is disconnected first; else
    /// nothing changes.
    async fn free_slot(
        &self,
        admitted: &Admitted,
        existing: &Connector,
        replace: bool,
        membership: &Membership,
        now: Timestamp,
    ) -> Result<(Connector, Vec<Event>), ConnectError> {
        if !replace {
            return Err(ConnectError::AccountMismatch);
        }
        // The new grant is checked first: the existing connector must not be removed for a grant
        // that cannot be used.
        self.lasting(&admitted.grant, membership, now).await?;
        let Self { store, vault, provider, bus, .. } = self;
        let access = Access { store, vault, provider, refreshes: &Refreshes::default() };
        match (Disconnect::<P> { access, bus }).run(&existing.owner_id, &existing.id, now).await {
            Ok(receipt) if !receipt.data_purged => Err(ConnectError::Closing),
            // The slot is free now: the caller starts over.
            Ok(_) | Err(DisconnectError::NotFound) => Err(StoreError::Conflict.into()),
            Err(DisconnectError::Store(error)) => Err(error.into()),
        }
    }

    /// Moves the connector to the mailbox's new address, if it was renamed. Where the address is not
    /// what the mailbox is found by, it is written with the new grant.
    async fn at_its_address(
        &self,
        existing: Connector,
        address: &EmailAddress,
        now: Timestamp,
    ) -> Result<Connector, ConnectError> {
        if existing.email_address == *address {
            return Ok(existing);
        }
        if existing.mailbox() == existing.mailbox_at(address) {
            return Ok(Connector { email_address: address.clone(), ..existing });
        }
        if !existing.outbox.unpublished.is_empty() {
            return Err(ConnectError::Busy);
        }
        rename(&self.store, &existing, address, now).await?;
        Ok(Connector { email_address: address.clone(), version: existing.version + 1, ..existing })
    }

    /// Revokes a grant that led to no connector, unless another connector uses the account. No
    /// connector can join the account during the revocation. A failure is only logged: the user can
    /// remove the grant at Google.
    async fn release_grant(&self, grant: &Grant, account: &AccountId, now: Timestamp) {
        let revoked = async {
            let Some(token) = &grant.refresh_token else { return Ok(()) };
            let membership = self.store.membership(account).await?;
            if !membership.members.is_empty() || membership.closing.is_some() {
                return Ok(());
            }
            let during = membership.revoked_by(now.after(REVOKING));
            self.store.put_membership(account, &during).await?;
            self.mail_provider().revoke(token).await?;
            self.store.put_membership(account, &during.revoked_by(now)).await?;
            Ok::<_, ConnectError>(())
        };
        if let Err(error) = revoked.await {
            tracing::warn!(%error, "a grant that leads to no connector is not revoked");
        }
    }
}

/// What the connector's row says of its mailbox, for a reconnect that Gmail does not answer: the
/// grant is kept all the same. If the mailbox was renamed, the renewer moves the connector.
fn known_profile(existing: &Connector) -> Profile {
    Profile {
        email_address: existing.email_address.clone(),
        mark: existing.reading.position.cursor,
    }
}
