//! The store on DynamoDB passes the same contract tests as the in-memory store, also where the
//! client repeats each write, tells contention from a lost race, and retries what DynamoDB leaves
//! unprocessed.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::dynamodb::scan::Of;
use email_connectors::domain::connector::{Connector, Location};
use email_connectors::domain::id::{ConnectorId, EventId};
use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::ports::{Store, StoreError};
use serde_json::{Value, json};

use crate::{aws, bus, scripted};

#[tokio::test]
async fn the_store_on_dynamodb_keeps_its_contract_and_is_scanned_and_inserted_into_an_empty_one() {
    let config = aws::config().await;
    let repeating = scripted::asked_twice(&config).await;
    let (from, to) = (
        DynamoStore::new(&repeating, aws::table(&config).await),
        DynamoStore::new(&config, aws::table(&config).await),
    );
    tests::contract::store_contract(&from, "dynamodb").await;
    is_scanned_and_inserted(&from, &to).await;
}

/// All rows that the contract left behind go from one table into the other.
async fn is_scanned_and_inserted(from: &DynamoStore, to: &DynamoStore) {
    let (mut connectors, mut cursor) = (Vec::new(), None);
    loop {
        let page = from.all_connectors(cursor.take()).await.unwrap();
        connectors.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(!connectors.is_empty());
    for location in &connectors {
        assert!(from.connector_at(location).await.unwrap().is_some(), "{location:?}");
        assert!(to.connector_at(location).await.unwrap().is_none());
    }
    let (mut read, mut cursor) = (Vec::new(), None);
    loop {
        let page = from.every_connector(cursor.take()).await.unwrap();
        read.extend(page.rows.into_iter().map(Result::unwrap));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(
        read.iter().map(Connector::location).collect::<Vec<_>>(),
        connectors,
        "the same, and no trigger among them"
    );
    for connector in &read {
        assert_eq!(
            from.connector_at(&connector.location()).await.unwrap().as_ref(),
            Some(connector)
        );
    }
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let page = from.all_rows(cursor.take()).await.unwrap();
        rows.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    // The ledger has too many rows for a test.
    rows.retain(|row| !matches!(row.of(), Of::Event(..)));
    assert!(
        rows.iter().any(|row| row.of() == Of::Passing)
            && rows.iter().any(|row| matches!(row.of(), Of::Connector(..)))
    );
    for row in &rows {
        assert!(!to.lies(row).await.unwrap());
        assert!(to.insert_absent(row).await.unwrap());
        assert!(to.lies(row).await.unwrap());
        assert!(!to.insert_absent(row).await.unwrap(), "an existing row stays");
    }
    for location in &connectors {
        assert_eq!(
            to.connector_at(location).await.unwrap(),
            from.connector_at(location).await.unwrap()
        );
    }
}

/// A DynamoDB that refuses this many requests before it accepts one.
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
    DynamoStore::new(
        &scripted::served_by(Router::new().route("/", post(answer)).with_state(refusing)).await,
        "table",
    )
}

fn cancelled(codes: &[&str]) -> Value {
    let reasons: Vec<Value> = codes.iter().map(|code| json!({"Code": code})).collect();
    json!({"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "Message": "cancelled", "CancellationReasons": reasons})
}

/// Runs a transaction on one event and its connector.
async fn mark(store: &DynamoStore) -> Result<(), StoreError> {
    store.mark_published(&location(), &[bus::event(1)], aws::now()).await
}

fn location() -> Location {
    Location {
        mailbox: MailboxKey::parse("ada@example.com").unwrap(),
        connector: ConnectorId::new("con_1"),
    }
}

#[tokio::test]
async fn another_transaction_is_waited_out_and_a_failed_condition_is_not() {
    let contention = cancelled(&["None", "TransactionConflict"]);
    assert!(
        mark(&store(3, contention.clone()).await).await.is_ok(),
        "a moment later the row is free"
    );
    assert!(
        matches!(mark(&store(99, contention).await).await, Err(StoreError::Conflict)),
        "and if not, read again"
    );
    for codes in
        [vec!["ConditionalCheckFailed"], vec!["TransactionConflict", "ConditionalCheckFailed"]]
    {
        assert!(
            matches!(mark(&store(1, cancelled(&codes)).await).await, Err(StoreError::Conflict)),
            "{codes:?}: another write was first"
        );
    }
    let invalid = cancelled(&["ValidationError"]);
    assert!(matches!(mark(&store(99, invalid).await).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn an_update_that_meets_a_transaction_is_tried_again() {
    let error = |name: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "refused"});
    let scheduled = async |store: DynamoStore| store.schedule(&location(), 1, None, None).await;
    assert!(scheduled(store(3, error("TransactionConflictException")).await).await.is_ok());
    assert!(matches!(
        scheduled(store(99, error("TransactionConflictException")).await).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        scheduled(store(1, error("ConditionalCheckFailedException")).await).await,
        Err(StoreError::Conflict)
    ));
}

/// A DynamoDB that gives prepared answers to these calls, in order, and records the requests.
#[derive(Clone)]
struct Prepared {
    answers: Arc<Mutex<Vec<(&'static str, Value)>>>,
    requests: Arc<Mutex<Vec<Value>>>,
}

async fn answer_as_prepared(
    State(prepared): State<Prepared>,
    headers: HeaderMap,
    request: String,
) -> Json<Value> {
    prepared.requests.lock().unwrap().push(serde_json::from_str(&request).unwrap());
    let mut answers = prepared.answers.lock().unwrap();
    assert!(!answers.is_empty(), "nothing is prepared for {headers:?}");
    let (call, answer) = answers.remove(0);
    assert_eq!(headers["x-amz-target"], format!("DynamoDB_20120810.{call}"));
    Json(answer)
}

async fn prepared(answers: Vec<(&'static str, Value)>) -> (DynamoStore, Prepared) {
    let prepared = Prepared { answers: Arc::new(Mutex::new(answers)), requests: Arc::default() };
    let router = Router::new().route("/", post(answer_as_prepared)).with_state(prepared.clone());
    (DynamoStore::new(&scripted::served_by(router).await, "table"), prepared)
}

fn row_key(number: u32) -> Value {
    json!({"pk": {"S": format!("EVENT#evt_{number}")}, "sk": {"S": "EVENT"}})
}

fn index_key(number: u32) -> Value {
    let own = json!({"told_of": {"S": "con_1"}, "decided_at": {"S": "2030-01-01T00:00:00.000Z"}});
    [own, row_key(number)]
        .iter()
        .flat_map(|part| part.as_object().unwrap().clone())
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn row(number: u32) -> Value {
    let text = |text: &str| json!({"S": text});
    let mut row = index_key(number);
    for (name, value) in [
        ("schema_version", json!({"N": "1"})),
        ("event_id", text(&format!("evt_{number}"))),
        ("detail_type", text("WATCH_LAPSED")),
        ("connector_id", text("con_1")),
        ("mailbox", text("ada@example.com")),
        ("detail", text("{}")),
        ("expires_at", json!({"N": "1900000000"})),
    ] {
        row[name] = value;
    }
    row
}

/// The index lags behind the table: a page of it may name only deleted rows.
#[tokio::test]
async fn deleted_rows_in_the_index_make_room_for_the_next() {
    let (store, prepared) = prepared(vec![
        ("Query", json!({"Items": [index_key(5), index_key(4), index_key(3)], "LastEvaluatedKey": index_key(3)})),
        ("BatchGetItem", json!({"Responses": {"table": [row(4)]}})),
        ("Query", json!({"Items": [index_key(2), index_key(1)], "LastEvaluatedKey": index_key(1)})),
        ("BatchGetItem", json!({"Responses": {"table": []}})),
        ("Query", json!({"Items": [index_key(0)]})),
        ("BatchGetItem", json!({"Responses": {"table": [row(0)]}})),
    ])
    .await;
    let events = store.delivery_records(&ConnectorId::new("con_1"), None, 3).await.unwrap();
    let ids: Vec<&str> = events.iter().map(|event| event.event_id.as_str()).collect();
    assert_eq!(ids, ["evt_4", "evt_0"]);
    assert!(prepared.answers.lock().unwrap().is_empty(), "the index was read to its end");
    let requests = prepared.requests.lock().unwrap();
    assert_eq!(
        (&requests[2]["ExclusiveStartKey"], &requests[2]["Limit"]),
        (&index_key(3), &json!(2)),
        "it continues after the last page, with the missing count as its limit"
    );
    assert_eq!(
        (&requests[4]["ExclusiveStartKey"], &requests[4]["Limit"]),
        (&index_key(1), &json!(2))
    );
    assert_eq!(
        requests[1]["RequestItems"]["table"]["ConsistentRead"],
        json!(true),
        "rows are read as they are now"
    );
}

/// A connector's delivery records name its location.
#[tokio::test]
async fn a_connector_is_located_by_its_delivery_records() {
    let (store, prepared) = prepared(vec![
        ("Query", json!({"Items": [index_key(1)]})),
        ("BatchGetItem", json!({"Responses": {"table": [row(1)]}})),
        ("Query", json!({"Items": []})),
    ])
    .await;
    assert_eq!(store.last_location(&ConnectorId::new("con_1")).await.unwrap(), Some(location()));
    assert_eq!(
        store.last_location(&ConnectorId::new("con_2")).await.unwrap(),
        None,
        "it has no delivery records"
    );
    let requests = prepared.requests.lock().unwrap();
    assert_eq!(
        (&requests[0]["IndexName"], &requests[0]["ScanIndexForward"], &requests[0]["Limit"]),
        (&json!("told"), &json!(false), &json!(1))
    );
}

fn left(numbers: std::ops::Range<u32>) -> Value {
    let deletions: Vec<Value> =
        numbers.map(|number| json!({"DeleteRequest": {"Key": row_key(number)}})).collect();
    json!({"UnprocessedItems": {"table": deletions}})
}

#[tokio::test]
async fn unprocessed_deletions_are_retried_and_not_for_ever() {
    let all: Vec<EventId> = (0..25).map(|number| EventId::new(format!("evt_{number}"))).collect();
    let done = json!({"UnprocessedItems": {}});
    let (store, busy) = prepared(vec![
        ("BatchWriteItem", left(0..20)),
        ("BatchWriteItem", left(3..7)),
        ("BatchWriteItem", done),
    ])
    .await;
    store.forget(&all).await.unwrap();
    let requests: Vec<Value> = busy
        .requests
        .lock()
        .unwrap()
        .iter()
        .map(|request| request["RequestItems"]["table"].clone())
        .collect();
    let deletions = |numbers| left(numbers)["UnprocessedItems"]["table"].clone();
    assert_eq!(
        requests,
        [deletions(0..25), deletions(0..20), deletions(3..7)],
        "each round requests what the last one left"
    );

    let (store, _) = prepared(vec![("BatchWriteItem", left(0..1)); 100]).await;
    assert!(
        matches!(store.forget(&all[..1]).await, Err(StoreError::Unavailable(_))),
        "endless unprocessed deletions are an error"
    );
}
