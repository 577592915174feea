//! No owner reaches another's rows, secrets, answers or consents; and what each role may do with
//! its own.

use email_connectors::domain::connector::StoredGrant;
use email_connectors::domain::id::{ConnectorId, OwnerId};
use email_connectors::domain::operation::{BodyShape, OPERATIONS};
use email_connectors::domain::role::{Action, Role};
use email_connectors::ports::{Exchange, Store};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{User, read, token, token_with};

use crate::security::case::Case;
use crate::security::connecting::CONNECT;
use crate::security::forge::unique;
use crate::security::signing::Hook;
use crate::security::target::{Target, status, summary};

async fn answered(
    target: &Target,
    method: &Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> (u16, String) {
    let response = target.stack.api(method.clone(), path, Some(token), body).await;
    (status(&response), response.text().await.unwrap())
}

/// Every route that takes an id, with a body that would change something.
fn routes() -> Vec<(Method, &'static str, &'static str, Option<Value>)> {
    vec![
        (Method::GET, "connector", "/api/connectors/{id}", None),
        (Method::PATCH, "connector", "/api/connectors/{id}", Some(json!({"paused": true}))),
        (Method::DELETE, "connector", "/api/connectors/{id}", None),
        (Method::PATCH, "connector", "/api/connectors/{id}", Some(json!({"label": "mine"}))),
        (Method::GET, "connector", "/api/connectors/{id}/health", None),
        (Method::POST, "connector", "/api/connectors/{id}/sync", None),
        (
            Method::POST,
            "connector",
            "/api/connectors/{id}/rehearsals",
            Some(json!({"config": {"filters": {"label_include": ["mine"]}}})),
        ),
        (Method::GET, "trigger", "/api/triggers/{id}", None),
        (Method::GET, "trigger", "/api/triggers/{id}/firings", None),
        (Method::POST, "trigger", "/api/triggers/{id}/test", Some(json!({"days": 30}))),
        (Method::PATCH, "trigger", "/api/triggers/{id}", Some(json!({"agent_id": "mine"}))),
        (Method::DELETE, "trigger", "/api/triggers/{id}", None),
        (Method::POST, "webhook", "/api/triggers/{id}/secret", None),
        (
            Method::POST,
            "webhook",
            "/api/triggers/{id}/events",
            Some(json!({"event_type": "theirs"})),
        ),
        (
            Method::POST,
            "connector",
            "/api/triggers",
            Some(json!({"type": "email", "config": {"connector_id": "{id}"}})),
        ),
        (
            Method::POST,
            "connector",
            "/api/triggers",
            Some(json!({"type": "webhook", "config": {"connector_id": "{id}"}})),
        ),
    ]
}

#[tokio::test]
async fn case_27_another_owners_rows() {
    let mut case =
        Case::new(27, "API: owner A reads, changes, deletes owner B's connector, trigger, message");
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "mine").await);
        let hook = Hook::of(&target, &user).await;
        let stranger = User::connected(&target.stack, "stranger").await;
        target.idle().await;
        let own = async || {
            let connector = user.connector(&target.stack).await;
            let triggers = read(
                target.stack.api(Method::GET, "/api/triggers", Some(&user.token), None).await,
                StatusCode::OK,
            )
            .await;
            (
                connector["paused"].clone(),
                connector["label"].clone(),
                connector["status"].clone(),
                triggers,
            )
        };
        let before = own().await;
        for (method, kind, path, body) in routes() {
            let (id, prefix) = match kind {
                "connector" => (&user.connector, "con"),
                "trigger" => (&user.trigger, "trg"),
                _ => (&hook.trigger, "trg"),
            };
            let with = |id: &str| {
                let body = body.as_ref().map(|body| {
                    serde_json::from_str(&body.to_string().replace("{id}", id)).unwrap()
                });
                (path.replace("{id}", id), body)
            };
            let what = format!("{name}: {method} {path} with a {kind}'s id");
            let (path, body) = with(id);
            let theirs = answered(&target, &method, &path, &stranger.token, body).await;
            let (path, body) = with(&format!("{prefix}_{}", unique()));
            let unknown = answered(&target, &method, &path, &stranger.token, body).await;
            case.check(&what, 404, theirs.0);
            case.check(format!("{what}, the same body as for an unknown id"), unknown.1, theirs.1);
        }
        for path in ["/api/connectors", "/api/triggers"] {
            let (_, listed) = answered(&target, &Method::GET, path, &stranger.token, None).await;
            case.check(
                format!("{name}: GET {path} shows the other owner's"),
                false,
                listed.contains(&user.owner),
            );
        }
        let message = user.receive(&target.stack, json!({"subject": "invoice"})).await;
        target.fired(&user.owner, 1).await;
        let paths = [
            "/api/owner/data".to_string(),
            format!("/api/owner/data?page_token={}", user.connector),
        ];
        for path in paths {
            let (answer, export) =
                answered(&target, &Method::GET, &path, &stranger.token, None).await;
            case.check(format!("{name}: an export of the stranger's"), 200, answer);
            let leaks = export.contains(&user.owner) || export.contains(&message);
            case.check(
                format!(
                    "{name}: it shows the other owner's (page of {})",
                    if path.contains('?') { "the other's connector" } else { "its own" }
                ),
                false,
                leaks,
            );
        }
        let (erased, _) =
            answered(&target, &Method::DELETE, "/api/owner/data", &stranger.token, None).await;
        case.note(
            format!("{name}: the stranger erases all that is its own"),
            "200 or 202",
            erased,
            matches!(erased, 200 | 202),
        );
        case.check(
            format!("{name}: after all this the owner's rows are as before"),
            true,
            own().await == before,
        );
        let message = user.receive(&target.stack, json!({"subject": "another invoice"})).await;
        let fired = target.fired(&user.owner, if target.inside.is_some() { 2 } else { 1 }).await;
        case.check(
            format!("{name}: and its mail fires"),
            true,
            fired.iter().any(|event| event["message"]["id"] == message),
        );
    }
}

#[tokio::test]
async fn case_28_a_sealed_secret_in_another_row() {
    let mut case = Case::new(28, "table: a sealed secret copied to another row");
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "mine").await);
        let other = User::connected(&target.stack, "other").await;
        target.idle().await;
        match &target.inside {
            Some(inside) => {
                let store = inside.world.store();
                let stored = async |user: &User| {
                    let (owner, id) =
                        (OwnerId::new(&user.owner), ConnectorId::parse(&user.connector).unwrap());
                    store.connector(&owner, &id).await.unwrap().unwrap()
                };
                let (mine, sealed) =
                    (stored(&user).await, stored(&other).await.grant.refresh_token);
                let stolen = StoredGrant {
                    refresh_token: sealed,
                    generation: mine.grant.generation + 1,
                    ..mine.grant.clone()
                };
                let exchange = Exchange { fingerprint: uuid::Uuid::nil(), at: mine.updated_at };
                store.reconnect(&mine, &stolen, &exchange, &[]).await.unwrap();
            }
            None => copy_secret(&target, &other, &user).await,
        }
        target.forget_calls().await;
        user.receive(&target.stack, json!({"subject": "invoice"})).await;
        // The in-memory vault counts no metric; there the wake-up is put off.
        let metric = if target.inside.is_none() { "SecretWrongContext" } else { "WakeUps/put_off" };
        let counted = target.counted_to(metric, 1).await;
        case.note(format!("{name}: {metric}"), "at least 1", counted, counted >= 1);
        let used = target
            .calls()
            .await
            .iter()
            .filter(|call| call["email"] == other.email || call["email"] == user.email)
            .count();
        case.check(format!("{name}: calls to Google for either mailbox"), 0, used);
        let shown = user.connector(&target.stack).await;
        case.check(
            format!("{name}: the API shows of it"),
            json!("[redacted]"),
            shown["credentials"].clone(),
        );
        let message = other.receive(&target.stack, json!({"subject": "invoice"})).await;
        let fired = target.fired(&other.owner, 1).await;
        case.check(
            format!("{name}: the other connector works as before"),
            json!([message]),
            super::granting::ids(&fired),
        );
        let fired =
            if target.inside.is_some() { target.fired(&user.owner, 0).await.len() } else { 0 };
        case.check(format!("{name}: what fired for the robbed row"), 0, fired);
        // A reconnect repairs the row.
        user.connect(&target.stack).await;
        case.check(
            format!("{name}: after a reconnect"),
            json!("active"),
            user.connector(&target.stack).await["status"].clone(),
        );
        target.idle().await;
    }
}

/// What an attacker can do who can write to the table but not use the key.
async fn copy_secret(target: &Target, from: &User, to: &User) {
    use aws_sdk_dynamodb::types::AttributeValue;
    let table = aws_sdk_dynamodb::Client::new(&target.stack.config().await);
    let key = |user: &User| {
        (
            AttributeValue::S(format!("MAILBOX#{}", user.email)),
            AttributeValue::S(format!("CONNECTOR#{}", user.connector)),
        )
    };
    let (pk, sk) = key(from);
    let request = table.get_item().table_name(&target.stack.table).key("pk", pk).key("sk", sk);
    let row = request.send().await.unwrap().item.unwrap();
    let (pk, sk) = key(to);
    let request = table.update_item().table_name(&target.stack.table).key("pk", pk).key("sk", sk);
    // With another generation, so that no process uses its cached access token.
    let request = request
        .update_expression("SET refresh_token = :stolen ADD generation :one REMOVE access_token");
    let request = request.expression_attribute_values(":one", AttributeValue::N("1".into()));
    request
        .expression_attribute_values(":stolen", row["refresh_token"].clone())
        .send()
        .await
        .unwrap();
}

/// Each route with the least role that it needs.
fn by_role() -> Vec<(Method, String, Option<Value>, Role)> {
    let mail = OPERATIONS.iter().map(|entry| {
        let path = entry.path.replace("{part_id}", "1").replace(['{', '}'], "");
        let method = Method::from_bytes(entry.verb.as_str().as_bytes()).unwrap();
        let body = (entry.body != BodyShape::None).then(
            || json!({"ids": ["1"], "name": "a", "to": ["bo@example.com"], "add_label_ids": ["A"]}),
        );
        // Written out here, not taken from the code under test.
        let least = if method == Method::GET { Role::Operator } else { Role::Admin };
        (method, format!("/api/connectors/con_unknown{path}"), body, least)
    });
    let others = vec![
        (Method::GET, "/api/me", None, Role::Viewer),
        (Method::GET, "/api/connectors", None, Role::Viewer),
        (Method::GET, "/api/connectors/con_unknown", None, Role::Viewer),
        (Method::GET, "/api/connectors/con_unknown/health", None, Role::Viewer),
        (Method::GET, "/api/triggers", None, Role::Viewer),
        (Method::GET, "/api/triggers/trg_unknown", None, Role::Viewer),
        (Method::POST, CONNECT, Some(json!({"auth_code": "4/0unknown"})), Role::Operator),
        // Replacing deletes the old connector.
        (
            Method::POST,
            CONNECT,
            Some(json!({"auth_code": "4/0unknown", "replace": true})),
            Role::Admin,
        ),
        (Method::GET, "/api/auth/google/gmail/start", None, Role::Operator),
        (
            Method::PATCH,
            "/api/connectors/con_unknown",
            Some(json!({"paused": true})),
            Role::Operator,
        ),
        (Method::PATCH, "/api/connectors/con_unknown", Some(json!({"label": "a"})), Role::Operator),
        (Method::POST, "/api/connectors/con_unknown/sync", None, Role::Operator),
        (Method::POST, "/api/connectors/con_unknown/rehearsals", Some(json!({})), Role::Operator),
        (Method::POST, "/api/triggers/trg_unknown/test", Some(json!({})), Role::Operator),
        (Method::GET, "/api/triggers/trg_unknown/firings", None, Role::Viewer),
        (Method::POST, "/api/triggers/trg_unknown/secret", None, Role::Operator),
        (Method::POST, "/api/triggers", Some(json!({"type": "email"})), Role::Operator),
        (
            Method::PATCH,
            "/api/triggers/trg_unknown",
            Some(json!({"agent_id": "a"})),
            Role::Operator,
        ),
        (Method::POST, "/api/triggers/trg_unknown/events", Some(json!({})), Role::Operator),
        (Method::DELETE, "/api/triggers/trg_unknown", None, Role::Admin),
        (Method::DELETE, "/api/connectors/con_unknown", None, Role::Admin),
        (Method::GET, "/api/owner/data", None, Role::Admin),
        (Method::DELETE, "/api/owner/data", None, Role::Admin),
    ];
    let others = others
        .into_iter()
        .map(|(method, path, body, least)| (method, path.to_string(), body, least));
    others.chain(mail).collect()
}

#[tokio::test]
async fn case_36_roles() {
    let mut case = Case::new(36, "API: roles; a claim that is a string, an array, absent, unknown");
    for action in Action::ALL {
        let least = action.needs();
        for role in Role::ALL {
            case.check(
                format!("the table: a {} may {action:?}", role.as_str()),
                role >= least,
                role.may(action),
            );
        }
    }
    case.check(
        "the table: sending mail needs",
        "admin".to_string(),
        Action::WriteMail.needs().as_str().to_string(),
    );
    case.check(
        "the table: deleting needs",
        "admin".to_string(),
        Action::Delete.needs().as_str().to_string(),
    );
    let claims = [
        ("viewer", json!({"role": "viewer"}), Role::Viewer),
        ("operator", json!({"role": "operator"}), Role::Operator),
        ("admin", json!({"role": "admin"}), Role::Admin),
        ("absent", json!({"role": null}), Role::Viewer),
        ("unknown", json!({"role": "root"}), Role::Viewer),
        ("in capitals", json!({"role": "Admin"}), Role::Viewer),
        ("a list", json!({"role": ["viewer", "operator"]}), Role::Operator),
        ("a list of unknown ones", json!({"role": ["root", 7]}), Role::Viewer),
        ("a list in a list", json!({"role": [["admin"]]}), Role::Viewer),
        ("an object", json!({"role": {"role": "admin"}}), Role::Viewer),
        ("another claim", json!({"role": null, "roles": "admin"}), Role::Viewer),
    ];
    for target in Target::all().await {
        let name = target.name;
        for (what, claims, role) in &claims {
            let token = token_with(
                &target.stack,
                json!({"sub": format!("role-{}", unique()), "claims": claims}),
            )
            .await;
            for (method, path, body, least) in by_role() {
                let answer =
                    summary(target.stack.api(method.clone(), &path, Some(&token), body).await)
                        .await;
                let allowed = *role >= least;
                let pass = if allowed {
                    !answer.starts_with("401") && !answer.starts_with("403")
                } else {
                    answer == "403 role_not_allowed"
                };
                let expected = if allowed { "let in" } else { "403 role_not_allowed" };
                case.note(format!("{name}: role {what}, {method} {path}"), expected, answer, pass);
            }
        }
        let user = User::connected(&target.stack, "roles").await;
        let operator =
            token_with(&target.stack, json!({"sub": user.owner, "claims": {"role": "operator"}}))
                .await;
        for path in [
            format!("/api/connectors/{}", user.connector),
            format!("/api/triggers/{}", user.trigger),
        ] {
            let answer =
                summary(target.stack.api(Method::DELETE, &path, Some(&operator), None).await).await;
            case.check(
                format!("{name}: an operator deletes an existing one"),
                "403 role_not_allowed".to_string(),
                answer,
            );
            let still = target.stack.api(Method::GET, &path, Some(&operator), None).await;
            case.check(format!("{name}: it is still there"), 200, status(&still));
        }
    }
}

#[tokio::test]
async fn case_38_anothers_answers_and_states() {
    let mut case = Case::new(38, "API: idempotency keys and OAuth states of another owner");
    for target in Target::all().await {
        let (name, user) = (target.name, User::new(&target.stack, "mine").await);
        let stranger = token(&target.stack, &format!("stranger-{}", unique())).await;
        let body = json!({"auth_code": user.code(&target.stack).await, "state": "shared"});
        let first =
            target.stack.api(Method::POST, CONNECT, Some(&user.token), Some(body.clone())).await;
        case.check(format!("{name}: a connect"), 200, status(&first));
        let theirs =
            target.stack.api(Method::POST, CONNECT, Some(&stranger), Some(body.clone())).await;
        case.check(
            format!("{name}: the very same request of another owner"),
            "400 invalid_grant".to_string(),
            summary(theirs).await,
        );
        let again = target.stack.api(Method::POST, CONNECT, Some(&user.token), Some(body)).await;
        case.check(
            format!("{name}: the same request of the same owner"),
            read(first, StatusCode::OK).await,
            read(again, StatusCode::OK).await,
        );

        let (mine, other) = (
            User::connected(&target.stack, "keys").await,
            User::connected(&target.stack, "keys").await,
        );
        let (hook, their_hook) = (Hook::of(&target, &mine).await, Hook::of(&target, &other).await);
        let fire = async |token: &str, hook: &Hook| {
            let request = target
                .stack
                .request(Method::POST, &hook.path())
                .bearer_auth(token)
                .header("idempotency-key", "the-same");
            let answer = target.stack.answer(request.body(r#"{"event_type":"a"}"#)).await;
            let status = status(&answer);
            let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            (status, body["event_id"].as_str().unwrap_or_default().to_string())
        };
        let (first, again) = (fire(&mine.token, &hook).await, fire(&mine.token, &hook).await);
        case.check(format!("{name}: the first request under a key"), 202, first.0);
        case.check(format!("{name}: the key again, the same event"), true, first == again);
        let theirs = fire(&other.token, &their_hook).await;
        case.check(
            format!("{name}: the same key of another owner, an event of its own"),
            true,
            theirs.0 == 202 && theirs.1 != first.1,
        );
        case.check(
            format!("{name}: the same key, of another owner, at this owner's trigger"),
            404,
            fire(&other.token, &hook).await.0,
        );

        let owner = User::new(&target.stack, "consented").await;
        let (state, code) = super::connecting::consented(&target, &owner).await;
        let stolen = super::connecting::redirect_body(&code, &state);
        let answer =
            target.stack.api(Method::POST, CONNECT, Some(&stranger), Some(stolen.clone())).await;
        case.check(
            format!("{name}: a state of another owner"),
            "400 unknown_state".to_string(),
            summary(answer).await,
        );
        let answer =
            target.stack.api(Method::POST, CONNECT, Some(&owner.token), Some(stolen)).await;
        case.check(format!("{name}: the state's owner after that"), 200, status(&answer));
    }
}
