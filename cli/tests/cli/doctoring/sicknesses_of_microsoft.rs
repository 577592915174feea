//! The same of what Outlook needs.

use connectors_cli::doctor::fact::Fact;
use connectors_cli::doctor::facts::{Facts, Handshake, Microsoft};
use connectors_cli::doctor::finding::Verdict;
use serde_json::{Value, json};

use super::patient::{answer, application, connector, denied, policy};
use super::sicknesses::{Change, Sickness, parameter};

fn of(change: impl Fn(&mut Microsoft) + 'static) -> Change {
    Box::new(move |facts: &mut Facts| change(facts.microsoft.as_mut().unwrap()))
}

fn app(change: Value) -> Change {
    of(move |known| known.application = Fact::Known(application(&change)))
}

fn refused(error: &'static str, code: u32) -> Change {
    of(move |known| known.client = denied(error, code))
}

fn shaken(status: u16, content_type: &'static str, is_same: bool) -> Change {
    let content_type = String::from(content_type);
    of(move |known| {
        let content_type = content_type.clone();
        known.handshake = Fact::Known(Handshake { status, content_type, is_same });
    })
}

fn ends(moment: &str) -> Change {
    app(json!({"passwordCredentials": [{"endDateTime": moment}]}))
}

fn does_not_hold(id: &'static str) -> Sickness {
    let change = of(move |known| {
        let Some(Fact::Known(tried)) = &mut known.tried else { panic!("tried") };
        tried.iter_mut().find(|one| one.id == id).unwrap().holds = false;
    });
    (change, id, Verdict::Fail, "docs/outlook.md#what-is-taken-for-granted")
}

pub fn sicknesses() -> Vec<Sickness> {
    use Verdict::{Fail, Unchecked, Warn};
    let unwatched: Change = Box::new(|facts| {
        let mut connector = connector();
        connector["provider"] = json!("outlook");
        connector["watch"] = json!({"status": "failed"});
        facts.connectors = Fact::Known(vec![connector]);
    });
    vec![
        (refused("invalid_client", 7_000_222), "microsoft.client", Fail, "has expired"),
        (refused("invalid_client", 7_000_215), "microsoft.client", Fail, "credential reset"),
        (refused("unauthorized_client", 700_016), "microsoft.client", Fail, "no app of"),
        (refused("invalid_request", 900_144), "microsoft.client", Fail, "AADSTS900144"),
        (
            of(|known| known.client = answer(404, Value::Null)),
            "microsoft.client",
            Fail,
            "answers 404",
        ),
        (
            of(|known| known.client = Fact::Unreachable("timed out".into())),
            "microsoft.client",
            Fail,
            "timed out",
        ),
        (
            of(|known| known.client = Fact::Denied("kms:Decrypt".into())),
            "microsoft.client",
            Unchecked,
            "kms:Decrypt",
        ),
        (
            parameter("MicrosoftScopes", "openid offline_access Mail.Send"),
            "microsoft.scopes",
            Fail,
            "they allow send",
        ),
        (
            parameter("MicrosoftScopes", "openid offline_access"),
            "microsoft.scopes",
            Fail,
            "no scope of mail",
        ),
        (
            parameter("GraphNotificationUrl", ""),
            "microsoft.notification-url",
            Warn,
            "GraphNotificationUrl=\"https://api.example.com",
        ),
        (
            parameter("MicrosoftNotificationKey", ""),
            "microsoft.notification-url",
            Warn,
            "is not set",
        ),
        (shaken(404, "text/plain", true), "microsoft.notification-url", Fail, "answers 404"),
        (shaken(200, "text/html", true), "microsoft.notification-url", Fail, "text/html"),
        (shaken(200, "text/plain", false), "microsoft.notification-url", Fail, "without the token"),
        (
            of(|known| known.handshake = Fact::Unreachable("refused".into())),
            "microsoft.notification-url",
            Fail,
            "cannot be reached: refused",
        ),
        (
            app(json!({"signInAudience": "AzureADMultipleOrgs"})),
            "microsoft.registration",
            Fail,
            "--sign-in-audience AzureADandPersonalMicrosoftAccount",
        ),
        (
            app(json!({"web": {"redirectUris": ["https://other.example.com"]}})),
            "microsoft.registration",
            Fail,
            "--web-redirect-uris https://other.example.com https://app.example.com/auth/microsoft/callback",
        ),
        (
            of(|known| known.application = Fact::Absent),
            "microsoft.registration",
            Fail,
            "no app registration",
        ),
        (
            of(|known| known.application = Fact::Skipped("needs a Graph token".into())),
            "microsoft.registration",
            Unchecked,
            "needs a Graph token",
        ),
        (ends("2025-12-30T12:00:00Z"), "microsoft.secret", Fail, "ended 2 days ago"),
        (ends("2026-01-20T00:00:00Z"), "microsoft.secret", Warn, "ends in 19 days"),
        (app(json!({"passwordCredentials": []})), "microsoft.secret", Fail, "no secret"),
        (
            of(|known| known.policy = policy(&[])),
            "microsoft.consent-policy",
            Warn,
            "may consent to nothing",
        ),
        (
            of(|known| {
                let low = "ManagePermissionGrantsForSelf.microsoft-user-default-low";
                known.policy = policy(&[low]);
            }),
            "microsoft.consent-policy",
            Warn,
            "admin-consent",
        ),
        (unwatched, "microsoft.subscriptions", Warn, "connectors renew con_1"),
        (
            of(|known| known.tried = Some(Fact::Unreachable("no draft".into()))),
            "probe.mailbox",
            Unchecked,
            "no draft",
        ),
        does_not_hold("probe.clock"),
        does_not_hold("probe.id-stays"),
        does_not_hold("probe.move-is-a-change"),
        does_not_hold("probe.mark-is-a-change"),
        does_not_hold("probe.identity-stays"),
        does_not_hold("probe.listed"),
    ]
}
