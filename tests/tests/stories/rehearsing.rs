//! A trigger is rehearsed: which mail would fire, and why the rest would not. Nothing is written
//! and nothing fires.

use axum::http::Method;
use email_connectors::domain::circuit::FAILURES_TO_OPEN;
use email_connectors::domain::id::TriggerId;
use email_connectors::domain::scopes::GMAIL_METADATA;
use email_connectors::domain::wake_up::Kind;
use serde_json::{Value, json};
use tests::stage::{COOLDOWN, DAY, MINUTE, Scene, Stage, detail, owner};
use tests::world::{Call, Consent, Failure, Mail, Poison, When};

use super::api::{Answer, call_api, call_api_as};

async fn rehearse(scene: &Scene, trigger: &TriggerId, body: Value) -> Answer {
    call_api(
        &scene.stage,
        "owner",
        Method::POST,
        &format!("/api/triggers/{trigger}/test"),
        Some(body),
    )
    .await
}

fn subjects(looked: &Value) -> Vec<&str> {
    looked.as_array().unwrap().iter().map(|one| one["subject"].as_str().unwrap()).collect()
}

/// The reasons why the mail with this subject would not fire.
fn reasons<'a>(rehearsal: &'a Value, subject: &str) -> Vec<(&'a str, &'a Value)> {
    let all = rehearsal["would_not"].as_array().unwrap();
    let one = all
        .iter()
        .find(|one| one["subject"] == subject)
        .unwrap_or_else(|| panic!("{subject} is not among {rehearsal}"));
    one["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| (reason["reason"].as_str().unwrap(), &reason["detail"]))
        .collect()
}

#[tokio::test]
async fn each_mail_that_would_not_fire_has_every_reason() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let made = scene.trigger.created_at;
    scene.ada.deliver(
        Mail::new("Before the connect").received_at(scene.connector().connected_at.before(MINUTE)),
    );
    stage.world.pass(MINUTE);
    let path = format!("/api/connectors/{}", scene.id);
    let paused_at = stage.world.now();
    call_api(stage, "owner", Method::PATCH, &path, Some(json!({"paused": true}))).await.expect(200);
    scene.deliver(&["Inside the pause"]);
    stage.world.pass(MINUTE);
    let ended_at = stage.world.now();
    call_api(stage, "owner", Method::PATCH, &path, Some(json!({"paused": false})))
        .await
        .expect(200);
    let fired = scene.ada.deliver(Mail::new("Invoice, fired already")).message;
    stage.wake(&scene.push()).await.unwrap();
    scene.ada.deliver(Mail::new("Invoice of nobody's").labelled(&["SENT", "Label_7"]));
    scene.ada.deliver(Mail::new("Invoice to come").from("Market <pay@market.example>"));
    scene.ada.deliver(Mail::new("Hello"));
    let filters = json!({"subject_contains": ["INVOICE", "receipt"], "query": "market", "label_exclude": ["Label_7"]});
    let change = json!({"config": {"filters": filters}});
    call_api(
        stage,
        "owner",
        Method::PATCH,
        &format!("/api/triggers/{}", scene.trigger.id),
        Some(change),
    )
    .await
    .expect(200);

    let answer = rehearse(&scene, &scene.trigger.id, json!({})).await;
    assert_eq!(answer.header("x-quota-units"), Some("125"), "one list and six messages");
    let rehearsal = answer.expect(200);
    assert_eq!(rehearsal["trigger_id"], json!(scene.trigger.id));
    assert_eq!(
        (&rehearsal["days"], &rehearsal["looked_at"], &rehearsal["truncated"]),
        (&json!(7), &json!(6), &json!(false))
    );
    assert_eq!(subjects(&rehearsal["would_fire"]), ["Invoice to come"]);
    assert_eq!(
        rehearsal["would_fire"][0]["from"],
        json!({"name": "Market", "address": "pay@market.example"})
    );
    assert_eq!(rehearsal["would_fire"][0].get("reasons"), None);

    let unmet = |filter: &str, wanted: Value, saw: Value| json!({"filter": filter, "wanted": wanted, "saw": saw});
    let subject = |saw: &str| unmet("subject_contains", json!(["INVOICE", "receipt"]), json!(saw));
    let hello = reasons(&rehearsal, "Hello");
    assert_eq!(hello.iter().map(|(reason, _)| *reason).collect::<Vec<_>>(), ["filter", "filter"]);
    assert_eq!(
        (hello[0].1["filter"].as_str(), hello[0].1["wanted"].as_str()),
        (Some("query"), Some("market"))
    );
    assert_eq!(hello[0].1["saw"]["subject"], "Hello");
    assert_eq!(hello[1].1, &subject("Hello"));

    let sent = reasons(&rehearsal, "Invoice of nobody's");
    assert_eq!(sent[0], ("not_received", &json!({"label_ids": ["SENT", "Label_7"]})));
    assert_eq!(
        sent.last().unwrap().1,
        &unmet("label_exclude", json!(["Label_7"]), json!(["SENT", "Label_7"]))
    );

    let decided = reasons(&rehearsal, "Invoice, fired already")[0];
    let event = stage.fired()[0].clone();
    assert_eq!(event.message_id, Some(fired));
    assert_eq!(decided, ("already_decided", &json!({"event_id": event.event_id})));

    let inside = reasons(&rehearsal, "Inside the pause");
    assert_eq!(inside[0], ("paused", &json!({"from": paused_at, "until": ended_at})));
    let before = reasons(&rehearsal, "Before the connect");
    assert_eq!(
        before[0],
        ("older_than_connect", &json!({"connected_at": scene.connector().connected_at}))
    );
    assert_eq!(before[1].0, "older_than_trigger");
    assert_eq!(before[1].1, &json!({"created_at": made}));
}

/// For each mail, the rehearsal and the processor decide the same.
#[tokio::test]
async fn a_rehearsal_and_the_decision_agree_and_the_rehearsal_leaves_no_trace() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let filters = [
        json!({}),
        json!({"query": "one"}),
        json!({"label_include": ["Label_7"]}),
        json!({"has_attachment": true}),
    ];
    let mut triggers = vec![scene.trigger.id.clone()];
    for filters in &filters[1..] {
        triggers.push(stage.trigger(&scene.connector(), filters.clone()).await.id);
    }
    stage.world.pass(MINUTE);
    for labels in [
        &["INBOX"][..],
        &["INBOX", "Label_7"],
        &["DRAFT"],
        &["SENT"],
        &["SENT", "INBOX"],
        &["Label_7"],
    ] {
        for subject in ["One", "Two"] {
            scene.ada.deliver(Mail::new(subject).labelled(labels));
        }
    }
    stage.sweep().await;
    stage.work().await;
    let before = (scene.connector(), stage.fired().len());
    assert_eq!(before.1, 0, "nothing of it was looked at yet");
    let mut rehearsed = Vec::new();
    for trigger in &triggers {
        let rehearsal = rehearse(&scene, trigger, json!({"days": 1})).await.expect(200);
        assert_eq!(rehearsal["looked_at"], 12);
        let ids = rehearsal["would_fire"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (trigger.to_string(), one["message_id"].as_str().unwrap().to_string()));
        rehearsed.extend(ids);
    }
    assert_eq!(
        (scene.connector(), stage.fired().len()),
        before,
        "nothing is written, nothing fires"
    );
    assert_eq!(stage.world.wake_ups().queued(), []);

    stage.wake(&scene.push()).await.unwrap();
    let text = |id: &Option<_>| id.as_ref().map(ToString::to_string);
    let mut fired: Vec<(String, String)> = Vec::new();
    for event in stage.fired() {
        fired.push((event.trigger_id.unwrap().to_string(), text(&event.message_id).unwrap()));
    }
    rehearsed.sort();
    fired.sort();
    assert_eq!(rehearsed, fired);
    assert!(fired.len() > 8, "{fired:?}");
}

#[tokio::test]
async fn it_reads_no_more_than_the_requested_days_and_limit() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    for day in 0..5 {
        for number in 0..3 {
            scene.ada.deliver(Mail::new(&format!("{day}-{number}")));
            stage.world.pass(MINUTE);
        }
        stage.world.pass(DAY);
    }
    let rehearsal =
        rehearse(&scene, &scene.trigger.id, json!({"days": 30, "limit": 4})).await.expect(200);
    assert_eq!(
        (&rehearsal["looked_at"], &rehearsal["truncated"]),
        (&json!(4), &json!(true)),
        "of one page, not all"
    );
    scene.ada.list_page_size(2);
    let rehearsal =
        rehearse(&scene, &scene.trigger.id, json!({"days": 2, "limit": 100})).await.expect(200);
    assert_eq!(
        subjects(&rehearsal["would_fire"]),
        ["4-2", "4-1", "4-0"],
        "newest first, of the requested days"
    );
    assert_eq!(rehearsal["truncated"], false);
    let rehearsal =
        rehearse(&scene, &scene.trigger.id, json!({"days": 30, "limit": 4})).await.expect(200);
    assert_eq!(
        (subjects(&rehearsal["would_fire"]), &rehearsal["truncated"]),
        (vec!["4-2", "4-1", "4-0", "3-2"], &json!(true))
    );
    let rehearsal = rehearse(&scene, &scene.trigger.id, json!({"limit": 15})).await.expect(200);
    assert_eq!(
        (&rehearsal["looked_at"], &rehearsal["truncated"]),
        (&json!(15), &json!(false)),
        "a limit that is just reached is not truncated"
    );
    stage.world.pass(30 * DAY);
    let answer = rehearse(&scene, &scene.trigger.id, json!({"days": 1})).await;
    assert_eq!(
        (answer.header("x-quota-units"), &answer.body["quota_units"], &answer.body["looked_at"],),
        (Some("5"), &json!(5), &json!(0)),
        "no mail, no fetch"
    );
}

#[tokio::test]
async fn a_message_that_fails_is_named_and_the_rest_is_rehearsed() {
    let scene = Scene::new().await;
    let poison = scene.ada.deliver(Mail::new("Poison")).message;
    scene.deliver(&["Good"]);
    scene.ada.poison(&poison, Poison::Fails);
    let rehearsal = rehearse(&scene, &scene.trigger.id, json!({})).await.expect(200);
    assert_eq!(
        (subjects(&rehearsal["would_fire"]), &rehearsal["unreadable"]),
        (vec!["Good"], &json!([poison]))
    );
    scene.ada.poison(&poison, Poison::Throttled);
    let refused = rehearse(&scene, &scene.trigger.id, json!({})).await;
    assert_eq!(
        refused.problem(),
        (503, "gmail_unavailable".into(), String::new()),
        "half of the mail is no rehearsal"
    );
    assert_eq!(refused.header("retry-after"), Some("5"));
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_the_fields_name() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    for (body, field) in [
        (json!({"days": 0}), "days"),
        (json!({"limit": 101}), "limit"),
        (json!({"subject": "a"}), "subject"),
    ] {
        let answer = rehearse(&scene, &scene.trigger.id, body.clone()).await;
        assert_eq!(answer.problem(), (400, "invalid_request".into(), field.into()), "{body}");
    }
    let webhook = json!({"type": "webhook", "config": {"connector_id": scene.id}});
    let (webhook, _) = stage.subscribe(&owner("owner"), webhook).await.unwrap();
    let answer = rehearse(&scene, &webhook.id, json!({})).await;
    assert_eq!(answer.problem(), (400, "invalid_trigger".into(), "type".into()));
    assert!(answer.body["detail"].as_str().unwrap().contains("/events"), "{}", answer.body);
    let path = format!("/api/triggers/{}/test", scene.trigger.id);
    assert_eq!(
        call_api(stage, "stranger", Method::POST, &path, None).await.problem(),
        (404, "not_found".into(), String::new())
    );
    assert_eq!(
        call_api_as(stage, "owner", "viewer", Method::POST, &path, None).await.problem().1,
        "role_not_allowed"
    );
    call_api_as(stage, "owner", "operator", Method::POST, &path, None).await.expect(200);
    assert_eq!(
        stage.calls_of(&["gmail.list"]).len(),
        1,
        "only the allowed request reads from Gmail"
    );
}

#[tokio::test]
async fn a_connector_that_cannot_be_read_says_what_would_help() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let mut scopes: Vec<String> = ["openid", "email"].map(String::from).into();
    scopes.push(GMAIL_METADATA.into());
    let mut connecting = stage.connecting();
    connecting.required_scopes.clone_from(&scopes);
    let code = ada.consent(Consent { scopes, ..Consent::default() });
    let connected =
        connecting.run(&stage.request("owner", &code), stage.world.now()).await.unwrap();
    stage.work().await;
    let trigger = stage.trigger(&stage.connector(&connected.connector_id), json!({})).await;
    let scene = Scene { stage, ada, id: connected.connector_id, trigger };
    let answer = rehearse(&scene, &scene.trigger.id, json!({})).await;
    assert_eq!(answer.problem(), (403, "insufficient_scope".into(), String::new()));
    assert_eq!(answer.body["scope"], "https://www.googleapis.com/auth/gmail.readonly");

    let scene = Scene::new().await;
    let world = &scene.stage.world;
    let wait = Failure::RateLimited(MINUTE);
    world.fail_with(Call::List, When::Before, 1, wait);
    let answer = rehearse(&scene, &scene.trigger.id, json!({})).await;
    assert_eq!(
        (answer.problem().1.as_str(), answer.header("retry-after")),
        ("gmail_unavailable", Some("60"))
    );
    for _ in 0..FAILURES_TO_OPEN {
        world.fail(Call::History, When::Before, 1);
        scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    }
    scene.stage.forget_calls();
    let answer = rehearse(&scene, &scene.trigger.id, json!({})).await;
    assert_eq!(answer.problem(), (503, "circuit_open".into(), String::new()));
    assert_eq!(answer.header("retry-after"), Some(COOLDOWN.as_secs().to_string().as_str()));
    assert_eq!(
        scene.stage.calls_of(&["gmail"]),
        Vec::<String>::new(),
        "an open circuit calls nothing"
    );
    world.pass(COOLDOWN);

    scene.ada.revoke_grant();
    let before = scene.connector();
    let answer = rehearse(&scene, &scene.trigger.id, json!({})).await;
    assert_eq!(answer.problem(), (409, "needs_reauth".into(), String::new()));
    assert_eq!(scene.connector(), before, "a rehearsal does not store that");
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    let answer = rehearse(&scene, &scene.trigger.id, json!({})).await;
    assert_eq!(answer.problem(), (409, "needs_reauth".into(), String::new()));
}

/// An agent that answers mail sets `automatic: false`; the event tells the others what it is.
#[tokio::test]
async fn automatic_mail_is_told_from_a_persons_and_kept_from_who_asks_for_it() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let people = stage.trigger(&scene.connector(), json!({"automatic": false})).await;
    let machines = stage.trigger(&scene.connector(), json!({"automatic": true})).await;
    stage.world.pass(MINUTE);
    scene.deliver(&["From a person"]);
    scene.ada.deliver(Mail::new("Out of office").header("Auto-Submitted", "auto-replied"));
    scene.ada.deliver(Mail::new("News").header("List-Id", "News <news.shop.example>"));
    let rehearsal = rehearse(&scene, &people.id, json!({})).await.expect(200);
    assert_eq!(subjects(&rehearsal["would_fire"]), ["From a person"]);
    assert_eq!(
        reasons(&rehearsal, "News"),
        [(
            "filter",
            &json!({
                "filter": "automatic",
                "wanted": false,
                "saw": {"kind": "list", "list_id": "news.shop.example"},
            })
        )]
    );

    stage.wake(&scene.push()).await.unwrap();
    let mut fired: Vec<(TriggerId, String, Value)> = Vec::new();
    for event in stage.fired() {
        let message = detail(&event)["message"].take();
        let subject = message["subject"].as_str().unwrap().to_string();
        fired.push((event.trigger_id.unwrap(), subject, message["automatic"].clone()));
    }
    let all = fired.iter().filter(|(trigger, ..)| *trigger == scene.trigger.id);
    assert_eq!(all.count(), 3, "without the filter no mail is lost");
    let of = |trigger: &TriggerId| {
        let own = fired.iter().filter(|(id, ..)| id == trigger);
        own.map(|(_, subject, automatic)| (subject.as_str(), automatic)).collect::<Vec<_>>()
    };
    assert_eq!(of(&people.id), [("From a person", &Value::Null)]);
    assert_eq!(
        of(&machines.id),
        [
            ("Out of office", &json!({"kind": "reply"})),
            ("News", &json!({"kind": "list", "list_id": "news.shop.example"})),
        ]
    );
}

async fn try_filters(scene: &Scene, body: Value) -> Answer {
    let path = format!("/api/connectors/{}/rehearsals", scene.id);
    call_api(&scene.stage, "owner", Method::POST, &path, Some(body)).await
}

/// A form can show what filters do before there is a trigger. Mail of before the connect counts,
/// since mail like it is to come.
#[tokio::test]
async fn filters_are_tried_before_a_trigger_has_them() {
    let scene = Scene::new().await;
    let long_ago = scene.connector().connected_at.before(MINUTE);
    scene.ada.deliver(Mail::new("Invoice of before").received_at(long_ago));
    scene.ada.deliver(Mail::new("Invoice of nobody's").labelled(&["SENT"]));
    scene.ada.deliver(Mail::new("Hello"));
    let rows = scene.stage.world.rows_of("owner");

    let answer = try_filters(
        &scene,
        json!({"config": {"filters": {"subject_contains": ["invoice"]}}, "days": 3, "limit": 10}),
    )
    .await;
    assert_eq!(answer.header("x-quota-units"), Some("65"), "one list and three messages");
    let rehearsal = answer.expect(200);
    assert_eq!(rehearsal["connector_id"], json!(scene.id));
    assert_eq!(
        (&rehearsal["days"], &rehearsal["looked_at"], &rehearsal["truncated"]),
        (&json!(3), &json!(3), &json!(false))
    );
    assert_eq!(subjects(&rehearsal["would_fire"]), ["Invoice of before"]);
    assert_eq!(
        reasons(&rehearsal, "Invoice of nobody's"),
        [("not_received", &json!({"label_ids": ["SENT"]}))]
    );
    let unmet = json!({"filter": "subject_contains", "wanted": ["invoice"], "saw": "Hello"});
    assert_eq!(reasons(&rehearsal, "Hello"), [("filter", &unmet)]);

    let all = try_filters(&scene, json!({})).await.expect(200);
    assert_eq!(subjects(&all["would_fire"]), ["Hello", "Invoice of before"]);
    assert_eq!(scene.stage.world.rows_of("owner"), rows, "nothing is stored");
    assert!(scene.stage.fired().is_empty());
}

/// What making a trigger with these filters would refuse is refused here, at the same field.
#[tokio::test]
async fn filters_that_no_trigger_can_have_are_refused_when_they_are_tried() {
    let scene = Scene::new().await;
    let table = [
        (json!({"config": {"filters": {"query": "from:ada"}}}), "config.filters.query"),
        (json!({"config": {"filters": {"from_contains": []}}}), "config.filters.from_contains"),
        (json!({"config": {"filters": {"colour": 1}}}), "config.filters.colour"),
        (json!({"config": {"filters": {}, "x": 1}}), "config.x"),
        (json!({"config": {"filters": 7}}), "config.filters"),
        (json!({"config": 7}), "config"),
        (json!({"config": {"connector_id": scene.id}}), "config.connector_id"),
        (json!({"filters": {}}), "filters"),
        (json!({"days": 31}), "days"),
    ];
    for (body, field) in table {
        let made = call_api(
            &scene.stage,
            "owner",
            Method::POST,
            "/api/triggers",
            Some(json!({"type": "email", "config": {"connector_id": scene.id, "filters": body["config"]["filters"]}})),
        )
        .await;
        let refused = try_filters(&scene, body.clone()).await.expect(400);
        assert_eq!(refused["field"], field, "{body}");
        if field.starts_with("config.filters.") {
            assert_eq!(made.expect(400), refused, "{body}");
        }
    }
    let foreign = call_api(
        &scene.stage,
        "stranger",
        Method::POST,
        &format!("/api/connectors/{}/rehearsals", scene.id),
        Some(json!({"config": {"filters": {"label_include": ["Mine"]}}})),
    )
    .await;
    assert_eq!(foreign.expect(404)["field"], Value::Null);
}
