//! A backend opens a session for one of its users, and a page connects a mailbox with it.

use secrecy::SecretString;

use crate::domain::connect_session::{Claim, ConnectSession, SESSION_LIFE, SessionToken};
use crate::domain::connector::{Connector, Provider};
use crate::domain::email_address::EmailAddress;
use crate::domain::id::{ConnectorId, OwnerId};
use crate::domain::timestamp::Timestamp;
use crate::flows::connect::{Connect, ConnectError, ConnectRequest, Connected};
use crate::ports::{Entropy, Ports, Store, StoreError};

/// What a session is to be for.
#[derive(Debug, Default)]
pub struct Wanted {
    pub origin: String,
    pub provider: Option<Provider>,
    pub connector: Option<ConnectorId>,
    pub login_hint: Option<EmailAddress>,
    pub user: Option<String>,
}

#[derive(Debug)]
pub struct Opened {
    pub token: SecretString,
    pub expires_at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The session led to a connector before.
    #[error("the session has ended")]
    Ended,
    /// Another connect of the session is under way, or was cut off.
    #[error("another connect has the session")]
    Taken,
    #[error("the owner has no such connector")]
    NoSuchConnector,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores a new session; the token is returned this once.
pub async fn open(
    store: &impl Store,
    entropy: &impl Entropy,
    owner: &OwnerId,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Opened, SessionError> {
    let mut provider = wanted.provider;
    if let Some(id) = &wanted.connector {
        let connector = named(store, owner, id).await?;
        provider = provider.or(Some(connector.provider));
    }
    let token = SessionToken::new(owner.clone(), entropy.secret());
    let session = ConnectSession {
        id: token.id(),
        origin: wanted.origin,
        provider,
        connector: wanted.connector,
        login_hint: wanted.login_hint,
        user: wanted.user,
        until: now.after(SESSION_LIFE),
        claimed_by: None,
        connected: None,
        version: 1,
    };
    store.put_session(owner, &session).await?;
    Ok(Opened { token: token.text(), expires_at: session.until })
}

/// The session of a token, ended or not; `None` if there is none, or none any more.
pub async fn find(
    store: &impl Store,
    token: &str,
    now: Timestamp,
) -> Result<Option<(OwnerId, ConnectSession)>, StoreError> {
    let Some(token) = SessionToken::parse(token) else { return Ok(None) };
    let session = store.session(&token.owner, token.id()).await?;
    let session = session.filter(|session| !session.is_expired(now));
    Ok(session.map(|session| (token.owner, session)))
}

/// The connector that the session was opened for, or the one that it led to.
pub async fn connector(
    store: &impl Store,
    owner: &OwnerId,
    session: &ConnectSession,
) -> Result<Option<Connector>, StoreError> {
    match session.connected.as_ref().or(session.connector.as_ref()) {
        Some(id) => store.connector(owner, id).await,
        None => Ok(None),
    }
}

async fn named(
    store: &impl Store,
    owner: &OwnerId,
    id: &ConnectorId,
) -> Result<Connector, SessionError> {
    store.connector(owner, id).await?.ok_or(SessionError::NoSuchConnector)
}

impl<P: Ports> Connect<P> {
    /// A connect by a session: one that succeeds ends it. The session is claimed before the code is
    /// used, so that of two connects one goes on. One that was cut off keeps its claim: only the
    /// same request may come again.
    pub async fn run_in_session(
        &self,
        session: &ConnectSession,
        request: ConnectRequest,
        now: Timestamp,
    ) -> Result<Connected, SessionError> {
        let account = match &session.connector {
            Some(id) => Some(named(&self.store, &request.owner_id, id).await?.account),
            None => None,
        };
        let request = ConnectRequest { account, replace: false, ..request };
        let owner = request.owner_id.clone();
        let claimed = match session.claim(request.fingerprint) {
            Claim::Granted(claimed) => {
                match self.store.put_session(&owner, &claimed).await {
                    Err(StoreError::Conflict) => return Err(SessionError::Taken),
                    stored => stored?,
                }
                claimed
            }
            Claim::Repeated => session.clone(),
            Claim::Taken => return Err(SessionError::Taken),
            Claim::Ended => return Err(SessionError::Ended),
        };
        match self.run(&request, now).await {
            Ok(connected) => {
                if !claimed.is_done() {
                    let ended = claimed.ended(connected.connector_id.clone());
                    // The mailbox is connected all the same, and the claim keeps others out.
                    if let Err(error) = self.store.put_session(&owner, &ended).await {
                        tracing::warn!(%error, "a connect session is not marked as ended");
                    }
                }
                Ok(connected)
            }
            Err(refused) => {
                if !claimed.is_done()
                    && let Err(error) = self.store.put_session(&owner, &claimed.released()).await
                {
                    tracing::warn!(%error, "a connect session stays claimed");
                }
                Err(refused.into())
            }
        }
    }
}
