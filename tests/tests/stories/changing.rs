//! An owner labels, pauses or syncs a connector; a refusal names the wrong field.

use axum::http::Method;
use email_connectors::domain::wake_up::Kind;
use serde_json::{Value, json};
use tests::stage::{MINUTE, Scene, subjects};
use tests::world::{Call, Consent, Mail, Poison, When};

use super::api::{Answer, call_api, call_api_as};

async fn patch(scene: &Scene, body: Value) -> Answer {
    call_api(
        &scene.stage,
        "owner",
        Method::PATCH,
        &format!("/api/connectors/{}", scene.id),
        Some(body),
    )
    .await
}

async fn sync(scene: &Scene, of: &str) -> Answer {
    call_api(&scene.stage, of, Method::POST, &format!("/api/connectors/{}/sync", scene.id), None)
        .await
}

#[tokio::test]
async fn a_label_is_given_kept_and_taken_away() {
    let scene = Scene::new().await;
    assert_eq!(patch(&scene, json!({"label": "Büro 📬"})).await.expect(200)["label"], "Büro 📬");
    assert_eq!(
        patch(&scene, json!({"paused": true})).await.expect(200)["label"],
        "Büro 📬",
        "what is absent stays"
    );
    let both = patch(&scene, json!({"paused": false, "label": "Home"})).await.expect(200);
    assert_eq!((&both["paused"], &both["label"]), (&json!(false), &json!("Home")));
    scene.deliver(&["One"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    let shown =
        call_api(&scene.stage, "owner", Method::GET, "/api/connectors", None).await.expect(200);
    assert_eq!(
        shown["connectors"][0]["label"], "Home",
        "neither mail nor a reconnect takes it away"
    );
    assert_eq!(patch(&scene, json!({"label": null})).await.expect(200)["label"], Value::Null);
}

#[tokio::test]
async fn a_label_that_is_given_in_the_middle_of_a_wake_up_stays() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    let (push, gate) = (scene.push(), scene.stage.world.hold(Call::Commit, When::Before, 1));
    let (outcomes, ()) = tokio::join!(scene.stage.wake(&push), async {
        patch(&scene, json!({"label": "Home"})).await.expect(200);
        gate.open();
    });
    outcomes.unwrap();
    assert_eq!(scene.connector().reading.label.as_deref(), Some("Home"));
    assert_eq!(subjects(&scene.stage.fired()), ["One"]);
}

#[tokio::test]
async fn a_change_that_is_none_names_what_is_wrong() {
    let scene = Scene::new().await;
    let before = scene.connector();
    let table = [
        (json!({}), "body"),
        (json!({"paused": "yes"}), "paused"),
        (json!({"label": "\u{7}"}), "label"),
        (json!({"label": "a".repeat(101), "paused": true}), "label"),
        (json!({"status": "active"}), "status"),
    ];
    for (body, field) in table {
        assert_eq!(
            patch(&scene, body.clone()).await.problem(),
            (400, "invalid_connector".into(), field.into()),
            "{body}"
        );
    }
    assert_eq!(scene.connector(), before);
}

#[tokio::test]
async fn a_sync_tries_at_once_what_was_set_aside() {
    let scene = Scene::new().await;
    let poison = scene.ada.deliver(Mail::new("Poison")).message;
    scene.ada.poison(&poison, Poison::Fails);
    for number in 1..=3 {
        scene.deliver(&[&format!("Good {number}")]);
        scene.stage.wake(&scene.push()).await.unwrap();
        scene.stage.world.pass(MINUTE);
    }
    scene.ada.heal(&poison);
    let queued = call_api_as(
        &scene.stage,
        "owner",
        "operator",
        Method::POST,
        &format!("/api/connectors/{}/sync", scene.id),
        None,
    )
    .await;
    assert_eq!(queued.expect(202), json!({"status": "queued"}));
    let [wake_up] = scene.stage.world.wake_ups().queued().try_into().expect("one wake-up");
    assert_eq!(
        (wake_up.kind, wake_up.mailbox, wake_up.mark),
        (Kind::Sync, scene.ada.address().into(), None)
    );
    scene.stage.work().await;
    assert_eq!(subjects(&scene.stage.fired()).last().map(String::as_str), Some("Poison"));
}

#[tokio::test]
async fn a_sync_that_can_do_nothing_says_why_and_queues_nothing() {
    let scene = Scene::new().await;
    let queued = || scene.stage.world.wake_ups().queued().len();
    assert_eq!(sync(&scene, "stranger").await.problem(), (404, "not_found".into(), String::new()));
    scene.stage.world.fail(Call::Send, When::Before, 1);
    let away = sync(&scene, "owner").await;
    assert_eq!(
        (away.problem().1.as_str(), away.header("retry-after")),
        ("queue_unavailable", Some("5"))
    );

    scene.ada.revoke_grant();
    scene.deliver(&["While the grant was dead"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(sync(&scene, "owner").await.problem(), (409, "needs_reauth".into(), String::new()));

    scene.stage.world.fail(Call::Stop, When::Before, 1);
    scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    scene.stage.work().await;
    call_api(&scene.stage, "owner", Method::DELETE, &format!("/api/connectors/{}", scene.id), None)
        .await
        .expect(202);
    assert_eq!(
        sync(&scene, "owner").await.problem(),
        (409, "connector_closing".into(), String::new())
    );
    assert_eq!(queued(), 0);
}
