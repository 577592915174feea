//! A bus that refuses events: the metric that an operator must see, and that no other test raises.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use tests::deployed::{Stack, User, beside_the_stack, read};

/// Makes the recorder between the functions and AWS refuse this many calls of a kind that contain a
/// text.
fn refuse(service: &str, action: &str, containing: &str, times: u32) {
    let file = beside_the_stack("refusals.json");
    std::fs::write(
        file,
        json!({"service": service, "action": action, "containing": containing, "times": times})
            .to_string(),
    )
    .unwrap();
}

#[tokio::test]
async fn what_the_bus_refuses_waits_and_is_published_once() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    refuse("events", "PutEvents", &user.owner, 1);
    let message = user.receive(&stack, json!({"subject": "Your invoice"})).await;
    let path = format!("/api/triggers/{}/firings", user.trigger);
    let firings = async || {
        let answer = stack.api(Method::GET, &path, Some(&user.token), None).await;
        read(answer, StatusCode::OK).await["firings"].as_array().cloned().unwrap_or_default()
    };
    let waits =
        async || firings().await.first().filter(|firing| firing["published"] == false).cloned();
    stack.until("the event waits for the bus", waits).await;
    let events: Vec<Value> = stack.events_swept(&user.owner, 1).await;
    assert_eq!(
        events.iter().map(|event| event["event_id"].clone()).collect::<Vec<_>>(),
        [json!(user.event_id(&message))]
    );
    stack
        .until("the event is published", async || {
            firings().await.first().filter(|firing| firing["published"] == true).cloned()
        })
        .await;
}
