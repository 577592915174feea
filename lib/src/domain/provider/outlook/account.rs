//! Whose account a grant of Microsoft's is: its tenant and its object in it, which stay when the
//! address changes (<https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference>).

use crate::domain::claims::{Claims, Refusal, check_times, text};
use crate::domain::id::AccountId;
use crate::domain::timestamp::Timestamp;

/// Whose id tokens are accepted. Their signature is not checked: they came straight from Microsoft's
/// token endpoint over TLS.
#[derive(Debug, Clone)]
pub struct IdentityPolicy {
    pub client_id: String,
    /// What stands before `/{tenant}/v2.0` in `iss`, without a trailing slash.
    pub login_base: String,
}

impl IdentityPolicy {
    /// `nonce` is the one that was sent to the consent page, if the consent was requested here.
    pub fn admit(
        &self,
        claims: &Claims,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<AccountId, Refusal> {
        let guid = |name: &'static str| {
            text(claims, name).filter(|text| is_guid(text)).ok_or(Refusal::Unauthorized(name))
        };
        let (tenant, object) = (guid("tid")?, guid("oid")?);
        if text(claims, "iss") != Some(&format!("{}/{tenant}/v2.0", self.login_base)) {
            return Err(Refusal::Unauthorized("iss"));
        }
        if text(claims, "aud") != Some(&self.client_id) {
            return Err(Refusal::Unauthorized("aud"));
        }
        if nonce.is_some() && text(claims, "nonce") != nonce {
            return Err(Refusal::Unauthorized("nonce"));
        }
        check_times(claims, now)?;
        Ok(AccountId::new(format!("{tenant}.{object}")))
    }
}

fn is_guid(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) || byte == b'-';
    text.len() == 36 && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
    const OBJECT: &str = "00000000-0000-0000-66f3-3332eca7ea81";

    fn admit(change: Value, nonce: Option<&str>) -> Result<AccountId, Refusal> {
        let mut claims = json!({
            "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "aud": "client", "nonce": "n",
            "tid": TENANT, "oid": OBJECT, "exp": 2000, "iat": 1000, "email": "ada@x.example",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let policy = IdentityPolicy {
            client_id: "client".into(),
            login_base: "https://login.microsoftonline.com".into(),
        };
        policy.admit(claims.as_object().unwrap(), nonce, Timestamp::from_seconds(1500))
    }

    #[test]
    fn an_account_is_its_tenant_and_its_object() {
        let account = Ok(AccountId::new(format!("{TENANT}.{OBJECT}")));
        let refused = |claim| Err(Refusal::Unauthorized(claim));
        let table = [
            (json!({}), Some("n"), account.clone()),
            (json!({"email": "eve@x.example", "nonce": null}), None, account),
            (json!({}), Some("m"), refused("nonce")),
            (json!({"nonce": null}), Some("n"), refused("nonce")),
            (json!({"aud": "another"}), None, refused("aud")),
            (json!({"aud": ["client"]}), None, refused("aud")),
            (json!({"iss": "https://sts.windows.net/x/"}), None, refused("iss")),
            (json!({"tid": "00000000-0000-0000-0000-000000000000"}), None, refused("iss")),
            (json!({"tid": "common"}), None, refused("tid")),
            (json!({"oid": null}), None, refused("oid")),
            (json!({"oid": "a#b"}), None, refused("oid")),
            (json!({"exp": 1000}), None, refused("exp")),
        ];
        for (change, nonce, expected) in table {
            assert_eq!(admit(change.clone(), nonce), expected, "{change} {nonce:?}");
        }
    }
}
