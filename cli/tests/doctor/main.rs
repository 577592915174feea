//! The doctor beside the deployed stack: a healthy one is well, and what is really broken is named.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test lives in the world, and ends at the first surprise"
)]

mod clinic;

use serde_json::json;
use tests::deployed::User;

use crate::clinic::Clinic;

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_stack_is_well_and_every_broken_set_up_is_named() {
    let clinic = Clinic::open().await;
    clinic.heal().await;
    clinic.is_well().await;

    let mut named = Vec::new();
    named.extend(pubsub(&clinic).await);
    named.extend(google(&clinic).await);
    named.extend(microsoft(&clinic).await);
    named.extend(aws(&clinic).await);
    named.extend(mailboxes(&clinic).await);
    clinic.heal().await;

    let wrong: Vec<&String> = named.iter().filter_map(|named| named.as_ref().err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(named.len() >= 30, "{}", named.len());
    clinic.is_well().await;
}

type Named = Vec<Result<(), String>>;

/// Changes what only the doctor reads from the fake Google.
async fn pubsub(clinic: &Clinic) -> Named {
    let token = |audience: &str, account: &str| json!({"pushConfig": {"oidcToken": {"audience": audience, "serviceAccountEmail": account}}});
    let (audience, account) = (
        "https://connectors.example.com/pubsub",
        "gmail-push@example-project.iam.gserviceaccount.com",
    );
    let subscribed = [
        (token("https://old.example.com", account), "subscription.audience", "fail"),
        (
            token(audience, "other@example-project.iam.gserviceaccount.com"),
            "subscription.account",
            "fail",
        ),
        (json!({"pushConfig": {"oidcToken": null}}), "subscription.audience", "fail"),
        (
            json!({"pushConfig": {"pushEndpoint": "https://old.example.com/push"}}),
            "subscription.endpoint",
            "fail",
        ),
        (json!({"pushConfig": {"pushEndpoint": null}}), "subscription.endpoint", "fail"),
        (
            json!({"pushConfig": {"noWrapper": {"writeMetadata": true}}}),
            "subscription.wrapping",
            "fail",
        ),
        (json!({"expirationPolicy": {"ttl": "2678400s"}}), "subscription.expiry", "fail"),
        (json!({"filter": "attributes.kind = \"x\""}), "subscription.filter", "fail"),
        (json!({"topic": "projects/example-project/topics/other"}), "subscription.topic", "fail"),
        (json!({"detached": true}), "subscription.active", "fail"),
        (json!({"ackDeadlineSeconds": 10}), "subscription.deadline", "warn"),
        (json!({"retryPolicy": null}), "subscription.retry", "warn"),
    ];
    let mut named = Vec::new();
    for (change, id, verdict) in subscribed {
        clinic.change_pubsub(json!({ "subscription": change })).await;
        named.push(clinic.names(id, verdict, &["--only", "subscription"]).await);
    }
    let others = [
        (json!({"refusals": {"subscription": 404}}), "subscription.exists", "fail"),
        (json!({"refusals": {"subscription": 403}}), "subscription.exists", "not_checked"),
        (json!({"refusals": {"topic": 404}}), "topic.exists", "fail"),
        (json!({"refusals": {"topic": 401}}), "topic.exists", "not_checked"),
        (
            json!({"policy": {"bindings": [{"role": "roles/pubsub.viewer", "members": ["user:a@example.com"]}]}}),
            "topic.publisher",
            "fail",
        ),
    ];
    for (change, id, verdict) in others {
        clinic.change_pubsub(change).await;
        named.push(clinic.names(id, verdict, &["--only", id]).await);
    }
    clinic.change_pubsub(json!({"swallows": true})).await;
    named
        .push(clinic.names("push.end-to-end", "fail", &["--only", "push", "--timeout", "2"]).await);
    clinic.change_pubsub(json!({})).await;
    named
}

async fn google(clinic: &Clinic) -> Named {
    let broken = [
        (json!({"method": "token", "status": 401, "times": 0}), "client.credentials"),
        (json!({"method": "token", "status": 503, "times": 0}), "client.credentials"),
        (
            json!({"method": "certs", "path": "/users/certs", "status": 503, "times": 0}),
            "settings.user-keys",
        ),
        (
            json!({"method": "certs", "path": "/oauth2/v3/certs", "status": 503, "times": 0}),
            "settings.push-keys",
        ),
    ];
    let mut named = Vec::new();
    for (fault, id) in broken {
        clinic.arm(fault).await;
        named.push(clinic.names(id, "fail", &["--only", id]).await);
        clinic.disarm().await;
    }
    named
}

async fn microsoft(clinic: &Clinic) -> Named {
    let mut named = Vec::new();
    clinic.change_microsoft(json!({"secret_expired": true})).await;
    named.push(clinic.names("microsoft.client", "fail", &["--only", "microsoft.client"]).await);
    clinic.change_microsoft(json!({})).await;
    let id = "microsoft.notification-url";
    clinic.lead_microsoft_to("http://127.0.0.1:9").await;
    named.push(clinic.names(id, "fail", &["--only", id]).await);
    clinic.lead_microsoft_to(&clinic.stack.api_url).await;
    for id in ["microsoft.registration", "microsoft.secret", "microsoft.consent-policy"] {
        named.push(clinic.names(id, "not_checked", &["--only", id]).await);
    }
    named
}

async fn aws(clinic: &Clinic) -> Named {
    let mut named = Vec::new();
    for (queue, id) in [
        (&clinic.stack.dead_letter_queue_url, "queues.dead-letters"),
        (&clinic.stack.quarantine_queue_url, "queues.quarantine"),
    ] {
        clinic.leave_in(queue).await;
        named.push(clinic.names(id, "warn", &["--only", "queues"]).await);
    }
    clinic.give_nothing_up().await;
    named.push(clinic.names("queues.agent-runs", "fail", &["--only", "queues"]).await);
    clinic.rotate(false).await;
    named.push(clinic.names("key.rotation", "warn", &["--only", "key"]).await);
    clinic.enable_key(false).await;
    named.push(clinic.names("key.enabled", "fail", &["--only", "key"]).await);
    clinic.heal().await;
    clinic.keep_table(false).await;
    named.push(clinic.names("table.backup", "warn", &["--only", "table"]).await);
    named.push(clinic.names("table.expiry", "warn", &["--only", "table"]).await);
    named.push(clinic.names("table.protection", "warn", &["--only", "table"]).await);
    clinic.take_wake_ups(false).await;
    named.push(clinic.names("functions.wake-ups", "fail", &["--only", "functions"]).await);
    clinic.heal().await;
    let nobody = ["--api-url", "http://127.0.0.1:9", "--only"];
    named.push(clinic.names("api.answers", "fail", &[&nobody[..], &["api"]].concat()).await);
    named
        .push(clinic.names("webhook.refuses", "fail", &[&nobody[..], &["webhook"]].concat()).await);
    named.push(clinic.names("settings.stack", "fail", &["--stack-name", "no-such-stack"]).await);
    named
}

async fn mailboxes(clinic: &Clinic) -> Named {
    let left = User::connected(&clinic.stack, "doctor-left").await;
    clinic.revoke(&left).await;
    vec![
        clinic
            .names_to(
                &left,
                &format!("connectors.{}", left.connector),
                "fail",
                &["--only", "connectors"],
            )
            .await,
    ]
}
