//! The OAuth client, and the scopes that users are asked to grant.

use super::either;
use crate::doctor::fact::Fact;
use crate::doctor::facts::Facts;
use crate::doctor::finding::Finding;
use email_connectors::domain::scopes::{Capability, capabilities};

const CREDENTIALS: &str = "https://console.cloud.google.com/auth/clients";
const SCOPES: &str = "https://developers.google.com/workspace/gmail/api/auth/scopes";
const MODIFY: &str = "openid email https://www.googleapis.com/auth/gmail.modify";

pub fn judge(facts: &Facts) -> Vec<Finding> {
    vec![either(credentials(facts)), identity(facts), scopes(facts)]
}

/// Google got a refresh token that does not exist: it refuses it as `invalid_grant` only once it
/// knows the client.
fn credentials(facts: &Facts) -> Result<Finding, Finding> {
    let id = "client.credentials";
    let url = facts.parameter("GoogleTokenUrl");
    if let Fact::Unreachable(why) = &facts.client {
        let failed = Finding::fail(id, format!("Google's token endpoint cannot be reached: {why}"));
        return Err(failed
            .because("without it no grant is exchanged and none refreshed")
            .mend(format!("curl -i -X POST {url}"))
            .see(CREDENTIALS));
    }
    let answer = facts.client.known(id, |finding| {
        finding.because("oauth-connect, which knows the client, is not deployed")
    })?;
    let error = answer.body["error"].as_str().unwrap_or_default();
    let found = format!("Google answers {} {error}", answer.status);
    match error {
        "invalid_grant" => Ok(Finding::ok(id, "Google knows the client and its secret")),
        "invalid_client" | "unauthorized_client" => {
            let fix = facts.redeploy("GoogleClientId", "…").replace("\"…\"", "… GoogleClientSecret=…");
            let cause = "GoogleClientId or GoogleClientSecret is not that of a client in Google's console, or the client was deleted or disabled";
            Err(Finding::fail(id, found).because(cause).mend(fix).see(CREDENTIALS))
        }
        _ => Err(Finding::fail(id, found)
            .because("this is not how Google's token endpoint refuses an unknown refresh token: GoogleTokenUrl may be another's, or Google is in trouble")
            .mend(facts.redeploy("GoogleTokenUrl", "https://oauth2.googleapis.com/token"))
            .see("https://developers.google.com/identity/protocols/oauth2/web-server#offline")),
    }
}

fn requested_scopes(facts: &Facts) -> Vec<String> {
    facts.parameter("GoogleScopes").split_whitespace().map(String::from).collect()
}

fn identity(facts: &Facts) -> Finding {
    let (id, requested) = ("client.identity", requested_scopes(facts));
    let missing: Vec<&str> = ["openid", "email"]
        .into_iter()
        .filter(|scope| !requested.iter().any(|name| name.ends_with(scope)))
        .collect();
    let found = if missing.is_empty() {
        "openid and email are asked for".into()
    } else {
        format!("{} is not asked for", missing.join(" and "))
    };
    Finding::if_not(missing.is_empty(), id, found, |bad| {
        bad.because(
            "the id token tells whose mailbox was connected; without it every connect is refused",
        )
        .mend(facts.redeploy("GoogleScopes", MODIFY))
        .see("https://developers.google.com/identity/openid-connect/openid-connect#scope-param")
    })
}

fn scopes(facts: &Facts) -> Finding {
    let (id, allowed) = ("client.scopes", capabilities(&requested_scopes(facts)));
    let names: Vec<String> = allowed
        .iter()
        .filter_map(|capability| serde_json::to_value(capability).ok()?.as_str().map(String::from))
        .collect();
    if !allowed.contains(&Capability::ReadHeaders) {
        let found = if names.is_empty() {
            "no Gmail scope is asked for".into()
        } else {
            format!("they allow {}", names.join(", "))
        };
        let failed = Finding::fail(id, found)
            .because("Gmail refuses watch and history under them, so that no mail ever fires");
        return failed.mend(facts.redeploy("GoogleScopes", MODIFY)).see(SCOPES);
    }
    if !allowed.contains(&Capability::Read) {
        let cause = "under gmail.metadata Gmail refuses bodies and searches: history that was lost cannot be replayed";
        return Finding::warn(id, format!("they allow {}", names.join(", ")))
            .because(cause)
            .mend(facts.redeploy("GoogleScopes", MODIFY))
            .see(SCOPES);
    }
    Finding::ok(id, format!("they allow {}", names.join(", ")))
}
