//! Any claims at any moment: the policies, against a plain reading of the same rules. The first
//! line is the moment, in milliseconds; the rest is the claims.

use email_connectors::domain::claims::{Claims, PushPolicy, SecurityEventPolicy, UserPolicy};
use email_connectors::domain::id::{AccountId, OwnerId};
use email_connectors::domain::identity::IdentityPolicy;
use email_connectors::domain::role::Role;
use email_connectors::domain::security_event::{Happened, SecurityEvent};
use email_connectors::domain::timestamp::Timestamp;
use serde_json::Value;

use super::plain;

const AUDIENCE: &str = "https://connectors.example.com/pubsub";
const ACCOUNT: &str = "gmail-push@example-project.iam.gserviceaccount.com";
const ISSUER: &str = "https://login.example.com";
const CLIENT: &str = "client.apps.googleusercontent.com";
const NONCE: &str = "nonce";
/// Far beyond any clock, and so that no sum overflows.
const LATEST: i64 = 1 << 52;
const LEEWAY: i128 = 60_000;

pub fn claims(data: &[u8]) {
    let (moment, rest) = plain::line(data);
    let now = moment.trim().parse().unwrap_or(1_900_000_000_000_i64).clamp(-LATEST, LATEST);
    let Some(Value::Object(claims)) = plain::json(rest) else { return };
    let at = Timestamp::from_millis(now);
    let input = Input { claims: &claims, now: now.into() };
    push(&input, at);
    user(&input, at);
    identity(&input, at);
    security_event(&input, at);
}

/// The claims, read without the policies under test.
struct Input<'a> {
    claims: &'a Claims,
    now: i128,
}

impl Input<'_> {
    fn is(&self, name: &str, text: &str) -> bool {
        self.claims.get(name) == Some(&Value::from(text))
    }

    fn is_of_google(&self) -> bool {
        self.is("iss", "accounts.google.com") || self.is("iss", "https://accounts.google.com")
    }

    /// Parts of a second do not count.
    fn millis(&self, name: &str) -> Option<i128> {
        let seconds = self.claims.get(name)?.as_f64()?;
        Some(seconds.trunc().clamp(-1e15, 1e15) as i128 * 1000)
    }

    fn has_begun(&self, name: &str) -> bool {
        !self.claims.contains_key(name)
            || self.millis(name).is_some_and(|at| at - LEEWAY <= self.now)
    }

    fn is_timely(&self) -> bool {
        self.millis("exp").is_some_and(|end| end + LEEWAY > self.now)
            && self.has_begun("iat")
            && self.has_begun("nbf")
    }
}

fn push(input: &Input, now: Timestamp) {
    let policy = PushPolicy { audience: AUDIENCE.into(), service_account: ACCOUNT.into() };
    let verified = input.claims.get("email_verified") == Some(&Value::Bool(true));
    let expected = input.is_of_google()
        && input.is("aud", AUDIENCE)
        && input.is("email", ACCOUNT)
        && verified
        && input.is_timely();
    assert_eq!(
        policy.admit(input.claims, now).is_ok(),
        expected,
        "push: {:?}",
        policy.admit(input.claims, now)
    );
}

fn user(input: &Input, now: Timestamp) {
    let policy = |role_claim: Option<&str>| UserPolicy {
        issuer: ISSUER.into(),
        audience: AUDIENCE.into(),
        owner_claim: "sub".into(),
        role_claim: role_claim.map(String::from),
        longest_life: None,
    };
    let userinfo = format!("{ISSUER}/userinfo");
    let both = [vec![AUDIENCE, &userinfo], vec![&userinfo, AUDIENCE]].map(Value::from);
    let aud =
        input.is("aud", AUDIENCE) || input.claims.get("aud").is_some_and(|aud| both.contains(aud));
    let sub = input.claims.get("sub").and_then(Value::as_str);
    let owner = sub.filter(|sub| {
        (1..=256).contains(&sub.len()) && !sub.contains('#') && !plain::has_control(sub)
    });
    let expected = owner.filter(|_| input.is("iss", ISSUER) && aud && input.is_timely());

    let admitted = policy(None).admit(input.claims, now).ok();
    assert_eq!(
        admitted.map(|caller| (caller.owner, caller.role)),
        expected.map(|owner| (OwnerId::new(owner), Role::Admin))
    );
    if let Ok(caller) = policy(Some("role")).admit(input.claims, now) {
        let named = serde_json::to_string(input.claims.get("role").unwrap_or(&Value::Null))
            .expect("a value is JSON");
        let word = format!("\"{}\"", caller.role.as_str());
        assert!(
            caller.role == Role::Viewer || named.contains(&word),
            "{:?} of {named}",
            caller.role
        );
    }
}

fn identity(input: &Input, now: Timestamp) {
    let policy = IdentityPolicy::Google { client_id: CLIENT.into() };
    let sub = input.claims.get("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty());
    let expected =
        sub.filter(|_| input.is_of_google() && input.is("aud", CLIENT) && input.is_timely());
    for (nonce, answered) in [(None, true), (Some(NONCE), input.is("nonce", NONCE))] {
        let expected = expected.filter(|_| answered).map(AccountId::new);
        assert_eq!(policy.admit(input.claims, nonce, now).ok(), expected, "nonce {nonce:?}");
    }
}

fn security_event(input: &Input, now: Timestamp) {
    let policy = SecurityEventPolicy { client_id: CLIENT.into() };
    let issued = input.claims.contains_key("iat") && input.has_begun("iat");
    let expected =
        input.is("iss", "https://accounts.google.com/") && input.is("aud", CLIENT) && issued;
    assert_eq!(
        policy.admit(input.claims, now).is_ok(),
        expected,
        "{:?}",
        policy.admit(input.claims, now)
    );

    let Ok(event) = SecurityEvent::read(input.claims) else { return };
    assert!(input.is("jti", &event.jti) && (1..=256).contains(&event.jti.len()));
    match event.happened {
        Happened::AccessEnded { account, what } => {
            let events =
                input.claims["events"].as_object().expect("what happened stands in an object");
            let (_, ended) = events
                .iter()
                .find(|(uri, _)| uri.ends_with(&format!("/{what}")))
                .expect("what happened is named");
            let (issuer, sub) = (&ended["subject"]["iss"], &ended["subject"]["sub"]);
            assert!(
                issuer.as_str().is_some_and(
                    |issuer| issuer.contains("accounts.google.com") && issuer.len() <= 28
                ),
                "{issuer}"
            );
            assert_eq!(sub.as_str(), Some(account.as_str()));
        }
        Happened::Nothing { what } => assert!(what.chars().count() <= 64),
    }
}
