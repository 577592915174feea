//! Codes and tokens: what Google remembers of a user's consent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use email_connectors::domain::claims::Claims;
use email_connectors::domain::id::AccountId;
use email_connectors::domain::secret::{AccessToken, RefreshToken};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{AuthorizationCode, Grant, ProviderError, Refreshed};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::consent::{ACCESS_TOKEN_LIFE, CLIENT_ID, Consent};

/// A rotating account's refresh token ends so long after it was issued
/// (<https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens#token-lifetime>).
const LONGEST_IDLE: Duration = Duration::from_secs(90 * 24 * 3600);

/// The parameters of an authorization request; each of its codes is bound to them.
#[derive(Debug, Clone)]
pub struct AuthorizeRequest {
    pub scopes: Vec<String>,
    pub redirect_uri: String,
    pub state: String,
    pub nonce: String,
    pub code_verifier: String,
    pub login_hint: Option<String>,
}

impl AuthorizeRequest {
    fn check(&self, code: &AuthorizationCode) -> Result<(), ProviderError> {
        if code.redirect_uri != self.redirect_uri {
            return Err(ProviderError::Refused {
                status: 400,
                reason: "redirect_uri_mismatch".into(),
            });
        }
        match &code.code_verifier {
            Some(verifier) if verifier.expose_secret() == self.code_verifier => Ok(()),
            _ => Err(refused()),
        }
    }
}

/// A code, until it is exchanged.
struct Code {
    account: AccountId,
    consent: Consent,
    /// `None` if a popup opened the consent page, without an authorization request of ours.
    request: Option<AuthorizeRequest>,
}

#[derive(Default)]
pub(crate) struct Grants {
    issued: u64,
    /// Accounts whose users revoked the grant themselves.
    pub taken_back: BTreeSet<AccountId>,
    /// Accounts whose refresh tokens are replaced at each use.
    pub rotating: BTreeSet<AccountId>,
    /// By the URL of the consent page.
    authorize_requests: BTreeMap<String, AuthorizeRequest>,
    codes: BTreeMap<String, Code>,
    refresh_tokens: BTreeMap<String, AccountId>,
    /// When a token was issued that a rotating account got: it ends when it is old.
    issued_at: BTreeMap<String, Timestamp>,
    /// The consent behind each refresh token.
    consents: BTreeMap<String, Consent>,
    access_tokens: BTreeMap<String, (AccountId, Timestamp)>,
}

impl Grants {
    fn name(&mut self, what: &str, of: &AccountId) -> String {
        self.issued += 1;
        format!("{what}-{}-of-{of}", self.issued)
    }

    pub fn authorize(&mut self, request: AuthorizeRequest) -> String {
        let url = format!("https://accounts.google.example/consent?state={}", request.state);
        self.authorize_requests.insert(url.clone(), request);
        url
    }

    pub fn authorize_request(&self, url: &str) -> Option<AuthorizeRequest> {
        self.authorize_requests.get(url).cloned()
    }

    pub fn consent(
        &mut self,
        account: &AccountId,
        consent: Consent,
        request: Option<AuthorizeRequest>,
    ) -> String {
        let code = self.name("code", account);
        self.codes.insert(code.clone(), Code { account: account.clone(), consent, request });
        code
    }

    /// A code works once, and only with the redirect URI and code verifier of its request.
    pub fn exchange(
        &mut self,
        code: &AuthorizationCode,
        now: Timestamp,
    ) -> Result<Grant, ProviderError> {
        let given = code.code.expose_secret();
        if let Some(request) = self.codes.get(given).and_then(|code| code.request.as_ref()) {
            request.check(code)?;
        }
        let Code { account, consent, request } = self.codes.remove(given).ok_or_else(refused)?;
        self.taken_back.remove(&account);
        let refresh_token = consent.refresh_token.then(|| self.name("refresh", &account));
        if let Some(token) = &refresh_token {
            self.refresh_tokens.insert(token.clone(), account.clone());
            self.consents.insert(token.clone(), consent.clone());
            self.issued_at.insert(token.clone(), now);
        }
        Ok(Grant {
            access_token: self.access_token(&account, now),
            refresh_token: refresh_token.map(|token| RefreshToken(token.into())),
            identity: identity(&account, request.map(|request| request.nonce), consent.claims, now),
            scopes: consent.scopes,
        })
    }

    fn access_token(&mut self, account: &AccountId, now: Timestamp) -> AccessToken {
        let (token, expires_at) = (self.name("access", account), now.after(ACCESS_TOKEN_LIFE));
        self.access_tokens.insert(token.clone(), (account.clone(), expires_at));
        AccessToken { secret: token.into(), expires_at }
    }

    fn holder(&self, token: &RefreshToken) -> Option<AccountId> {
        self.refresh_tokens.get(token.0.expose_secret()).cloned()
    }

    pub fn refresh(
        &mut self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Refreshed, ProviderError> {
        let account = self.holder(token).ok_or_else(refused)?;
        if self.rotating.contains(&account) && self.is_idle(token, now) {
            return Err(refused());
        }
        let access = self.access_token(&account, now);
        let refresh = self.rotating.contains(&account).then(|| self.rotated(token, &account, now));
        Ok(Refreshed { access, refresh })
    }

    /// Another refresh token of the same consent; the one before stays valid.
    fn rotated(
        &mut self,
        token: &RefreshToken,
        account: &AccountId,
        now: Timestamp,
    ) -> RefreshToken {
        let consent = self.consents.get(token.0.expose_secret()).cloned().unwrap_or_default();
        let rotated = self.granted(account, consent);
        self.issued_at.insert(rotated.clone(), now);
        RefreshToken(rotated.into())
    }

    /// Whether nobody renewed a rotating account's token in time.
    fn is_idle(&self, token: &RefreshToken, now: Timestamp) -> bool {
        let issued_at = self.issued_at.get(token.0.expose_secret());
        issued_at.is_some_and(|issued_at| issued_at.after(LONGEST_IDLE) <= now)
    }

    /// As `refresh`, with the identity of the account if the scopes contain `openid`.
    pub fn adopt(&mut self, token: &RefreshToken, now: Timestamp) -> Result<Grant, ProviderError> {
        let access_token = self.refresh(token, now)?.access;
        let account = self.holder(token).ok_or_else(refused)?;
        let consent = self.consents.get(token.0.expose_secret()).cloned().unwrap_or_default();
        let has_openid = consent.scopes.iter().any(|scope| scope == "openid");
        let identity = if has_openid {
            identity(&account, None, consent.claims, now)
        } else {
            Claims::default()
        };
        Ok(Grant {
            access_token,
            refresh_token: Some(token.clone()),
            identity,
            scopes: consent.scopes,
        })
    }

    /// A grant as another system of this client got it: its refresh token.
    pub fn granted(&mut self, account: &AccountId, consent: Consent) -> String {
        let token = self.name("refresh", account);
        self.refresh_tokens.insert(token.clone(), account.clone());
        self.consents.insert(token.clone(), consent);
        token
    }

    pub fn admit(&self, access: &AccessToken, now: Timestamp) -> Result<AccountId, ProviderError> {
        let token = self.access_tokens.get(access.secret.expose_secret());
        token
            .filter(|(_, expires_at)| now < *expires_at)
            .map(|(account, _)| account.clone())
            .ok_or(ProviderError::Unauthorized)
    }

    /// Revokes all of the account's grants to this client, not only this token; returns the
    /// account.
    pub fn revoke(&mut self, token: &RefreshToken) -> Option<AccountId> {
        let account = self.holder(token)?;
        self.end(&account);
        Some(account)
    }

    /// Ends the account's newest refresh token, and no other.
    pub fn end_newest(&mut self, account: &AccountId) {
        let number = |token: &str| token.split('-').nth(1).and_then(|text| text.parse().ok());
        let own = self.refresh_tokens.iter().filter(|(_, of)| *of == account);
        let newest =
            own.map(|(token, _)| token.clone()).max_by_key(|token| number(token).unwrap_or(0_u64));
        newest.iter().for_each(|token| drop(self.refresh_tokens.remove(token)));
    }

    pub fn end_refresh_tokens(&mut self, account: &AccountId) {
        self.refresh_tokens.retain(|_, of| of != account);
    }

    pub fn end(&mut self, account: &AccountId) {
        self.end_refresh_tokens(account);
        self.forget_access_tokens(account);
    }

    pub fn forget_access_tokens(&mut self, account: &AccountId) {
        self.access_tokens.retain(|_, (of, _)| of != account);
    }

    pub fn is_alive(&self, account: &AccountId) -> bool {
        self.refresh_tokens.values().any(|of| of == account)
    }
}

fn refused() -> ProviderError {
    ProviderError::GrantRefused("invalid_grant".into())
}

fn identity(
    account: &AccountId,
    nonce: Option<String>,
    otherwise: Claims,
    now: Timestamp,
) -> Claims {
    let claims = json!({
        "iss": "https://accounts.google.com",
        "aud": CLIENT_ID,
        "sub": account,
        "iat": now.seconds(),
        "exp": now.after(ACCESS_TOKEN_LIFE).seconds(),
    });
    let Value::Object(mut claims) = claims else { unreachable!("an object was written above") };
    claims.extend(nonce.map(|nonce| ("nonce".into(), nonce.into())));
    claims.extend(otherwise);
    claims
}
