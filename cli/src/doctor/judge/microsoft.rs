//! The app registration, what Graph sends its notifications to, and what was tried on a mailbox.

use email_connectors::domain::provider::outlook::aad::{AadError, Whose};
use email_connectors::domain::provider::outlook::methods::REGISTRATION;
use email_connectors::domain::scopes::{Capability, capabilities};
use email_connectors::domain::timestamp::Timestamp;
use serde_json::Value;

use super::either;
use crate::doctor::fact::Fact;
use crate::doctor::facts::{Facts, Microsoft, Tried};
use crate::doctor::finding::Finding;
use crate::show::at;

const CREDENTIALS: &str =
    "https://learn.microsoft.com/en-us/entra/identity-platform/how-to-add-credentials";
const ERRORS: &str =
    "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes";
const VALIDATION: &str = "https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks#notificationurl-validation";
const CONSENT: &str =
    "https://learn.microsoft.com/en-us/entra/identity/enterprise-apps/configure-user-consent";
const SET_UP: &str = "docs/microsoft/README.md";
const SCOPES: &str = "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send";
/// So long before its end a secret is to be replaced.
const SOON_DAYS: i64 = 30;
const DAY_MILLIS: i64 = 24 * 3600 * 1000;

pub fn judge(facts: &Facts) -> Vec<Finding> {
    let Some(microsoft) = &facts.microsoft else { return Vec::new() };
    let mut findings = vec![
        either(client(facts, microsoft)),
        scopes(facts),
        either(notification_url(facts, microsoft)),
        either(registration(facts, microsoft)),
        either(secret(facts, microsoft)),
        either(consent(microsoft)),
        watches(facts),
    ];
    findings.extend(microsoft.tried.as_ref().map(tried).unwrap_or_default());
    findings
}

fn reset(facts: &Facts) -> String {
    format!(
        "az ad app credential reset --id {} --append --years 1; then {}",
        facts.parameter("MicrosoftClientId"),
        facts.redeploy("MicrosoftClientSecret", "…")
    )
}

/// Microsoft got a refresh token that does not exist: it refuses the token, or the client before it.
fn client(facts: &Facts, microsoft: &Microsoft) -> Result<Finding, Finding> {
    let id = "microsoft.client";
    let answer = microsoft.client.known(id, |finding| {
        finding.because("oauth-connect, which knows the client, has no settings of Microsoft's")
    });
    let answer = match (&microsoft.client, answer) {
        (Fact::Unreachable(why), _) => {
            let base = facts.parameter("MicrosoftLoginBase");
            let found = format!("Microsoft's token endpoint cannot be reached: {why}");
            return Err(Finding::fail(id, found)
                .because("without it no grant is exchanged and none refreshed")
                .mend(format!("curl -i {base}/common/v2.0/.well-known/openid-configuration"))
                .see(ERRORS));
        }
        (_, answer) => answer?,
    };
    let error = error_of(&answer.body);
    let code = error.codes.first().map(|code| format!(" AADSTS{code}")).unwrap_or_default();
    let found = format!("Microsoft answers {} {}{code}", answer.status, error.error);
    if error.whose() == Whose::Ours {
        let cause = match error.codes.first() {
            Some(7_000_222) => "the client secret has expired",
            Some(700_016) => "MicrosoftClientId is no app of MicrosoftTenant",
            _ => {
                "MicrosoftClientSecret is not the app's, or the app is not registered as it must be"
            }
        };
        return Err(Finding::fail(id, found).because(cause).mend(reset(facts)).see(CREDENTIALS));
    }
    match error.error.as_str() {
        "invalid_grant" => Ok(Finding::ok(id, "Microsoft knows the client, and refuses the token")),
        _ => Err(Finding::fail(id, found)
            .because("this is not how Microsoft refuses an unknown refresh token")
            .mend(facts.redeploy("MicrosoftLoginBase", "https://login.microsoftonline.com"))
            .see(ERRORS)),
    }
}

fn error_of(body: &Value) -> AadError {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_string();
    let codes = body["error_codes"].as_array().into_iter().flatten();
    AadError {
        error: text("error"),
        suberror: text("suberror"),
        codes: codes.filter_map(|code| code.as_u64()?.try_into().ok()).collect(),
        claims: None,
    }
}

fn requested(facts: &Facts) -> Vec<String> {
    facts.parameter("MicrosoftScopes").split_whitespace().map(String::from).collect()
}

fn scopes(facts: &Facts) -> Finding {
    let id = "microsoft.scopes";
    let allowed = capabilities(&requested(facts));
    let names: Vec<String> = allowed
        .iter()
        .filter_map(|capability| serde_json::to_value(capability).ok()?.as_str().map(String::from))
        .collect();
    let reads = allowed.contains(&Capability::ReadHeaders);
    let found = match names.is_empty() {
        true => "no scope of mail is asked for".into(),
        false => format!("they allow {}", names.join(", ")),
    };
    Finding::if_not(reads, id, found, |bad| {
        bad.because(
            "Graph refuses a subscription to messages under them, so that no mail ever fires",
        )
        .mend(facts.redeploy("MicrosoftScopes", SCOPES))
        .see("docs/outlook.md#scopes")
    })
}

fn notification_url(facts: &Facts, microsoft: &Microsoft) -> Result<Finding, Finding> {
    let (id, url) = ("microsoft.notification-url", facts.parameter("GraphNotificationUrl"));
    let endpoint = facts.outputs.get("GraphNotificationEndpoint").map_or("", String::as_str);
    let set = facts.redeploy("GraphNotificationUrl", endpoint);
    if url.is_empty() || facts.parameter("MicrosoftNotificationKey").is_empty() {
        return Ok(Finding::fail(
            id,
            "GraphNotificationUrl or MicrosoftNotificationKey is not set",
        )
        .because("Graph notifies nobody: mailboxes are only compared, every so often")
        .mend(set)
        .see(SET_UP)
        .only_warns());
    }
    let bad = |finding: Finding| {
        finding
            .because("Graph makes no subscription to it: a validation must be answered 200, as plain text, with its own token")
            .mend(set.clone())
            .see(VALIDATION)
    };
    if let Fact::Unreachable(why) = &microsoft.handshake {
        return Err(bad(Finding::fail(id, format!("{url} cannot be reached: {why}"))));
    }
    let answer = microsoft.handshake.known(id, bad)?;
    let is_plain = answer.content_type.to_ascii_lowercase().starts_with("text/plain");
    let good = answer.status == 200 && is_plain && answer.is_same;
    let found = match good {
        true => format!("{url} answers a validation"),
        false => format!(
            "{url} answers {} {}, {}",
            answer.status,
            answer.content_type,
            if answer.is_same { "with the token" } else { "without the token" }
        ),
    };
    Ok(Finding::if_not(good, id, found, bad))
}

/// Whose accounts the app takes, as `MicrosoftTenant` names them.
fn audiences(tenant: &str) -> &'static [&'static str] {
    match tenant {
        "common" => &["AzureADandPersonalMicrosoftAccount"],
        "organizations" => &["AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount"],
        "consumers" => &["PersonalMicrosoftAccount", "AzureADandPersonalMicrosoftAccount"],
        _ => &["AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount"],
    }
}

fn registration(facts: &Facts, microsoft: &Microsoft) -> Result<Finding, Finding> {
    let id = "microsoft.registration";
    let app = facts.parameter("MicrosoftClientId");
    let bad = |finding: Finding| finding.see(SET_UP);
    let found = microsoft.application.known(id, |finding| {
        let cause = "MicrosoftClientId is no app registration of your organization";
        bad(finding).because(cause).mend("az login --tenant TENANT, then look again")
    })?;
    let (audience, tenant) = (at(found, "/signInAudience"), facts.parameter("MicrosoftTenant"));
    if !audiences(tenant).contains(&audience.as_str()) {
        let finding = Finding::fail(id, format!("the app is for {audience}"))
            .because(format!("MicrosoftTenant is {tenant}: not all of its accounts may sign in"));
        let fix = format!(
            "az ad app update --id {app} --sign-in-audience {}",
            audiences(tenant).first().unwrap_or(&"")
        );
        return Ok(bad(finding.mend(fix)));
    }
    let public = facts.parameter("AppPublicUrl").trim_end_matches('/');
    let callback = format!("{public}{}", REGISTRATION.callback);
    let registered: Vec<&str> = found["web"]["redirectUris"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let summary = match registered.contains(&callback.as_str()) {
        true => format!("it is for {audience}, and returns to {callback}"),
        false => format!("{callback} is not among the redirect URIs of the platform Web"),
    };
    Ok(Finding::if_not(registered.contains(&callback.as_str()), id, summary, |finding| {
        let all: Vec<&str> = registered.iter().copied().chain([callback.as_str()]).collect();
        bad(finding)
            .because("Microsoft shows every user an error (AADSTS50011) in place of the consent")
            .mend(format!("az ad app update --id {app} --web-redirect-uris {}", all.join(" ")))
    }))
}

/// The one that ends last: which of them the stack has cannot be seen.
fn secret(facts: &Facts, microsoft: &Microsoft) -> Result<Finding, Finding> {
    let id = "microsoft.secret";
    let app = microsoft.application.known(id, |finding| {
        finding.because("see microsoft.registration").mend("see microsoft.registration")
    })?;
    let ends = app["passwordCredentials"].as_array().into_iter().flatten();
    let last = ends.filter_map(|one| Timestamp::parse(one["endDateTime"].as_str()?)).max();
    let bad = |finding: Finding| {
        finding
            .because(
                "without a secret no grant is exchanged and none refreshed; both work side by side",
            )
            .mend(reset(facts))
            .see(CREDENTIALS)
    };
    let Some(last) = last else { return Ok(bad(Finding::fail(id, "the app has no secret"))) };
    let days = (last.millis() - microsoft.now.millis()).div_euclid(DAY_MILLIS);
    Ok(match days {
        ..0 => bad(Finding::fail(id, format!("the last one ended {} days ago", -days))),
        0..SOON_DAYS => bad(Finding::warn(id, format!("the last one ends in {days} days"))),
        _ => Finding::ok(id, format!("the last one ends in {days} days")),
    })
}

/// Of the operator's own organization; each has a policy of its own.
fn consent(microsoft: &Microsoft) -> Result<Finding, Finding> {
    let id = "microsoft.consent-policy";
    let policy = microsoft.policy.known(id, |finding| {
        finding
            .because("the organization tells no policy")
            .mend("look in the Entra admin center")
            .see(CONSENT)
    })?;
    let assigned = &policy["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"];
    let own: Vec<&str> = assigned
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str()?.strip_prefix("ManagePermissionGrantsForSelf."))
        .collect();
    let free = own.contains(&"microsoft-user-default-legacy");
    let found = match own.is_empty() {
        true => "users of your organization may consent to nothing".into(),
        false => format!("users of your organization may consent by {}", own.join(", ")),
    };
    Ok(Finding::if_not(free, id, found, |bad| {
        bad.because("for Mail.* an administrator must consent, once for all users, unless one did; each organization decides for itself")
            .mend("GET /api/auth/microsoft/outlook/admin-consent says where to send an administrator")
            .see(CONSENT)
            .only_warns()
    }))
}

/// The caller's connectors of Outlook: whether each has a subscription that lives.
fn watches(facts: &Facts) -> Finding {
    let id = "microsoft.subscriptions";
    let all = match facts.connectors.known(id, |finding| finding) {
        Ok(all) => all,
        Err(finding) => return finding,
    };
    let active: Vec<&Value> = all
        .iter()
        .filter(|one| at(one, "/provider") == "outlook" && at(one, "/status") == "active")
        .collect();
    let without: Vec<String> = active
        .iter()
        .filter(|one| at(one, "/watch/status") != "active")
        .map(|one| at(one, "/id"))
        .collect();
    let found = match without.is_empty() {
        true => format!("{} of the caller's connectors have one", active.len()),
        false => format!("{} have none: {}", without.len(), without.join(" ")),
    };
    Finding::if_not(without.is_empty(), id, found, |bad| {
        bad.because("their mailboxes are compared until the renewer has made one")
            .mend(format!("connectors renew {}", without.join(" ")))
            .see("docs/outlook.md#the-watch")
            .only_warns()
    })
}

fn tried(fact: &Fact<Vec<Tried>>) -> Vec<Finding> {
    let all = match fact.known("probe.mailbox", |finding| finding) {
        Ok(all) => all,
        Err(finding) => return vec![finding],
    };
    let judged = all.iter().map(|one| {
        Finding::if_not(one.holds, one.id, one.found.clone(), |bad| {
            bad.because("Outlook's connectors build on it: mail could come late, or be looked at more than once")
                .mend("tell the project of it, with this report")
                .see("docs/outlook.md#what-is-taken-for-granted")
        })
    });
    judged.collect()
}
