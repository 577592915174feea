//! Rows that an older deployment wrote are read and updated; rows of a newer one are refused and
//! stay as they are.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::domain::connector::{Connector, Location, Status};
use email_connectors::domain::event::{DetailType, Event};
use email_connectors::domain::id::{AccountId, ConnectorId, EventId, OwnerId};
use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::ports::{Commit, Due, SWEEP_SHARDS, Store, StoreError};
use serde_json::{Map, Value};

use crate::aws;

const CONNECTOR: &str = "con_01a1ff38ac4f7086b4c1ba79b7a01ca9";
/// The table of a stack of November 2026: a connector, its trigger, a fired mail and the delivery
/// records.
const ROWS: &str = include_str!("rows_of_version_1.json");

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let text = || value.as_str().unwrap().to_string();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "B" => AttributeValue::B(Blob::new(text())),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => AttributeValue::M(attributes(value.as_object().unwrap())),
        kind => panic!("the rows have no {kind}"),
    }
}

fn attributes(row: &Map<String, Value>) -> HashMap<String, AttributeValue> {
    row.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// A table with these rows; rows with a schema version get this one.
async fn store(version: u32) -> DynamoStore {
    DynamoStore::new(&aws::config().await, table(version).await)
}

async fn table(version: u32) -> String {
    let config = aws::config().await;
    let (client, table) = (aws_sdk_dynamodb::Client::new(&config), aws::table(&config).await);
    let rows: Vec<Map<String, Value>> = serde_json::from_str(ROWS).unwrap();
    for row in &rows {
        let mut item = attributes(row);
        item.entry("schema_version".into())
            .and_modify(|known| *known = AttributeValue::N(version.to_string()));
        client.put_item().table_name(&table).set_item(Some(item)).send().await.unwrap();
    }
    table
}

fn owner() -> OwnerId {
    OwnerId::new("local-owner")
}

async fn the_connector(store: &DynamoStore) -> Connector {
    let mut connectors = store.connectors(&owner()).await.unwrap();
    assert_eq!(connectors.len(), 1);
    connectors.remove(0)
}

#[tokio::test]
async fn rows_of_an_older_version_are_read_and_updated() {
    let store = store(1).await;
    let connector = the_connector(&store).await;
    assert_eq!(
        (connector.reading.status, connector.version, connector.grant.generation),
        (Status::Active, 5, 1)
    );
    assert_eq!(connector.grant.scopes.len(), 3);
    let triggers = store.triggers(&owner()).await.unwrap();
    assert_eq!(triggers.len(), 1);
    let mailbox = store.mailbox(&MailboxKey::parse("demo@example.com").unwrap()).await.unwrap();
    assert_eq!(mailbox, [(connector.clone(), triggers.clone())]);
    assert_eq!(store.in_slot(&owner(), &connector.slot).await.unwrap().as_ref(), Some(&connector));
    let membership = store.membership(&AccountId::new("100000000000000000001")).await.unwrap();
    assert_eq!(membership.members.len(), 1);
    assert!(store.data_key().await.unwrap().is_some());
    let records = store.delivery_records(&connector.id, None, 10).await.unwrap();
    assert_eq!(records.len(), 2, "it was connected, and it fired");
    let firings = store.firings(&triggers[0].id, None, 10).await.unwrap();
    assert!(firings.len() == 1 && firings[0].published_at.is_some());

    let now = aws::now();
    let commit = Commit {
        before: &connector,
        after: &connector.reading,
        events: &[],
        next_sweep: Some(now),
        now,
    };
    store.commit(&commit).await.unwrap();
    assert_eq!(the_connector(&store).await.version, 6);
}

#[tokio::test]
async fn rows_of_a_newer_version_are_refused() {
    let store = store(2).await;
    let unreadable = |answer: Result<(), StoreError>| match answer {
        Err(StoreError::Unreadable(reason)) => {
            assert!(reason.contains("schema_version 2 is not known here"), "{reason}")
        }
        answer => panic!("{answer:?}"),
    };
    unreadable(store.connectors(&owner()).await.map(|_| ()));
    let location = Location {
        mailbox: MailboxKey::parse("demo@example.com").unwrap(),
        connector: ConnectorId::new(CONNECTOR),
    };
    unreadable(store.connector_at(&location).await.map(|_| ()));
    let later = aws::now().after(Duration::from_secs(3600));
    store.put_off(&location, later).await.unwrap();
    for shard in 0..SWEEP_SHARDS {
        assert_eq!(
            store.due(shard, aws::now(), 100).await.unwrap(),
            [],
            "a put-off row does not delay others"
        );
    }
    unreadable(store.membership(&AccountId::new("100000000000000000001")).await.map(|_| ()));
}

/// One mailbox has a newer version's connector, one of ours with a newer version's trigger, and one
/// of ours.
#[tokio::test]
async fn what_a_newer_version_wrote_rests_and_its_neighbours_go_on() {
    let config = aws::config().await;
    let (client, table) = (aws_sdk_dynamodb::Client::new(&config), aws::table(&config).await);
    let rows: Vec<Map<String, Value>> = serde_json::from_str(ROWS).unwrap();
    let in_mailbox = rows
        .iter()
        .filter(|row| row["pk"]["S"].as_str().unwrap().starts_with("MAILBOX#"))
        .map(attributes);
    let in_mailbox: Vec<_> = in_mailbox.collect();
    assert_eq!(in_mailbox.len(), 2, "a connector and its trigger");
    for (id, version, is_known) in
        [("con_1", "2", true), ("con_2", "1", false), ("con_3", "1", true)]
    {
        for row in &in_mailbox {
            let mut row = row.clone();
            let sk = row["sk"].as_s().unwrap().replace(CONNECTOR, id);
            let is_trigger = sk.contains("#TRIGGER#");
            row.insert("sk".into(), AttributeValue::S(sk));
            row.entry("schema_version".into())
                .and_modify(|known| *known = AttributeValue::N(version.into()));
            if is_trigger && !is_known {
                row.insert("type".into(), AttributeValue::S("carrier_pigeon".into()));
            }
            if !is_trigger {
                row.insert("id".into(), AttributeValue::S(id.into()));
            }
            client.put_item().table_name(&table).set_item(Some(row)).send().await.unwrap();
        }
    }
    let members = DynamoStore::new(&config, table)
        .mailbox(&MailboxKey::parse("demo@example.com").unwrap())
        .await
        .unwrap();
    let read =
        members.iter().map(|(connector, triggers)| (connector.id.to_string(), triggers.len()));
    assert_eq!(read.collect::<Vec<_>>(), [("con_3".to_string(), 1)]);
}

/// The due events of a newer version are the oldest, and fill more than a page.
#[tokio::test]
async fn events_of_a_newer_version_make_room_for_the_others() {
    let config = aws::config().await;
    let (client, table) = (aws_sdk_dynamodb::Client::new(&config), aws::table(&config).await);
    let rows: Vec<Map<String, Value>> = serde_json::from_str(ROWS).unwrap();
    let event = attributes(rows.iter().find(|row| row["sk"]["S"] == "EVENT").unwrap());
    for number in 0..7 {
        let (text, number_of) = (
            |text: String| AttributeValue::S(text),
            |number: i32| AttributeValue::N(number.to_string()),
        );
        let mut waiting = event.clone();
        waiting.remove("published_at");
        waiting.insert("pk".into(), text(format!("EVENT#evt_{number}")));
        waiting.insert("event_id".into(), text(format!("evt_{number}")));
        waiting.insert("due_shard".into(), text("event#0".into()));
        waiting.insert("due_at".into(), number_of(number));
        waiting.insert("schema_version".into(), number_of(if number < 5 { 2 } else { 1 }));
        client.put_item().table_name(&table).set_item(Some(waiting)).send().await.unwrap();
    }
    let due = DynamoStore::new(&config, table).due(0, aws::now(), 2).await.unwrap();
    let events = due.iter().map(|due| match due {
        Due::Event { event_id, .. } => event_id.to_string(),
        Due::Connector(location) => panic!("{location:?} is no event"),
    });
    assert_eq!(events.collect::<Vec<_>>(), ["evt_5", "evt_6"]);
}

/// However long the bus is down, decided events stay until they are published.
#[tokio::test]
async fn an_event_that_is_owed_does_not_expire_before_it_is_published() {
    let (config, table) = (aws::config().await, table(1).await);
    let (store, client) =
        (DynamoStore::new(&config, table.clone()), aws_sdk_dynamodb::Client::new(&config));
    let (location, now) = (the_connector(&store).await.location(), aws::now());
    let detail = "{}".to_string();
    let event_id = EventId::new("evt_owed");
    let event = Event {
        event_id,
        detail_type: DetailType::WatchLapsed,
        trigger_id: None,
        message_id: None,
        decided_at: now,
        detail,
    };
    let days_left = async || {
        let request = client.get_item().table_name(&table).consistent_read(true);
        let request = request
            .key("pk", AttributeValue::S("EVENT#evt_owed".into()))
            .key("sk", AttributeValue::S("EVENT".into()));
        let row = request.send().await.unwrap().item.unwrap();
        (row["expires_at"].as_n().unwrap().parse::<i64>().unwrap() - now.seconds()) / (24 * 3600)
    };
    store.announce(&location, std::slice::from_ref(&event)).await.unwrap();
    assert!(days_left().await > 1000, "{}", days_left().await);
    let published = now.after(Duration::from_secs(50 * 24 * 3600));
    store.mark_published(&location, &[event], published).await.unwrap();
    assert_eq!(days_left().await, 80, "thirty days after its publication");
}
