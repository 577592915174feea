//! The facts of a healthy stack.

use connectors_cli::doctor::fact::Fact;
use connectors_cli::doctor::facts::{
    Answer, Facts, Function, Handshake, Key, Mapping, Microsoft, Push, Queue, Table, Tried,
};
use email_connectors::domain::timestamp::Timestamp;
use serde_json::{Value, json};

pub const API: &str = "https://api.example.com";
pub const GRAPH: &str = "https://api.example.com/api/email/webhook/microsoft/graph";
pub const PROBES: [&str; 6] = [
    "probe.clock",
    "probe.id-stays",
    "probe.move-is-a-change",
    "probe.mark-is-a-change",
    "probe.identity-stays",
    "probe.listed",
];
pub const PUSH: &str = "https://api.example.com/api/email/webhook/google/pubsub";

pub fn answer(status: u16, body: Value) -> Fact<Answer> {
    Fact::Known(Answer { status, body })
}

pub fn keys(change: Value) -> Fact<Value> {
    let mut key =
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k", "n": "AQAB", "e": "AQAB"});
    key.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    Fact::Known(json!({"keys": [key]}))
}

pub fn queue(name: &str, gives_up_to: Option<&str>) -> (&'static str, Fact<Queue>) {
    let url = format!("https://sqs.eu-central-1.amazonaws.com/1/{name}");
    let gives_up_to = gives_up_to.map(|name| format!("arn:aws:sqs:eu-central-1:1:{name}"));
    let kept = ["notifications", "dead-letters", "quarantine", "agent-runs", "agent-dead-letters"];
    (
        kept.into_iter().find(|kept| *kept == name).unwrap(),
        Fact::Known(Queue { url, gives_up_to, ..Queue::default() }),
    )
}

pub fn connector() -> Value {
    json!({
        "id": "con_1", "email_address": "ada@example.com", "status": "active", "paused": false, "parked_messages": 0, "last_error": null,
        "watch": {"status": "active", "verified_at": "2026-01-01T00:00:00.000Z"}, "circuit": {"state": "closed", "failures": 0},
        "health": {"status": "healthy", "findings": []}
    })
}

pub fn healthy() -> Facts {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    let function = Function {
        state: "Active".into(),
        last_update: "Successful".into(),
        ..Function::default()
    };
    let functions = [
        "oauth-connect",
        "connectors-api",
        "pubsub-webhook",
        "history-processor",
        "watch-renewer",
        "audit-keeper",
        "console",
    ];
    Facts {
        stack_name: "email-connectors".into(),
        status: "UPDATE_COMPLETE".into(),
        parameters: pairs(&[
            ("AppPublicUrl", "https://app.example.com"),
            ("AllowedOrigins", "https://other.example.com,https://app.example.com"),
            ("AuthIssuer", "https://login.example.com"),
            ("ProcessorTimeout", "45"),
            ("VisibilityTimeout", "270"),
            ("DryRun", "false"),
            ("GoogleClientId", "client"),
            ("GoogleScopes", "openid email https://www.googleapis.com/auth/gmail.modify"),
            ("GoogleTokenUrl", "https://oauth2.googleapis.com/token"),
            ("GoogleCertsUrl", "https://www.googleapis.com/oauth2/v3/certs"),
            ("PubSubTopic", "projects/p/topics/gmail"),
            ("PubSubSubscription", "projects/p/subscriptions/gmail"),
            ("PubSubAudience", "https://connectors.example.com/pubsub"),
            ("PubSubServiceAccount", "push@p.iam.gserviceaccount.com"),
            ("MicrosoftClientId", "11111111-1111-4111-8111-111111111111"),
            ("MicrosoftTenant", "common"),
            ("MicrosoftScopes", "openid profile email offline_access User.Read Mail.ReadWrite"),
            ("MicrosoftLoginBase", "https://login.microsoftonline.com"),
            ("MicrosoftNotificationKey", "****"),
            ("GraphNotificationUrl", GRAPH),
        ]),
        outputs: pairs(&[
            ("PubSubPushEndpoint", PUSH),
            ("GraphNotificationEndpoint", GRAPH),
            ("TableName", "t"),
            ("SecretsKeyId", "k"),
            ("EventBusName", "b"),
        ]),
        bases: vec![API.into()],
        functions: functions
            .into_iter()
            .map(|name| (name, Fact::Known(function.clone())))
            .collect(),
        wake_ups: Fact::Known(Mapping { uuid: "u-1".into(), state: "Enabled".into() }),
        sweeps: Fact::Known("ENABLED".into()),
        bus: Fact::Known(()),
        key: Fact::Known(Key { state: "Enabled".into(), rotates: Fact::Known(true) }),
        table: Fact::Known(Table {
            status: "ACTIVE".into(),
            protected: true,
            indexes: ["due", "told", "fired"]
                .into_iter()
                .map(|name| (name.into(), "ACTIVE".into()))
                .collect(),
            restores: Fact::Known(true),
            expires_by: Fact::Known(Some("expires_at".into())),
        }),
        queues: [
            queue("notifications", Some("dead-letters")),
            queue("dead-letters", None),
            queue("quarantine", None),
            queue("agent-runs", Some("agent-dead-letters")),
            queue("agent-dead-letters", None),
        ]
        .into(),
        client: answer(400, json!({"error": "invalid_grant"})),
        user_keys: keys(json!({})),
        push_keys: keys(json!({})),
        topic: Fact::Known(json!({"name": "projects/p/topics/gmail"})),
        policy: Fact::Known(json!({"bindings": [
            {"role": "roles/pubsub.viewer", "members": ["user:a@b.c"]},
            {"role": "roles/pubsub.publisher", "members": ["user:a@b.c", "serviceAccount:gmail-api-push@system.gserviceaccount.com"]},
        ]})),
        subscription: Fact::Known(subscription(&json!({}))),
        api: answer(200, json!({"app_public_url": "https://app.example.com"})),
        webhook: answer(401, Value::Null),
        skews: [("api", Fact::Known(0)), ("google", Fact::Known(-2))].into(),
        connectors: Fact::Known(vec![connector()]),
        push: Fact::Known(Push {
            connector: "con_1".into(),
            looked_after: Some(900),
            waited_seconds: 30,
        }),
        microsoft: Some(microsoft()),
    }
}

/// As Graph and the token endpoint answer about an app that is as it must be.
pub fn microsoft() -> Microsoft {
    let held = |id| Tried { id, holds: true, found: "it is so".into() };
    let tried = PROBES.map(held);
    Microsoft {
        client: denied("invalid_grant", 9_002_313),
        handshake: Fact::Known(Handshake {
            status: 200,
            content_type: "text/plain; charset=utf-8".into(),
            is_same: true,
        }),
        application: Fact::Known(application(&json!({}))),
        policy: policy(&["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"]),
        now: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
        tried: Some(Fact::Known(tried.into())),
    }
}

/// The token endpoint's refusal.
pub fn denied(error: &str, code: u32) -> Fact<Answer> {
    answer(400, json!({"error": error, "error_codes": [code]}))
}

/// What users of the organization may do by themselves.
pub fn policy(assigned: &[&str]) -> Fact<Value> {
    let permissions = json!({ "permissionGrantPoliciesAssigned": assigned });
    Fact::Known(json!({ "defaultUserRolePermissions": permissions }))
}

/// An app registration as Graph describes it, with top-level fields replaced.
pub fn application(change: &Value) -> Value {
    let mut stands = json!({
        "appId": "11111111-1111-4111-8111-111111111111",
        "signInAudience": "AzureADandPersonalMicrosoftAccount",
        "web": {"redirectUris": ["https://app.example.com/auth/microsoft/callback"]},
        "passwordCredentials": [
            {"endDateTime": "2025-12-01T00:00:00Z"}, {"endDateTime": "2026-12-01T00:00:00Z"},
        ],
    });
    stands.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    stands
}

/// A subscription as Pub/Sub describes it, with top-level fields replaced.
pub fn subscription(change: &Value) -> Value {
    let mut stands = json!({
        "name": "projects/p/subscriptions/gmail",
        "topic": "projects/p/topics/gmail",
        "pushConfig": {
            "pushEndpoint": PUSH,
            "oidcToken": {"serviceAccountEmail": "push@p.iam.gserviceaccount.com", "audience": "https://connectors.example.com/pubsub"},
        },
        "ackDeadlineSeconds": 30,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {},
        "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
        "deadLetterPolicy": {"deadLetterTopic": "projects/p/topics/dead", "maxDeliveryAttempts": 100},
        "state": "ACTIVE",
    });
    stands.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    stands
}
