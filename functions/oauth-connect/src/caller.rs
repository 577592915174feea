//! Who connects: a user by token, or a page by a connect session of a user.

use axum::http::{HeaderMap, StatusCode};
use email_connectors::audit;
use email_connectors::domain::connect_session::{ConnectSession, SessionToken};
use email_connectors::domain::id::OwnerId;
use email_connectors::domain::role::Action;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::connect_session;
use email_connectors::ports::Ports;
use email_connectors::web::{Problem, bearer, too_many};

use crate::OauthConnect;

pub struct Connecting {
    pub owner: OwnerId,
    /// With a session just what it was opened for.
    pub session: Option<ConnectSession>,
}

impl<P: Ports> OauthConnect<P> {
    /// The caller, who may connect a mailbox.
    pub async fn connecting(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Connecting, Problem> {
        let Some(token) = bearer(headers).filter(|token| SessionToken::is_one(token)) else {
            let owner = self.gate.admit(headers, Action::Connect, now).await?.owner;
            return Ok(Connecting { owner, session: None });
        };
        let (owner, session) = self.session(token, now).await?;
        audit::by_session(&owner, session.user.as_deref(), token);
        self.gate.limits.take(&owner, Action::Connect, now).map_err(too_many)?;
        Ok(Connecting { owner, session: Some(session) })
    }

    /// The session of a token, also one that has led to a connector.
    pub async fn session(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(OwnerId, ConnectSession), Problem> {
        let found = connect_session::find(&self.store, token, now).await;
        found.map_err(|error| Problem::unavailable("unavailable", &error))?.ok_or_else(ended)
    }
}

/// For what is unknown, expired or used alike.
pub fn ended() -> Problem {
    let detail = "the connect session is unknown, over, or was used; ask for another one";
    Problem::new(StatusCode::UNAUTHORIZED, "session_ended", detail)
}
