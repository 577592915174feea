//! The store on DynamoDB keeps the contract that the store in memory keeps, and tells contention from a lost race.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::domain::connector::Location;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::ConnectorId;
use email_connectors::ports::{Store, StoreError};
use serde_json::{Value, json};

use crate::{aws, bus, scripted};

#[tokio::test]
async fn the_store_on_dynamodb_keeps_its_contract() {
    let config = aws::config().await;
    let store = DynamoStore::new(&config, aws::table(&config).await);
    tests::contract::store_contract(&store, "dynamodb").await;
}

/// A DynamoDB that refuses so many requests before it takes one.
#[derive(Clone)]
struct Refusing {
    left: Arc<Mutex<u32>>,
    error: Value,
}

async fn answer(State(refusing): State<Refusing>) -> (StatusCode, Json<Value>) {
    let mut left = refusing.left.lock().unwrap();
    if *left == 0 {
        return (StatusCode::OK, Json(json!({})));
    }
    *left -= 1;
    (StatusCode::BAD_REQUEST, Json(refusing.error))
}

async fn store(refusals: u32, error: Value) -> DynamoStore {
    let refusing = Refusing { left: Arc::new(Mutex::new(refusals)), error };
    DynamoStore::new(&scripted::served_by(Router::new().route("/", post(answer)).with_state(refusing)).await, "table")
}

fn cancelled(codes: &[&str]) -> Value {
    let reasons: Vec<Value> = codes.iter().map(|code| json!({"Code": code})).collect();
    json!({"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "Message": "cancelled", "CancellationReasons": reasons})
}

/// A transaction of one event and its connector.
async fn mark(store: &DynamoStore) -> Result<(), StoreError> {
    store.mark_published(&location(), &[bus::event(1)], aws::now()).await
}

fn location() -> Location {
    Location { mailbox: EmailAddress::parse("ada@example.com").unwrap(), connector: ConnectorId::new("con_1") }
}

#[tokio::test]
async fn another_transaction_is_waited_out_and_a_failed_condition_is_not() {
    let contention = cancelled(&["None", "TransactionConflict"]);
    assert!(mark(&store(3, contention.clone()).await).await.is_ok(), "a moment later the row is free");
    assert!(matches!(mark(&store(99, contention).await).await, Err(StoreError::Conflict)), "and if not, read again");
    for codes in [vec!["ConditionalCheckFailed"], vec!["TransactionConflict", "ConditionalCheckFailed"]] {
        assert!(matches!(mark(&store(1, cancelled(&codes)).await).await, Err(StoreError::Conflict)), "{codes:?}: somebody was first");
    }
    let invalid = cancelled(&["ValidationError"]);
    assert!(matches!(mark(&store(99, invalid).await).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn an_update_that_meets_a_transaction_is_tried_again() {
    let error = |name: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "refused"});
    let scheduled = async |store: DynamoStore| store.schedule(&location(), 1, None, None).await;
    assert!(scheduled(store(3, error("TransactionConflictException")).await).await.is_ok());
    assert!(matches!(scheduled(store(99, error("TransactionConflictException")).await).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(scheduled(store(1, error("ConditionalCheckFailedException")).await).await, Err(StoreError::Conflict)));
}
