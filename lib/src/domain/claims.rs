//! Who a token speaks for: the policies for pushes, users and Google accounts, over claims whose
//! origin was already proven.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::domain::id::OwnerId;
use crate::domain::role::Role;
use crate::domain::timestamp::Timestamp;

/// The claims of a token whose origin is proven.
pub type Claims = Map<String, Value>;

/// Clocks differ a little between the signer and us.
const LEEWAY: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The token is not one of ours at all.
    #[error("the token's {0} is not accepted")]
    Unauthorized(&'static str),
    /// A valid token of somebody who may not call this.
    #[error("the token's {0} is not the one allowed to call this")]
    Forbidden(&'static str),
}

/// Who may push to us (<https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions>).
#[derive(Debug, Clone)]
pub struct PushPolicy {
    pub audience: String,
    pub service_account: String,
}

impl PushPolicy {
    pub fn admit(&self, claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
        check_google_issuer(claims)?;
        // Exactly one string: an array would let a token serve several audiences.
        if text(claims, "aud") != Some(self.audience.as_str()) {
            return Err(Refusal::Unauthorized("aud"));
        }
        check_times(claims, now)?;
        if text(claims, "email") != Some(self.service_account.as_str()) {
            return Err(Refusal::Forbidden("email"));
        }
        if claims.get("email_verified") != Some(&Value::Bool(true)) {
            return Err(Refusal::Forbidden("email_verified"));
        }
        Ok(())
    }
}

/// Whose tokens speak for users.
#[derive(Debug, Clone)]
pub struct UserPolicy {
    pub issuer: String,
    pub audience: String,
    pub owner_claim: String,
    /// Without one an owner may do everything.
    pub role_claim: Option<String>,
    /// The longest lifetime that a token may have.
    pub longest_life: Option<Duration>,
}

/// Who calls, and what they may do with their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub owner: OwnerId,
    pub role: Role,
    /// The acting user, who may differ from the owner: a tenant owns, and one of its users acts.
    pub user: Option<String>,
    pub token_id: Option<String>,
}

impl UserPolicy {
    pub fn admit(&self, claims: &Claims, now: Timestamp) -> Result<Caller, Refusal> {
        if text(claims, "iss") != Some(self.issuer.as_str()) {
            return Err(Refusal::Unauthorized("iss"));
        }
        if !self.is_audience(claims.get("aud")) {
            return Err(Refusal::Unauthorized("aud"));
        }
        check_times(claims, now)?;
        if self.longest_life.is_some_and(|most| lives_longer(claims, most, now)) {
            return Err(Refusal::Unauthorized("lifetime"));
        }
        // An issuer lets users write any address until it is verified (OpenID Connect Core 1.0,
        // section 5.7).
        if self.owner_claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
            return Err(Refusal::Unauthorized("email_verified"));
        }
        let owner = text(claims, &self.owner_claim)
            .and_then(OwnerId::parse)
            .ok_or(Refusal::Unauthorized("owner claim"))?;
        let role =
            self.role_claim.as_ref().map_or(Role::Admin, |claim| Role::of_claim(claims.get(claim)));
        let optional = |claim| text(claims, claim).map(String::from);
        Ok(Caller { owner, role, user: optional("sub"), token_id: optional("jti") })
    }

    /// One string. A list is refused, since any of its services could use the token here. Only the
    /// list that OpenID issuers make by themselves is accepted: ours, and the issuer's own userinfo
    /// endpoint.
    fn is_audience(&self, claim: Option<&Value>) -> bool {
        let userinfo = format!("{}/userinfo", self.issuer.trim_end_matches('/'));
        match claim {
            Some(Value::String(one)) => *one == self.audience,
            Some(Value::Array(several)) => {
                let one_of = |wanted: &str| {
                    several.iter().filter(|one| one.as_str() == Some(wanted)).count()
                };
                several.len() == 2 && one_of(&self.audience) == 1 && one_of(&userinfo) == 1
            }
            _ => false,
        }
    }
}

/// Whose security events are accepted (<https://developers.google.com/identity/protocols/risc>):
/// Google's, addressed to our client. They do not expire; what makes an old one harmless is in
/// `security_event.rs`.
#[derive(Debug, Clone)]
pub struct SecurityEventPolicy {
    pub client_id: String,
}

impl SecurityEventPolicy {
    /// Unlike in id tokens, the issuer ends in a slash here.
    pub const ISSUER: &str = "https://accounts.google.com/";

    pub fn admit(&self, claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
        if text(claims, "iss") != Some(Self::ISSUER) {
            return Err(Refusal::Unauthorized("iss"));
        }
        if text(claims, "aud") != Some(self.client_id.as_str()) {
            return Err(Refusal::Unauthorized("aud"));
        }
        if claims.get("iat").is_none() || !absent_or_past(claims, "iat", now) {
            return Err(Refusal::Unauthorized("iat"));
        }
        Ok(())
    }
}

/// Google writes its issuer in two forms.
pub(crate) fn check_google_issuer(claims: &Claims) -> Result<(), Refusal> {
    match text(claims, "iss") {
        Some("https://accounts.google.com" | "accounts.google.com") => Ok(()),
        _ => Err(Refusal::Unauthorized("iss")),
    }
}

pub(crate) fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str()
}

fn moment(claims: &Claims, name: &str) -> Option<Timestamp> {
    claims.get(name).and_then(Value::as_f64).map(|seconds| Timestamp::from_seconds(seconds as i64))
}

fn absent_or_past(claims: &Claims, name: &str, now: Timestamp) -> bool {
    match claims.get(name) {
        None => true,
        Some(_) => moment(claims, name).is_some_and(|start| start.before(LEEWAY) <= now),
    }
}

pub(crate) fn check_times(claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
    if moment(claims, "exp").is_none_or(|end| end.after(LEEWAY) <= now) {
        return Err(Refusal::Unauthorized("exp"));
    }
    if !absent_or_past(claims, "iat", now) {
        return Err(Refusal::Unauthorized("iat"));
    }
    if !absent_or_past(claims, "nbf", now) {
        return Err(Refusal::Unauthorized("nbf"));
    }
    Ok(())
}

/// The lifetime counts from `iat`, or from now without one.
fn lives_longer(claims: &Claims, most: Duration, now: Timestamp) -> bool {
    let issued = moment(claims, "iat").unwrap_or(now);
    moment(claims, "exp").is_none_or(|end| end > issued.after(most))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn with(base: Value, change: Value) -> Claims {
        let (Value::Object(mut claims), Value::Object(change)) = (base, change) else {
            unreachable!()
        };
        for (name, value) in change {
            if value.is_null() {
                claims.remove(&name)
            } else {
                claims.insert(name, value)
            };
        }
        claims
    }

    #[test]
    fn only_our_subscriptions_service_account_may_push() {
        let policy = PushPolicy {
            audience: "https://hook.example".into(),
            service_account: "push@project".into(),
        };
        let good = json!({"iss": "https://accounts.google.com", "aud": "https://hook.example", "email": "push@project",
            "email_verified": true, "iat": 999_000, "exp": 1_002_600});
        let (iss, aud, exp, iat) = ("iss", "aud", "exp", "iat");
        let table = [
            (json!({}), Ok(())),
            (json!({"iss": "accounts.google.com"}), Ok(())),
            (json!({"iss": "https://accounts.google.com.evil"}), Err(Refusal::Unauthorized(iss))),
            (json!({"aud": "https://hook.example/"}), Err(Refusal::Unauthorized(aud))),
            (json!({"aud": "https://Hook.example"}), Err(Refusal::Unauthorized(aud))),
            (json!({"aud": ["https://hook.example"]}), Err(Refusal::Unauthorized(aud))),
            (json!({"aud": null}), Err(Refusal::Unauthorized(aud))),
            (json!({"exp": 999_939}), Err(Refusal::Unauthorized(exp))),
            (json!({"exp": 999_941}), Ok(())),
            (json!({"exp": null}), Err(Refusal::Unauthorized(exp))),
            (json!({"exp": "1002600"}), Err(Refusal::Unauthorized(exp))),
            (json!({"iat": 1_000_061}), Err(Refusal::Unauthorized(iat))),
            (json!({"iat": "soon"}), Err(Refusal::Unauthorized(iat))),
            (json!({"email": "other@project"}), Err(Refusal::Forbidden("email"))),
            (json!({"email_verified": false}), Err(Refusal::Forbidden("email_verified"))),
            (json!({"email_verified": null}), Err(Refusal::Forbidden("email_verified"))),
            (json!({"email_verified": "true"}), Err(Refusal::Forbidden("email_verified"))),
        ];
        for (change, expected) in table {
            assert_eq!(
                policy.admit(&with(good.clone(), change.clone()), NOW),
                expected,
                "{change}"
            );
        }
    }

    #[test]
    fn a_user_is_whom_the_configured_claim_names() {
        let policy = UserPolicy {
            issuer: "https://login.example".into(),
            audience: "api".into(),
            owner_claim: "tenant".into(),
            role_claim: None,
            longest_life: None,
        };
        let good = json!({"iss": "https://login.example", "aud": "api", "tenant": "t1", "sub": "u1", "jti": "j1", "exp": 1_000_100});
        let t1 = Ok(Caller {
            owner: OwnerId::new("t1"),
            role: Role::Admin,
            user: Some("u1".into()),
            token_id: Some("j1".into()),
        });
        let table = [
            (json!({}), t1.clone()),
            (
                json!({"sub": null, "jti": 7}),
                t1.clone().map(|caller| Caller { user: None, token_id: None, ..caller }),
            ),
            (json!({"aud": ["api", "https://login.example/userinfo"]}), t1),
            (json!({"aud": ["api"]}), Err(Refusal::Unauthorized("aud"))),
            (json!({"aud": ["api", "api"]}), Err(Refusal::Unauthorized("aud"))),
            (json!({"aud": ["other", "api"]}), Err(Refusal::Unauthorized("aud"))),
            (
                json!({"aud": ["api", "https://login.example.evil/userinfo"]}),
                Err(Refusal::Unauthorized("aud")),
            ),
            (json!({"aud": "apis"}), Err(Refusal::Unauthorized("aud"))),
            (json!({"iss": "https://login.example/"}), Err(Refusal::Unauthorized("iss"))),
            (json!({"nbf": 1_000_100}), Err(Refusal::Unauthorized("nbf"))),
            (json!({"tenant": null}), Err(Refusal::Unauthorized("owner claim"))),
            (json!({"tenant": ""}), Err(Refusal::Unauthorized("owner claim"))),
            (json!({"tenant": "a#b"}), Err(Refusal::Unauthorized("owner claim"))),
            (json!({"tenant": 7}), Err(Refusal::Unauthorized("owner claim"))),
        ];
        for (change, expected) in table {
            assert_eq!(
                policy.admit(&with(good.clone(), change.clone()), NOW),
                expected,
                "{change}"
            );
        }
    }

    #[test]
    fn with_a_role_claim_the_token_says_what_its_user_may_do() {
        let policy = |role_claim: Option<&str>| UserPolicy {
            issuer: "https://login.example".into(),
            audience: "api".into(),
            owner_claim: "sub".into(),
            role_claim: role_claim.map(String::from),
            longest_life: None,
        };
        let claims = with(
            json!({"iss": "https://login.example", "aud": "api", "sub": "u", "exp": 1_000_100}),
            json!({"role": "operator"}),
        );
        for (claim, role) in
            [(None, Role::Admin), (Some("role"), Role::Operator), (Some("groups"), Role::Viewer)]
        {
            assert_eq!(policy(claim).admit(&claims, NOW).unwrap().role, role, "{claim:?}");
        }
    }

    #[test]
    fn a_security_event_is_googles_and_addressed_to_us() {
        let policy = SecurityEventPolicy { client_id: "client".into() };
        let good =
            json!({"iss": "https://accounts.google.com/", "aud": "client", "iat": 1_000_000});
        let table = [
            (json!({}), Ok(())),
            (json!({"iss": "https://accounts.google.com"}), Err(Refusal::Unauthorized("iss"))),
            (json!({"aud": ["client"]}), Err(Refusal::Unauthorized("aud"))),
            (json!({"iat": null}), Err(Refusal::Unauthorized("iat"))),
            (json!({"iat": 1_000_061}), Err(Refusal::Unauthorized("iat"))),
        ];
        for (change, expected) in table {
            assert_eq!(
                policy.admit(&with(good.clone(), change.clone()), NOW),
                expected,
                "{change}"
            );
        }
    }
}
