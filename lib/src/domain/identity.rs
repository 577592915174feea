//! Whose account a grant is.

use crate::domain::claims::{Claims, Refusal, check_google_issuer, check_times, text};
use crate::domain::id::AccountId;
use crate::domain::provider::outlook::account;
use crate::domain::timestamp::Timestamp;

/// Whose account a grant is, from the id token that came with it. Its signature is not checked: it
/// came straight from the provider's token endpoint over TLS
/// (<https://developers.google.com/identity/openid-connect/openid-connect#obtainuserinfo>).
#[derive(Debug, Clone)]
pub enum IdentityPolicy {
    Google { client_id: String },
    Microsoft(account::IdentityPolicy),
}

impl IdentityPolicy {
    /// `nonce` is the one that was sent to the consent page, if the consent was requested here.
    pub fn admit(
        &self,
        claims: &Claims,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<AccountId, Refusal> {
        match self {
            Self::Google { client_id } => of_google(claims, client_id, nonce, now),
            Self::Microsoft(policy) => policy.admit(claims, nonce, now),
        }
    }
}

fn of_google(
    claims: &Claims,
    client_id: &str,
    nonce: Option<&str>,
    now: Timestamp,
) -> Result<AccountId, Refusal> {
    check_google_issuer(claims)?;
    if text(claims, "aud") != Some(client_id) {
        return Err(Refusal::Unauthorized("aud"));
    }
    if nonce.is_some() && text(claims, "nonce") != nonce {
        return Err(Refusal::Unauthorized("nonce"));
    }
    check_times(claims, now)?;
    text(claims, "sub")
        .filter(|sub| !sub.is_empty())
        .map(AccountId::new)
        .ok_or(Refusal::Unauthorized("sub"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn with(good: Value, change: Value) -> Claims {
        let mut claims = good.as_object().unwrap().clone();
        claims.extend(change.as_object().unwrap().clone());
        claims
    }

    #[test]
    fn an_id_token_repeats_the_nonce_of_its_consent() {
        let policy = IdentityPolicy::Google { client_id: "client".into() };
        let good = json!({"iss": "accounts.google.com", "aud": "client", "sub": "7", "exp": 1_000_100, "nonce": "n"});
        let table = [
            (json!({}), Some("n"), Ok(AccountId::new("7"))),
            (json!({}), None, Ok(AccountId::new("7"))),
            (json!({"nonce": null}), Some("n"), Err(Refusal::Unauthorized("nonce"))),
            (json!({"nonce": "m"}), Some("n"), Err(Refusal::Unauthorized("nonce"))),
            (json!({"aud": "other"}), Some("n"), Err(Refusal::Unauthorized("aud"))),
            (
                json!({"iss": "https://accounts.google.com/"}),
                Some("n"),
                Err(Refusal::Unauthorized("iss")),
            ),
            (json!({"sub": ""}), Some("n"), Err(Refusal::Unauthorized("sub"))),
        ];
        for (change, nonce, expected) in table {
            assert_eq!(
                policy.admit(&with(good.clone(), change.clone()), nonce, NOW),
                expected,
                "{change}"
            );
        }
    }
}
