//! How a connection ends: the last disconnect stops the watch and revokes the grant; Google reports
//! that access ended.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{User, read};
use tests::stage::{MINUTE, Stage, subjects};
use tests::world::{Call, Consent, Mail, When};

use email_connectors::flows::connect::ConnectError;

use crate::security::case::Case;
use crate::security::forge::{seconds, unique};
use crate::security::granting::{alive, ids};
use crate::security::target::{Target, status};

/// Disconnects; returns the receipt.
async fn disconnect(target: &Target, user: &User) -> Value {
    let path = format!("/api/connectors/{}", user.connector);
    let response = target.stack.api(Method::DELETE, &path, Some(&user.token), None).await;
    read(response, StatusCode::OK).await
}

#[tokio::test]
async fn case_33_two_connectors_on_one_mailbox() {
    let mut case = Case::new(
        33,
        "disconnect with two connectors on one mailbox; a connect racing the last disconnect",
    );
    for target in Target::all().await {
        for first_leaves in [true, false] {
            two_owners(&mut case, &target, first_leaves).await;
        }
    }
    races(&mut case).await;
}

async fn two_owners(case: &mut Case, target: &Target, first_leaves: bool) {
    let name = format!(
        "{}, the {} leaves first",
        target.name,
        if first_leaves { "first" } else { "second" }
    );
    let one = User::connected(&target.stack, "one").await;
    let two = one.beside(&target.stack, "two").await.connecting(&target.stack).await;
    target.idle().await;
    let message = one.receive(&target.stack, json!({"subject": "invoice for both"})).await;
    let all = both(target, &one, &two, 1).await;
    case.check(format!("{name}: both fire"), json!([[message], [message]]), all);
    let (leaving, staying) = if first_leaves { (&one, &two) } else { (&two, &one) };
    target.forget_calls().await;
    let receipt = disconnect(target, leaving).await;
    case.check(
        format!("{name}: the first disconnect"),
        json!({"watch_stopped": false, "grant_revoked": false, "data_purged": true}),
        receipt,
    );
    let ended =
        target.called_for(&one.email, "stop").await + target.called_for(&one.email, "revoke").await;
    case.check(format!("{name}: stops and revocations"), 0, ended);
    let message = one.receive(&target.stack, json!({"subject": "invoice for one"})).await;
    let fired = target.fired(&staying.owner, if target.inside.is_some() { 2 } else { 1 }).await;
    case.check(
        format!("{name}: the other fires on"),
        json!(message),
        fired.last().map_or(Value::Null, |event| event["message"]["id"].clone()),
    );
    target.idle().await;
    target.forget_calls().await;
    let receipt = disconnect(target, staying).await;
    case.check(
        format!("{name}: the last disconnect"),
        json!({"watch_stopped": true, "grant_revoked": true, "data_purged": true}),
        receipt,
    );
    let ends: Vec<String> = target
        .calls()
        .await
        .iter()
        .filter(|call| call["email"] == one.email.as_str())
        .filter_map(|call| {
            call["method"]
                .as_str()
                .filter(|method| ["stop", "revoke"].contains(method))
                .map(String::from)
        })
        .collect();
    case.check(
        format!("{name}: calls to Google, in order"),
        "stop, revoke".to_string(),
        ends.join(", "),
    );
    case.check(format!("{name}: grants alive"), 0, alive(target, &one.email).await);
    let again = one.beside(&target.stack, "again").await.connecting(&target.stack).await;
    case.note(
        format!("{name}: a connect right after has a living grant"),
        "at least 1 alive",
        alive(target, &one.email).await,
        alive(target, &one.email).await > 0,
    );
    let message = again.receive(&target.stack, json!({"subject": "invoice at last"})).await;
    case.check(
        format!("{name}: and its mail fires"),
        json!([message]),
        ids(&target.fired(&again.owner, 1).await),
    );
}

/// The fired messages of each of two owners.
async fn both(target: &Target, one: &User, two: &User, expected: usize) -> Value {
    json!([
        ids(&target.fired(&one.owner, expected).await),
        ids(&target.fired(&two.owner, expected).await)
    ])
}

/// Another owner connects the account at every step of the last disconnect.
async fn races(case: &mut Case) {
    let moments = [
        (Call::Membership, When::After),
        (Call::BeginClosing, When::Before),
        (Call::BeginClosing, When::After),
        (Call::Stop, When::Before),
        (Call::Stop, When::After),
        (Call::RecordClosing, When::Before),
        (Call::OpenRefreshToken, When::After),
        (Call::Revoke, When::Before),
        (Call::Revoke, When::After),
        (Call::RemoveConnector, When::Before),
        (Call::RemoveConnector, When::After),
    ];
    for (call, when) in moments {
        let stage = Stage::new();
        let ada = stage.world.account("ada@example.com");
        let connector = stage.connect("one", &ada).await;
        stage.world.pass(MINUTE);
        let gate = stage.world.hold(call, when, 1);
        let (receipt, raced) = tokio::join!(stage.disconnect("one", &connector.id), async {
            // The disconnect is polled first, and waits at the gate by now.
            let raced = stage.connect_with("two", &ada, Consent::default()).await;
            gate.open();
            raced
        });
        let what = format!("in memory: a connect while the last disconnect waits {when:?} {call}")
            .to_lowercase();
        let receipt = receipt.unwrap();
        let outcome = match &raced {
            Ok(_) => "connected",
            Err(ConnectError::Closing) => "refused for now",
            Err(_) => "failed",
        };
        case.note(&what, "connected, or refused for now", outcome, outcome != "failed");
        let connected = match raced {
            Ok(connected) => connected,
            Err(_) => {
                stage.world.pass(Duration::from_secs(1));
                stage
                    .connect_with("two", &ada, Consent::default())
                    .await
                    .expect("a connect after it")
            }
        };
        stage.work().await;
        let connector = stage.connector(&connected.connector_id);
        stage.trigger(&connector, json!({})).await;
        ada.deliver(Mail::new("At last"));
        stage.world.pass(MINUTE);
        // Only the stored refresh token can bring another access token.
        ada.forget_access_tokens();
        stage.world.wake_ups().put(&email_connectors::domain::wake_up::WakeUp::push(
            ada.address(),
            ada.history_id(),
            None,
            stage.world.now(),
        ));
        stage.work().await;
        let fired = subjects(&stage.fired()).join(", ");
        case.check(
            format!("{what}: the remaining grant is alive, and mail fires"),
            "At last, true".to_string(),
            format!("{fired}, {}", ada.is_granted()),
        );
        case.check(format!("{what}: the first is gone"), true, receipt.data_purged);
    }
}

async fn risc(target: &Target, token: &str) -> u16 {
    let request = target
        .stack
        .request(Method::POST, "/api/auth/google/risc")
        .header("content-type", "application/secevent+jwt");
    status(&target.stack.answer(request.body(token.to_string())).await)
}

async fn security_event(target: &Target, order: Value) -> String {
    target.stack.google(Method::POST, "/admin/security-events", order).await["token"]
        .as_str()
        .unwrap()
        .into()
}

/// How many CONNECTOR_NEEDS_REAUTH events the owner got.
async fn reauth_events(target: &Target, user: &User) -> usize {
    let export = read(
        target.stack.api(Method::GET, "/api/owner/data", Some(&user.token), None).await,
        StatusCode::OK,
    )
    .await;
    export["records"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| record["detail_type"] == "CONNECTOR_NEEDS_REAUTH")
        .count()
}

#[tokio::test]
async fn case_34_security_events() {
    let mut case = Case::new(34, "Google's cross-account-protection events");
    for target in Target::all().await {
        let name = target.name;
        let user = User::connected(&target.stack, "risc").await;
        let second = user.beside(&target.stack, "risc").await.connecting(&target.stack).await;
        target.idle().await;
        let of = |change: Value| {
            let mut order = json!({"event": "tokens-revoked", "email": user.email});
            order.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            order
        };
        let statuses = async || {
            format!(
                "{} {}",
                text(&user.connector(&target.stack).await["status"]),
                text(&second.connector(&target.stack).await["status"])
            )
        };
        for (what, order) in [
            ("signed by an unknown key", of(json!({"key": "unknown"}))),
            ("signed by the users' key", of(json!({"key": "users"}))),
            ("alg none", of(json!({"sign": "none"}))),
            ("HS256 under the public key", of(json!({"sign": "hs256-public-key"}))),
            ("ES256", of(json!({"sign": "es256"}))),
            (
                "for another client",
                of(json!({"claims": {"aud": "other-client.apps.googleusercontent.com"}})),
            ),
            (
                "for a list of clients",
                of(json!({"claims": {"aud": ["local-client.apps.googleusercontent.com"]}})),
            ),
            (
                "the issuer without its slash",
                of(json!({"claims": {"iss": "https://accounts.google.com"}})),
            ),
            ("another issuer", of(json!({"claims": {"iss": "https://accounts.google.com.evil/"}}))),
            ("no jti", of(json!({"claims": {"jti": null}}))),
            ("no iat", of(json!({"claims": {"iat": null}}))),
            ("iat in two minutes", of(json!({"claims": {"iat": seconds(&target, 120)}}))),
            ("no event", of(json!({"claims": {"events": {}}}))),
        ] {
            case.check(
                format!("{name}: {what}"),
                400,
                risc(&target, &security_event(&target, order).await).await,
            );
        }
        case.check(format!("{name}: no token"), 400, risc(&target, "").await);
        case.check(
            format!("{name}: a push token"),
            400,
            risc(&target, &target.good_token().await).await,
        );
        case.check(
            format!("{name}: the connectors after these"),
            "active active".to_string(),
            statuses().await,
        );
        let old = of(json!({"claims": {"iat": seconds(&target, -3600)}}));
        case.check(
            format!("{name}: from before the grant"),
            202,
            risc(&target, &security_event(&target, old).await).await,
        );
        let verification =
            security_event(&target, json!({"event": "verification", "state": "s"})).await;
        case.check(format!("{name}: a verification"), 202, risc(&target, &verification).await);
        case.check(
            format!("{name}: an account that is not connected"),
            202,
            risc(
                &target,
                &security_event(&target, json!({"event": "tokens-revoked", "sub": unique()})).await,
            )
            .await,
        );
        case.check(
            format!("{name}: the connectors after these too"),
            "active active".to_string(),
            statuses().await,
        );

        let revoked = security_event(&target, of(json!({}))).await;
        case.check(format!("{name}: tokens-revoked"), 202, risc(&target, &revoked).await);
        case.check(
            format!("{name}: the connectors of both owners"),
            "needs_reauth needs_reauth".to_string(),
            statuses().await,
        );
        case.check(format!("{name}: the same jti again"), 400, risc(&target, &revoked).await);
        let other = security_event(&target, of(json!({"event": "sessions-revoked"}))).await;
        case.check(format!("{name}: sessions-revoked after it"), 202, risc(&target, &other).await);
        let (mine, theirs) =
            (reauth_events(&target, &user).await, reauth_events(&target, &second).await);
        case.check(
            format!("{name}: CONNECTOR_NEEDS_REAUTH events of each owner"),
            "1 1".to_string(),
            format!("{mine} {theirs}"),
        );
        // Events carry whole seconds: a revocation and a grant within one second have no order.
        let granted_later = seconds(&target, 2);
        let later = async || (seconds(&target, 0) >= granted_later).then_some(());
        match target.inside {
            Some(_) => target.pass(Duration::from_secs(2)),
            None => target.stack.until("another second", later).await,
        }
        user.connect(&target.stack).await;
        case.check(
            format!("{name}: after one's reconnect"),
            "active needs_reauth".to_string(),
            statuses().await,
        );
        case.check(
            format!("{name}: an event from before the reconnect, sent again"),
            400,
            risc(&target, &revoked).await,
        );
        case.check(
            format!("{name}: the connector after that"),
            "active needs_reauth".to_string(),
            statuses().await,
        );
        for event in ["sessions-revoked", "account-disabled"] {
            user.connect(&target.stack).await;
            let ended = security_event(&target, of(json!({"event": event}))).await;
            case.check(format!("{name}: {event}"), 202, risc(&target, &ended).await);
            case.check(
                format!("{name}: the connectors after {event}"),
                "needs_reauth needs_reauth".to_string(),
                statuses().await,
            );
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
