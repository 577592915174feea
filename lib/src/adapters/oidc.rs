//! Signed tokens: RS256 only, keys by id from the issuer's published set.

pub mod key_set;
pub mod token;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use reqwest::header::CACHE_CONTROL;
use reqwest::{Client, Response};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::adapters::https;
pub use crate::config::KeySource;
use crate::domain::claims::Claims;
use crate::domain::timestamp::Timestamp;
use crate::ports::{Cause, Clock, TokenError, TokenVerifier};

const LONGEST_ANSWER: usize = 256 * 1024;
/// The shortest time between two fetches once there are keys, however many tokens with unknown keys
/// arrive.
const BETWEEN_FETCHES: Duration = Duration::from_secs(60);
/// Without any key no token can be checked: the next fetch comes after this, doubled with each
/// failure.
const AFTER_FIRST_FAILURE: Duration = Duration::from_secs(1);
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// For an issuer without a `max-age`.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(3600);

/// Clones share the keys: one may fetch in the background what another waits for.
#[derive(Clone)]
pub struct JwksVerifier(Arc<Issuer>);

struct Issuer {
    http: Client,
    source: KeySource,
    /// The accepted types of tokens (RFC 7515, section 4.1.9); any, if there are none.
    types: &'static [&'static str],
    keys: RwLock<Arc<Keys>>,
    /// Locked by the one task that fetches.
    fetching: Mutex<Fetches>,
}

/// The outcome of the fetches so far.
#[derive(Debug, Clone, Copy, Default)]
struct Fetches {
    /// When the last fetch that ended was begun.
    last: Option<Timestamp>,
    /// How many failed since the last success.
    failures: u32,
}

impl Fetches {
    fn may_begin(self, has_keys: bool, now: Timestamp) -> bool {
        let wait = match self.failures {
            0 => BETWEEN_FETCHES,
            _ if has_keys => BETWEEN_FETCHES,
            failures => AFTER_FIRST_FAILURE
                .saturating_mul(2_u32.saturating_pow(failures - 1))
                .min(BETWEEN_FETCHES),
        };
        self.last.is_none_or(|last| last.after(wait) <= now)
    }
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, DecodingKey>,
    fresh_until: Option<Timestamp>,
}

impl JwksVerifier {
    pub fn new(http: Client, source: KeySource) -> Self {
        Self::of_types(http, source, &[])
    }

    /// For tokens of users, which are no other kind of token (RFC 9068, section 2.1; RFC 8725,
    /// section 3.11).
    pub fn of_users(http: Client, source: KeySource) -> Self {
        Self::of_types(http, source, &["JWT", "at+jwt"])
    }

    fn of_types(http: Client, source: KeySource, types: &'static [&'static str]) -> Self {
        Self(Arc::new(Issuer {
            http,
            source,
            types,
            keys: RwLock::default(),
            fetching: Mutex::default(),
        }))
    }

    /// Fetches the keys in the background before the first request; one that comes meanwhile waits
    /// for this fetch and makes none.
    pub fn warmed(self, clock: impl Clock + 'static) -> Self {
        let issuer = self.0.clone();
        tokio::spawn(async move {
            let mut fetches = issuer.fetching.lock().await;
            let began = clock.now();
            if fetches.last.is_none()
                && let Err(error) = issuer.refetch(&mut fetches, began).await
            {
                tracing::warn!(%error, "the issuer's keys are not here yet");
                // The environment was frozen in the middle, so the failure is not the issuer's: the
                // first request may fetch at once.
                if began.after(FETCH_TIMEOUT * 2) <= clock.now() {
                    *fetches = Fetches::default();
                }
            }
        });
        self
    }
}

impl Issuer {
    fn known(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key of that id. Stale keys are used while the issuer cannot be reached; an unknown id is
    /// looked for once a minute.
    async fn key(&self, id: &str, now: Timestamp) -> Result<DecodingKey, TokenError> {
        let good = |keys: &Keys| {
            keys.fresh_until
                .is_some_and(|until| now < until)
                .then(|| keys.by_id.get(id).cloned())
                .flatten()
        };
        if let Some(key) = good(&self.known()) {
            return Ok(key);
        }
        let mut fetches = match self.fetching.try_lock() {
            Ok(free) => free,
            // While another request fetches, a stale key is still accepted.
            Err(_) => match self.known().by_id.get(id) {
                Some(stale) => return Ok(stale.clone()),
                None => self.fetching.lock().await,
            },
        };
        // The previous holder of the lock may have fetched the key.
        if let Some(key) = good(&self.known()) {
            return Ok(key);
        }
        let mut failure = None;
        if fetches.may_begin(!self.known().by_id.is_empty(), now) {
            failure = self.refetch(&mut fetches, now).await.err();
        }
        let known = self.known();
        match known.by_id.get(id) {
            Some(key) => Ok(key.clone()),
            None if known.by_id.is_empty() => Err(TokenError::KeysUnavailable(
                failure.unwrap_or_else(|| "the last fetch failed".into()),
            )),
            None => Err(TokenError::Invalid("the key id is unknown")),
        }
    }

    /// Fails unless there are keys, fresh or stale; fetches them if there are none.
    async fn any(&self, now: Timestamp) -> Result<(), TokenError> {
        if !self.known().by_id.is_empty() {
            return Ok(());
        }
        let mut fetches = self.fetching.lock().await;
        if self.known().by_id.is_empty() && fetches.may_begin(false, now) {
            self.refetch(&mut fetches, now).await.map_err(TokenError::KeysUnavailable)?;
        }
        match self.known().by_id.is_empty() {
            true => Err(TokenError::KeysUnavailable("the last fetch failed".into())),
            false => Ok(()),
        }
    }

    /// Recorded only when the fetch has ended: after a cancelled one the next caller fetches again.
    async fn refetch(&self, fetches: &mut Fetches, now: Timestamp) -> Result<(), Cause> {
        let fetched = self.fetch(now).await;
        let failures = if fetched.is_ok() { 0 } else { fetches.failures.saturating_add(1) };
        *fetches = Fetches { last: Some(now), failures };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fetched?);
        Ok(())
    }

    async fn fetch(&self, now: Timestamp) -> Result<Keys, Cause> {
        let url = match &self.source {
            KeySource::Url(url) => url.clone(),
            KeySource::Discovery(issuer) => self.discover(issuer).await?,
        };
        let response = self.get(&url).await?;
        let max_age = max_age(&response).unwrap_or(DEFAULT_MAX_AGE);
        let by_id = key_set::usable(&https::body(response, LONGEST_ANSWER).await?)?;
        if by_id.is_empty() {
            Err("the key set holds no usable key".into())
        } else {
            Ok(Keys { by_id, fresh_until: Some(now.after(max_age)) })
        }
    }

    async fn discover(&self, issuer: &str) -> Result<String, Cause> {
        #[derive(Deserialize)]
        struct Discovery {
            issuer: String,
            jwks_uri: String,
        }
        let response = self
            .get(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))
            .await?;
        let discovery: Discovery =
            serde_json::from_slice(&https::body(response, LONGEST_ANSWER).await?)?;
        // OpenID Connect Discovery 1.0, section 4.3; and no keys in the clear for an issuer that is
        // not.
        if discovery.issuer != issuer {
            return Err(format!(
                "the discovery document is of {}, not of {issuer}",
                discovery.issuer
            )
            .into());
        }
        match issuer.starts_with("https://") && !discovery.jwks_uri.starts_with("https://") {
            true => Err("the issuer publishes its keys without TLS".into()),
            false => Ok(discovery.jwks_uri),
        }
    }

    async fn get(&self, url: &str) -> Result<Response, Cause> {
        let response = self.http.get(url).timeout(FETCH_TIMEOUT).send().await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(format!("{url} answered {}", response.status()).into()),
        }
    }
}

impl TokenVerifier for JwksVerifier {
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let id = token::key_id(token, self.0.types)?;
        let key = self.0.key(&id, now).await?;
        token::claims(token, &key)
    }

    async fn ready(&self, now: Timestamp) -> Result<(), TokenError> {
        self.0.any(now).await
    }
}

fn max_age(response: &Response) -> Option<Duration> {
    key_set::max_age(response.headers().get(CACHE_CONTROL)?.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_keys_they_are_fetched_again_soon_and_with_keys_once_a_minute() {
        let at = |seconds: i64| Timestamp::from_seconds(1_000 + seconds);
        let table = [
            (0, false, 60),
            (1, false, 1),
            (2, false, 2),
            (3, false, 4),
            (6, false, 32),
            (7, false, 60),
            (u32::MAX, false, 60),
            (1, true, 60),
            (0, true, 60),
        ];
        for (failures, has_keys, seconds) in table {
            let fetches = Fetches { last: Some(at(0)), failures };
            assert!(!fetches.may_begin(has_keys, at(seconds - 1)), "{failures} {has_keys}");
            assert!(fetches.may_begin(has_keys, at(seconds)), "{failures} {has_keys}");
        }
        assert!(Fetches::default().may_begin(true, at(0)));
    }
}
