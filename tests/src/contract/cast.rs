//! Rows for the contract's cases: each case has an owner, a mailbox and names of its own.

use std::time::Duration;

use email_connectors::domain::circuit::Circuit;
use email_connectors::domain::connector::{
    Closing, Connector, Location, Outbox, Provider, Reading, Slot, Status, StoredGrant, Uniqueness,
};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::event::{DetailType, Event};
use email_connectors::domain::id::{
    AccountId, ConnectorId, EventId, MessageId, MessageIdentity, OwnerId, TriggerId, fingerprint,
};
use email_connectors::domain::mark::Mark;
use email_connectors::domain::membership::Membership;
use email_connectors::domain::pause;
use email_connectors::domain::position::{FetchFailure, Listing, Position};
use email_connectors::domain::quota::Spent;
use email_connectors::domain::secret::{Sealed, SealedAccessToken};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::{Filters, Trigger, TriggerConfig, TriggerType};
use email_connectors::domain::watch::{Watch, WatchFailure};
use email_connectors::ports::{Commit, Due, Exchange, Hook, SWEEP_SHARDS, Store, StoreError};

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
        EmailAddress::parse(&format!("{}@example.com", self.name))
            .expect("a tag may stand in an address")
    }

    /// The address that the mailbox has after a rename.
    pub fn other_mailbox(&self) -> EmailAddress {
        EmailAddress::parse(&format!("{}@renamed.example.com", self.name))
            .expect("a tag may stand in an address")
    }

    /// The Google account of all of the case's connectors.
    pub fn account(&self) -> AccountId {
        AccountId::new(format!("{}-sub", self.name))
    }

    /// As a first connect leaves it: nothing optional is there.
    pub fn connector(&self, number: u32) -> Connector {
        let account = self.account();
        Connector {
            id: ConnectorId::new(format!("con_{}_{number}", self.name)),
            owner_id: self.owner(),
            provider: Provider::Gmail,
            slot: Slot::new(Uniqueness::PerProvider, Provider::Gmail, &account),
            email_address: self.mailbox(),
            account,
            grant: StoredGrant {
                scopes: vec![
                    "openid".into(),
                    "https://www.googleapis.com/auth/gmail.modify".into(),
                ],
                generation: 1,
                refresh_token: Sealed(vec![0, 159, 146, 150, 255]),
                granted_at: START,
            },
            access_token: None,
            reading: Reading::from(Mark::new(u64::MAX - 1000)),
            watch: Watch::default(),
            checked_at: None,
            outbox: Outbox::default(),
            closing: None,
            version: 1,
            connected_at: START,
            created_at: START,
            updated_at: START,
        }
    }

    /// Everything optional is there, and no two moments are alike.
    pub fn full_connector(&self, number: u32) -> Connector {
        let at = |millis: u64| START.after(Duration::from_millis(millis));
        let bare = self.connector(number);
        Connector {
            grant: StoredGrant { granted_at: at(1019), ..bare.grant },
            reading: Reading {
                position: full_position(),
                status: Status::Active,
                last_error: Some("what was wrong".into()),
                label: Some("Büro 📬".into()),
                pauses: pause::set(
                    &pause::set(&pause::set(&[], true, at(1014)), false, at(1015)),
                    true,
                    at(1016),
                ),
                circuit: Circuit { failures: 7, open_until: Some(at(1012)) },
                spent: Spent::default().and(u32::MAX, at(1013)),
                verified_at: Some(at(1004)),
                lapse_notified_at: Some(at(1010)),
                outbox_taken_at: Some(at(1017)),
            },
            watch: Watch {
                expiration: Some(at(1002)),
                renewed_at: Some(at(1003)),
                failure: Some(WatchFailure {
                    at: at(1005),
                    reason: "“503” — später".into(),
                    times: 7,
                }),
                id: Some("of a provider whose watches have ids".into()),
            },
            checked_at: Some(at(1011)),
            access_token: Some(access_token("full")),
            outbox: Outbox { last_event_at: Some(at(1006)), ..bare.outbox },
            closing: Some(Closing {
                since: at(1018),
                last: true,
                watch_stopped: Some(true),
                grant_revoked: Some(false),
            }),
            connected_at: at(1007),
            created_at: at(1008),
            updated_at: at(1009),
            ..bare
        }
    }

    /// A slot in which one owner's connectors lie side by side.
    pub fn own_slot(&self, number: u32) -> Slot {
        Slot::new(Uniqueness::PerMailbox, Provider::Gmail, &AccountId::new(number.to_string()))
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
            config: TriggerConfig {
                connector_id: connector.id.clone(),
                filters: Filters::default(),
            },
            created_at: START,
            updated_at: START,
        }
    }

    /// A trigger that is fired from outside, and what proves who may.
    pub fn webhook(&self, connector: &Connector, number: u32) -> (Trigger, Hook) {
        let trigger = Trigger { kind: TriggerType::Webhook, ..self.trigger(connector, number) };
        let secret = Sealed([&[0, 159, 146, 150, 255], trigger.id.as_str().as_bytes()].concat());
        let hook = Hook { owner: connector.owner_id.clone(), secret, previous: None };
        (trigger, hook)
    }

    pub fn event(&self, number: u32) -> Event {
        let (trigger_id, message_id) =
            (TriggerId::new(format!("trg_{}", self.name)), MessageId::new(format!("m{number}")));
        Event {
            event_id: EventId::derive(
                &AccountId::new(&self.name),
                &MessageIdentity::of(&message_id),
                &trigger_id,
            ),
            detail_type: DetailType::TriggerFired,
            trigger_id: Some(trigger_id),
            message_id: Some(message_id),
            decided_at: START,
            // Bytes that a rendering anew would not keep: order, white space, escapes.
            detail: format!(
                "{{ \"z\": {number}, \"a\": \"\\u00e9 é 📬\", \"pad\": \"{}\" }}",
                "x".repeat(2000)
            ),
        }
    }

    pub fn events(&self, numbers: std::ops::Range<u32>) -> Vec<Event> {
        numbers.map(|number| self.event(number)).collect()
    }

    /// One event of each type that no trigger fired.
    pub fn notices(&self, connector: &Connector) -> Vec<Event> {
        use DetailType::{
            ConnectorConnected, ConnectorDisconnected, ConnectorNeedsReauth, ConnectorRecovered,
            HistoryGapRecovered, MessageParked, WatchLapsed,
        };
        let notice = |detail_type: DetailType| Event {
            event_id: EventId::of_notice(&connector.id, detail_type.as_str(), "once"),
            detail_type,
            trigger_id: None,
            message_id: (detail_type == MessageParked).then(|| MessageId::new("m1")),
            ..self.event(0)
        };
        let types = [
            ConnectorNeedsReauth,
            ConnectorRecovered,
            WatchLapsed,
            HistoryGapRecovered,
            MessageParked,
            ConnectorConnected,
            ConnectorDisconnected,
        ];
        types.map(notice).to_vec()
    }

    /// Stores the connector, with an exchange of its own.
    pub async fn stored(&self, store: &impl Store, connector: Connector) -> Connector {
        let exchange = self.exchange(connector.id.as_str());
        create(store, &connector, &exchange).await.expect("a connector in a free slot is created");
        connector
    }
}

/// Creates the connector among the members of its account as they are.
pub async fn create(
    store: &impl Store,
    connector: &Connector,
    exchange: &Exchange,
) -> Result<(), StoreError> {
    let joined = membership(store, connector).await.joined(connector.location());
    store.create_connector(connector, &[], &joined, exchange, &[]).await
}

/// Who shares the connector's account, as it is stored now.
pub async fn membership(store: &impl Store, connector: &Connector) -> Membership {
    store.membership(&connector.account).await.expect("the store answers")
}

/// Removes the connector from the members of its account as they are.
pub async fn remove(
    store: &impl Store,
    connector: &Connector,
    triggers: &[Trigger],
) -> Result<(), StoreError> {
    let left = membership(store, connector).await.left_by(&connector.id);
    store.remove_connector(connector, triggers, &left).await
}

/// Moves the connector, among the members of its account as they are.
pub async fn rename(
    store: &impl Store,
    connector: &Connector,
    triggers: &[Trigger],
    to: &EmailAddress,
) -> Result<(), StoreError> {
    let moved = Location { mailbox: to.into(), ..connector.location() };
    let members = membership(store, connector).await.joined(moved);
    store.rename(connector, triggers, &members, to, minutes(5)).await
}

pub fn access_token(text: &str) -> SealedAccessToken {
    let sealed = |what: &str| Sealed([what, text, "\0"].concat().into_bytes());
    SealedAccessToken {
        key: sealed("key"),
        token: sealed("token"),
        expires_at: START.after(Duration::from_millis(3_600_500)),
    }
}

const SETTLE: Duration = Duration::from_secs(600);

/// A position in which nothing is absent, with the highest history id.
fn full_position() -> Position {
    let (poison, slow) = (MessageId::new("poison"), MessageId::new("slow"));
    let id = |below: u64| Mark::new(u64::MAX - below);
    let mut position = Position::at(id(900));
    for minute in 1..4 {
        let failure = FetchFailure {
            message: &poison,
            identity: None,
            reason: "500: “später”",
            arrived: true,
            in_gap: false,
            others_went_well: true,
        };
        position.record_failure(&failure, minutes(minute));
    }
    position.pin(id(800), START, SETTLE, minutes(5));
    if let Some(gap) = &mut position.gap {
        gap.turn("page + of / the = gap".into());
        (gap.messages, gap.fired) = (u64::MAX, 3);
    }
    let mut listing = Listing::begin(minutes(6));
    listing.saw(id(700));
    position.complete(&listing, Some(id(0)), SETTLE, minutes(7));
    position.handle([id(650).into(), id(600).into()]);
    let failure = FetchFailure {
        message: &slow,
        identity: None,
        reason: "503",
        arrived: false,
        in_gap: true,
        others_went_well: false,
    };
    position.record_failure(&failure, minutes(8));
    let page_token = Some("page of the listing".into());
    position.backlog =
        Some(Listing { page_token, lowest: Some(id(690)), ..Listing::begin(minutes(9)) });
    position.put_off(None, minutes(10));
    position
}

/// The connector after a listing that moved the cursor.
pub fn listed(connector: &Connector, cursor: u64) -> Connector {
    let mut after = connector.clone();
    let mut listing = Listing::begin(minutes(1));
    listing.saw(Mark::new(cursor));
    after.reading.position.complete(&listing, None, SETTLE, minutes(1));
    after
}

/// A commit after which the renewer has nothing to do.
pub fn commit<'a>(before: &'a Connector, after: &'a Connector, events: &'a [Event]) -> Commit<'a> {
    Commit { before, after: &after.reading, events, next_sweep: None, now: minutes(1) }
}

/// The connector as it is while these events wait for publication.
pub fn owing(connector: Connector, events: &[Event]) -> Connector {
    let outbox = Outbox { unpublished: ids(events).into_iter().collect(), ..connector.outbox };
    Connector { outbox, ..connector }
}

/// A grant of the connector's next connect.
pub fn granted_again(connector: &Connector) -> StoredGrant {
    StoredGrant { generation: connector.grant.generation + 1, ..connector.grant.clone() }
}

/// Commits these events and nothing else, and answers the connector as it is then.
pub async fn decide(store: &impl Store, before: &Connector, events: &[Event]) -> Connector {
    store.commit(&commit(before, before, events)).await.expect("what is new is committed");
    now(store, &before.location()).await
}

pub fn ids(events: &[Event]) -> Vec<EventId> {
    let mut ids: Vec<EventId> = events.iter().map(|event| event.event_id.clone()).collect();
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
    let (Due::Connector(location) | Due::Event { connector: location, .. }) = due;
    location
}
