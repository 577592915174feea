//! Lists come in pages: each entry once, whatever the page size, and none of another owner.

use axum::http::Method;
use serde_json::{Value, json};
use tests::stage::{MINUTE, Scene, Stage};
use tests::world::Mail;

use super::api::{call_api, call_api_as};

/// All pages of a list, and how many there were.
async fn pages(stage: &Stage, path: &str, name: &str, size: usize) -> (Vec<Value>, usize) {
    let (mut all, mut count, mut token) = (Vec::new(), 0, String::new());
    loop {
        let page =
            call_api(stage, "owner", Method::GET, &format!("{path}?page_size={size}{token}"), None)
                .await
                .expect(200);
        let shown = page[name].as_array().unwrap();
        assert!(shown.len() <= size, "{path}: a page of {size} has {}", shown.len());
        all.extend(shown.iter().cloned());
        count += 1;
        match page.get("next_page_token") {
            None => return (all, count),
            Some(next) => token = format!("&page_token={}", next.as_str().unwrap()),
        }
    }
}

fn ids(all: &[Value], field: &str) -> Vec<String> {
    all.iter().map(|one| one[field].as_str().unwrap().to_string()).collect()
}

#[tokio::test]
async fn connectors_triggers_and_firings_come_in_pages_each_once() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    for _ in 0..6 {
        stage.trigger(&scene.connector(), json!({"subject_contains": ["nothing"]})).await;
    }
    for number in 0..7 {
        scene.ada.deliver(Mail::new(&format!("Mail {number}")));
        if number % 2 == 0 {
            stage.wake(&scene.push()).await.unwrap();
            stage.world.pass(MINUTE);
        }
    }
    let bob = stage.world.account("bob@example.com");
    stage.connect("other", &bob).await;
    let firings = format!("/api/triggers/{}/firings", scene.trigger.id);
    for (path, name, field, expected) in [
        ("/api/connectors", "connectors", "id", 1),
        ("/api/triggers", "triggers", "id", 7),
        (firings.as_str(), "firings", "event_id", 7),
    ] {
        let whole = call_api(stage, "owner", Method::GET, path, None).await.expect(200);
        assert_eq!(
            whole.get("next_page_token"),
            None,
            "{path}: without a size a hundred fit on a page"
        );
        let whole = whole[name].as_array().unwrap().clone();
        assert_eq!(whole.len(), expected, "{path}");
        for size in [1, 2, 7, 100] {
            let (all, count) = pages(stage, path, name, size).await;
            assert_eq!(ids(&all, field), ids(&whole, field), "{path} in pages of {size}");
            assert_eq!(count, expected.div_ceil(size), "{path}: no page is empty");
        }
    }
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_one_stood_whatever_is_taken_away_meanwhile() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    for _ in 0..3 {
        stage.trigger(&scene.connector(), json!({})).await;
    }
    let all = ids(
        call_api(stage, "owner", Method::GET, "/api/triggers", None).await.expect(200)["triggers"]
            .as_array()
            .unwrap(),
        "id",
    );
    let first =
        call_api(stage, "owner", Method::GET, "/api/triggers?page_size=2", None).await.expect(200);
    call_api(stage, "owner", Method::DELETE, &format!("/api/triggers/{}", all[1]), None)
        .await
        .expect(204);
    let token = first["next_page_token"].as_str().unwrap();
    let second =
        call_api(stage, "owner", Method::GET, &format!("/api/triggers?page_token={token}"), None)
            .await
            .expect(200);
    assert_eq!(ids(second["triggers"].as_array().unwrap(), "id"), all[2..]);
}

#[tokio::test]
async fn what_names_no_page_is_refused_by_name() {
    let scene = Scene::new().await;
    let firings = format!("/api/triggers/{}/firings", scene.trigger.id);
    for path in ["/api/connectors", "/api/triggers", firings.as_str()] {
        for size in ["0", "101", "-1", "ten", "", "1.5"] {
            let answer = call_api(
                &scene.stage,
                "owner",
                Method::GET,
                &format!("{path}?page_size={size}"),
                None,
            )
            .await;
            assert_eq!(
                answer.problem(),
                (400, "invalid_request".into(), "page_size".into()),
                "{path} page_size={size}"
            );
        }
        for token in [
            "",
            "x",
            "hub_1",
            "con_1.2",
            "trg_%23",
            "evt_1",
            ".evt_1",
            "1.evt_%23",
            "99999999999999999999.evt_1",
            "1.con_1",
        ] {
            let answer = call_api(
                &scene.stage,
                "owner",
                Method::GET,
                &format!("{path}?page_token={token}"),
                None,
            )
            .await;
            assert_eq!(
                answer.problem(),
                (400, "invalid_page_token".into(), "page_token".into()),
                "{path} page_token={token}"
            );
        }
        call_api(&scene.stage, "owner", Method::GET, &format!("{path}?color=blue"), None)
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn the_delivery_record_says_what_was_fired_and_whether_it_is_published() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    scene.deliver(&["Published"]);
    stage.wake(&scene.push()).await.unwrap();
    stage.world.pass(MINUTE);
    stage.world.fail(tests::world::Call::Publish, tests::world::When::Before, 1);
    scene.deliver(&["Owed"]);
    stage.wake(&scene.push()).await.unwrap();
    let path = format!("/api/triggers/{}/firings", scene.trigger.id);

    let record =
        call_api_as(stage, "owner", "operator", Method::GET, &path, None).await.expect(200);
    let firings: Vec<_> = record["firings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|firing| {
            (
                firing["detail"]["message"]["subject"].as_str().unwrap(),
                firing["published"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(firings, [("Owed", false), ("Published", true)], "newest first");
    let firing = &record["firings"][0];
    assert_eq!(
        (&firing["event_id"], &firing["message_id"]),
        (&firing["detail"]["event_id"], &firing["detail"]["message"]["id"])
    );
    assert_eq!(firing["connector_id"], json!(scene.id), "where its message is");
    assert_eq!(
        (&firing["detail_type"], &firing["decided_at"]),
        (&json!("TRIGGER_FIRED"), &json!(stage.world.now()))
    );

    stage.connect("other", &stage.world.account("bob@example.com")).await;
    for (of, path) in [
        ("other", path.as_str()),
        ("owner", "/api/triggers/trg_unknown/firings"),
        ("owner", "/api/triggers/a%23b/firings"),
    ] {
        assert_eq!(
            call_api(stage, of, Method::GET, path, None).await.problem(),
            (404, "not_found".into(), String::new()),
            "{path}"
        );
    }
}
