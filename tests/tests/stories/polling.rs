//! A frontend asks again and again: what has not changed is answered without a body.

use axum::http::{HeaderMap, HeaderValue, Method};
use tests::stage::Scene;
use tests::world::Mail;

use super::api::{Answer, call_api, call_api_with};

async fn again(scene: &Scene, of: &str, path: &str, tag: &str) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("if-none-match", HeaderValue::from_str(tag).unwrap());
    call_api_with(&scene.stage, of, Method::GET, path, headers).await
}

#[tokio::test]
async fn what_has_not_changed_is_answered_without_a_body() {
    let scene = Scene::new().await;
    scene.deliver(&["First"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    let paths = [
        "/api/connectors".to_string(),
        format!("/api/connectors/{}", scene.id),
        "/api/triggers".to_string(),
        format!("/api/triggers/{}", scene.trigger.id),
        format!("/api/triggers/{}/firings", scene.trigger.id),
    ];
    for path in &paths {
        let first = call_api(&scene.stage, "owner", Method::GET, path, None).await;
        let tag = first.header("etag").expect("a tag").to_string();
        let body = first.expect(200);
        for named in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
            let same = again(&scene, "owner", path, &named).await;
            assert_eq!((same.status.as_u16(), same.header("etag")), (304, Some(&*tag)), "{path}");
            assert!(same.body.is_null() && same.header("content-type").is_none(), "{path}");
        }
        let other = again(&scene, "owner", path, "\"other\"").await;
        assert_eq!(other.expect(200), body, "{path}");
    }
}

#[tokio::test]
async fn a_change_is_another_tag_and_nobody_is_told_of_anothers() {
    let scene = Scene::new().await;
    let path = format!("/api/triggers/{}/firings", scene.trigger.id);
    let tag = |answer: &Answer| answer.header("etag").unwrap().to_string();
    let before = tag(&call_api(&scene.stage, "owner", Method::GET, &path, None).await);
    scene.ada.deliver(Mail::new("New"));
    scene.stage.wake(&scene.push()).await.unwrap();
    let after = again(&scene, "owner", &path, &before).await;
    let known = tag(&after);
    assert_eq!(after.expect(200)["firings"].as_array().unwrap().len(), 1);
    assert_ne!(before, known);
    // Whoever may not see it gets no 304 either.
    for (of, path) in [("thief", path.as_str()), ("owner", "/api/triggers/trg_unknown")] {
        for named in [known.as_str(), "*"] {
            let refused = again(&scene, of, path, named).await;
            assert_eq!(refused.problem().0, 404, "{of} {path}");
            assert_eq!(refused.header("etag"), None);
        }
    }
}
