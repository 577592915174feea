//! Rows for the contract's cases: each case has an owner, a mailbox and names of its own.

use std::time::Duration;

use email_connectors::domain::connector::{Connector, Location, Provider, Slot, Status, Uniqueness};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::firing::Firing;
use email_connectors::domain::history_id::HistoryId;
use email_connectors::domain::id::{ConnectorId, EventId, GoogleSub, MessageId, OwnerId, TriggerId, fingerprint};
use email_connectors::domain::secret::{Sealed, SealedAccessToken};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::{Filters, Trigger, TriggerConfig, TriggerType};
use email_connectors::domain::watch::{Watch, WatchFailure};
use email_connectors::ports::{Commit, Due, Exchange, Progress, SWEEP_SHARDS, Store};

/// Well after the present, so that no row of a real table expires under a case.
pub const START: Timestamp = Timestamp::from_seconds(1_893_456_000);

pub fn minutes(minutes: u64) -> Timestamp {
    START.after(Duration::from_secs(60 * minutes))
}

pub struct Cast {
    name: String,
}

impl Cast {
    pub fn new(tag: &str, case: &str) -> Self {
        Self { name: format!("{tag}-{case}") }
    }

    pub fn owner(&self) -> OwnerId {
        OwnerId::new(format!("{}-owner", self.name))
    }

    pub fn other_owner(&self) -> OwnerId {
        OwnerId::new(format!("{}-other", self.name))
    }

    pub fn mailbox(&self) -> EmailAddress {
        EmailAddress::parse(&format!("{}@example.com", self.name)).expect("a tag may stand in an address")
    }

    /// As a first connect leaves it: nothing optional is there.
    pub fn connector(&self, number: u32) -> Connector {
        let google_sub = GoogleSub::new(format!("{}-sub", self.name));
        Connector {
            id: ConnectorId::new(format!("con_{}_{number}", self.name)),
            owner_id: self.owner(),
            provider: Provider::Gmail,
            slot: Slot::new(Uniqueness::PerProvider, Provider::Gmail, &google_sub),
            email_address: self.mailbox(),
            google_sub,
            status: Status::Active,
            granted_scopes: vec!["openid".into(), "https://www.googleapis.com/auth/gmail.modify".into()],
            version: 1,
            generation: 1,
            history_id: HistoryId::new(u64::MAX - 1000),
            listed_at: None,
            watch: Watch::default(),
            refresh_token: Sealed(vec![0, 159, 146, 150, 255]),
            access_token: None,
            unpublished: Default::default(),
            last_event_at: None,
            last_error: None,
            connected_at: START,
            created_at: START,
            updated_at: START,
        }
    }

    /// Everything optional is there, and no two moments are alike.
    pub fn full_connector(&self, number: u32) -> Connector {
        let at = |millis: u64| START.after(Duration::from_millis(millis));
        Connector {
            history_id: HistoryId::new(u64::MAX),
            listed_at: Some(at(1001)),
            watch: Watch {
                expiration: Some(at(1002)),
                renewed_at: Some(at(1003)),
                verified_at: Some(at(1004)),
                failure: Some(WatchFailure { at: at(1005), reason: "“503” — später".into() }),
            },
            access_token: Some(access_token("full")),
            last_event_at: Some(at(1006)),
            last_error: Some("what was wrong".into()),
            connected_at: at(1007),
            created_at: at(1008),
            updated_at: at(1009),
            ..self.connector(number)
        }
    }

    pub fn of_other_owner(&self, number: u32) -> Connector {
        Connector { owner_id: self.other_owner(), ..self.connector(number) }
    }

    pub fn exchange(&self, code: &str) -> Exchange {
        Exchange { fingerprint: fingerprint(&[&self.name, code]), at: START }
    }

    pub fn trigger(&self, connector: &Connector, number: u32) -> Trigger {
        Trigger {
            id: TriggerId::new(format!("trg_{}_{number}", self.name)),
            owner_id: connector.owner_id.clone(),
            kind: TriggerType::Email,
            agent_id: None,
            config: TriggerConfig { connector_id: connector.id.clone(), filters: Filters::default() },
            created_at: START,
            updated_at: START,
        }
    }

    pub fn firing(&self, number: u32) -> Firing {
        let (trigger_id, message_id) = (TriggerId::new(format!("trg_{}", self.name)), MessageId::new(format!("m{number}")));
        Firing {
            event_id: EventId::derive(&GoogleSub::new(&self.name), &message_id, &trigger_id),
            trigger_id,
            message_id,
            decided_at: START,
            // Bytes that a rendering anew would not keep: order, white space, escapes.
            detail: format!("{{ \"z\": {number}, \"a\": \"\\u00e9 é 📬\", \"pad\": \"{}\" }}", "x".repeat(2000)),
        }
    }

    pub fn firings(&self, numbers: std::ops::Range<u32>) -> Vec<Firing> {
        numbers.map(|number| self.firing(number)).collect()
    }

    /// Stores the connector, with an exchange of its own.
    pub async fn stored(&self, store: &impl Store, connector: Connector) -> Connector {
        let exchange = self.exchange(connector.id.as_str());
        store.create_connector(&connector, &exchange).await.expect("a connector in a free slot is created");
        connector
    }
}

pub fn access_token(text: &str) -> SealedAccessToken {
    let sealed = |what: &str| Sealed([what, text, "\0"].concat().into_bytes());
    SealedAccessToken { key: sealed("key"), token: sealed("token"), expires_at: START.after(Duration::from_millis(3_600_500)) }
}

pub fn commit(firings: Vec<Firing>, cursor: Option<u64>) -> Commit {
    let progress = cursor.map(|cursor| Progress { cursor: HistoryId::new(cursor), listed_at: minutes(1) });
    Commit { firings, progress, now: minutes(1) }
}

pub fn ids(firings: &[Firing]) -> Vec<EventId> {
    let mut ids: Vec<EventId> = firings.iter().map(|firing| firing.event_id.clone()).collect();
    ids.sort();
    ids
}

/// The connector as it is stored now.
pub async fn now(store: &impl Store, location: &Location) -> Connector {
    store.connector_at(location).await.expect("the store answers").expect("the connector is there")
}

/// What is due of one connector, from all shards.
pub async fn due(store: &impl Store, location: &Location, at: Timestamp) -> Vec<Due> {
    let mut found = Vec::new();
    for shard in 0..SWEEP_SHARDS {
        let all = store.due(shard, at, 1000).await.expect("the store answers");
        found.extend(all.into_iter().filter(|due| of(due) == location));
    }
    found
}

pub fn of(due: &Due) -> &Location {
    let (Due::Connector(location) | Due::Firing { connector: location, .. }) = due;
    location
}
