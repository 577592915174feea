//! The event bus: entries that EventBridge refused are sent again, byte for byte; a partial success
//! is an error.

use std::sync::{Arc, Mutex};

use aws_sdk_sqs::types::QueueAttributeName;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use email_connectors::adapters::aws::SdkConfig;
use email_connectors::adapters::eventbridge::EventBridge;
use email_connectors::domain::event::{DetailType, Event};
use email_connectors::domain::id::{EventId, MessageId, TriggerId};
use email_connectors::ports::EventBus;
use serde_json::{Value, json};

use crate::{aws, scripted};

pub fn event(number: usize) -> Event {
    Event {
        event_id: EventId::new(format!("evt_{number}")),
        detail_type: DetailType::TriggerFired,
        trigger_id: Some(TriggerId::new("trg")),
        message_id: Some(MessageId::new("m")),
        decided_at: aws::now(),
        detail: format!(r#"{{"event_id":"evt_{number}","order":  "kept" }}"#),
    }
}

/// An EventBridge that refuses some entries of each call, as the real one does when it throttles.
#[derive(Default)]
struct Throttled {
    calls: Vec<Vec<String>>,
    taken: Vec<String>,
}

async fn put_events(State(state): State<Arc<Mutex<Throttled>>>, body: String) -> Json<Value> {
    let body: Value = serde_json::from_str(&body).unwrap();
    let details: Vec<String> = body["Entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["Detail"].as_str().unwrap().to_string())
        .collect();
    let mut state = state.lock().unwrap();
    // Every second entry is refused, until only one is left.
    let refuse = |at: usize| details.len() > 1 && at % 2 == 1;
    let entries: Vec<Value> = (0..details.len())
        .map(|at| {
            if refuse(at) {
                json!({"ErrorCode": "ThrottlingException"})
            } else {
                json!({"EventId": at.to_string()})
            }
        })
        .collect();
    state.taken.extend(
        details.iter().enumerate().filter(|(at, _)| !refuse(*at)).map(|(_, detail)| detail.clone()),
    );
    state.calls.push(details);
    let failed = entries.iter().filter(|entry| entry.get("ErrorCode").is_some()).count();
    Json(json!({"FailedEntryCount": failed, "Entries": entries}))
}

async fn throttled() -> (SdkConfig, Arc<Mutex<Throttled>>) {
    let state = Arc::new(Mutex::new(Throttled::default()));
    let config =
        scripted::served_by(Router::new().route("/", post(put_events)).with_state(state.clone()))
            .await;
    (config, state)
}

#[tokio::test]
async fn refused_entries_are_sent_again_with_the_same_bytes() {
    let (config, state) = throttled().await;
    let events: Vec<Event> = (0..13).map(event).collect();
    EventBridge::new(&config, "bus").publish(&events).await.unwrap();

    let state = state.lock().unwrap();
    let mut taken = state.taken.clone();
    let mut expected: Vec<String> = events.iter().map(|event| event.detail.clone()).collect();
    taken.sort();
    expected.sort();
    assert_eq!(taken, expected, "each entry was taken once, as it was given");
    assert!(state.calls.iter().all(|call| call.len() <= 10), "PutEvents takes ten entries");
    assert_eq!(
        state.calls.iter().map(Vec::len).collect::<Vec<_>>(),
        [10, 5, 2, 1, 3, 1],
        "only what was refused is sent again"
    );
}

/// An EventBridge that always refuses some entries, and fails some whole calls.
async fn refusing(body: String) -> Result<Json<Value>, StatusCode> {
    let body: Value = serde_json::from_str(&body).unwrap();
    let details: Vec<&str> = body["Entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["Detail"].as_str().unwrap())
        .collect();
    let is_event = |detail: &str, id: &str| detail.contains(&format!("\"{id}\""));
    if details.iter().any(|detail| is_event(detail, "evt_25")) {
        return Err(StatusCode::FORBIDDEN);
    }
    let entry = |detail: &&str| {
        let refused = is_event(detail, "evt_3") || is_event(detail, "evt_12");
        if refused { json!({"ErrorCode": "InternalFailure"}) } else { json!({"EventId": "taken"}) }
    };
    let entries: Vec<Value> = details.iter().map(entry).collect();
    Ok(Json(
        json!({"FailedEntryCount": entries.iter().filter(|entry| entry.get("ErrorCode").is_some()).count(), "Entries": entries}),
    ))
}

#[tokio::test]
async fn refused_events_are_named_and_the_others_are_published() {
    let config = scripted::served_by(Router::new().route("/", post(refusing))).await;
    let bus = EventBridge::new(&config, "bus");
    let publish = async |numbers: std::ops::Range<usize>| {
        let error = bus.publish(&numbers.map(event).collect::<Vec<_>>()).await.err()?;
        let mut named: Vec<String> = error.events.iter().map(ToString::to_string).collect();
        named.sort();
        Some((named, error.cause.to_string()))
    };
    assert_eq!(publish(4..12).await, None);
    let (named, cause) = publish(0..20).await.unwrap();
    assert_eq!(
        named,
        ["evt_12", "evt_3"],
        "of two calls, each with one entry that is refused to the end"
    );
    assert!(cause.contains("InternalFailure"), "{cause}");
    let (named, _) = publish(13..33).await.unwrap();
    let whole: Vec<String> = (23..33).map(|number| format!("evt_{number}")).collect();
    assert_eq!(named, whole, "a call that fails whole counts as all refused");
}

#[tokio::test]
async fn a_published_event_arrives_as_it_was_written_and_under_its_type() {
    let config = aws::config().await;
    let (events, sqs) =
        (aws_sdk_eventbridge::Client::new(&config), aws_sdk_sqs::Client::new(&config));
    let (bus, rule) = (aws::unique("bus"), aws::unique("rule"));
    let queue = sqs
        .create_queue()
        .queue_name(aws::unique("target"))
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let attributes = sqs
        .get_queue_attributes()
        .queue_url(&queue)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await
        .unwrap();
    let arn = attributes.attributes().unwrap()[&QueueAttributeName::QueueArn].clone();
    events.create_event_bus().name(&bus).send().await.unwrap();
    let pattern = r#"{"source":["email.connectors"],"detail-type":["WATCH_LAPSED"]}"#;
    events.put_rule().name(&rule).event_bus_name(&bus).event_pattern(pattern).send().await.unwrap();
    let target = aws_sdk_eventbridge::types::Target::builder()
        .id("queue")
        .arn(arn)
        .input_path("$.detail")
        .build()
        .unwrap();
    events.put_targets().rule(&rule).event_bus_name(&bus).targets(target).send().await.unwrap();

    let lapsed = Event {
        detail_type: DetailType::WatchLapsed,
        trigger_id: None,
        message_id: None,
        ..event(2)
    };
    EventBridge::new(&config, &bus).publish(&[event(1), lapsed]).await.unwrap();

    let received =
        sqs.receive_message().queue_url(&queue).wait_time_seconds(5).send().await.unwrap();
    let detail: Value = serde_json::from_str(received.messages()[0].body().unwrap()).unwrap();
    assert_eq!(detail, json!({"event_id": "evt_2", "order": "kept"}));
}
