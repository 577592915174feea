//! Lost connectors come back whole from a restored copy of the table, and existing rows stay.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::dynamodb::restore::run::{Choice, Ended, Report, Restore};
use email_connectors::domain::connector::{Connector, Location};
use email_connectors::domain::id::{ConnectorId, OwnerId};
use email_connectors::domain::restore::KeptOut;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::Trigger;
use email_connectors::ports::{Due, SWEEP_SHARDS, Store};
use tests::contract::cast::{Cast, decide, ids, membership, minutes, now, remove, rename};

use crate::aws;

/// The stack's live table, and a copy of its earlier state.
struct Tables {
    client: Client,
    live_name: String,
    live: DynamoStore,
    before: DynamoStore,
    cast: Cast,
}

impl Tables {
    async fn new() -> Self {
        let config = aws::config().await;
        let (live_name, before) = (aws::table(&config).await, aws::table(&config).await);
        let live = DynamoStore::new(&config, &live_name);
        Self {
            client: Client::new(&config),
            live,
            before: DynamoStore::new(&config, before),
            live_name,
            cast: Cast::new("restore", "one"),
        }
    }

    /// Copies the live table, as point-in-time recovery does.
    async fn back_up(&self) {
        for row in self.live.all_rows(None).await.unwrap().rows {
            self.before.insert_absent(&row).await.unwrap();
        }
    }

    /// Deletes the rows whose keys begin with these.
    async fn lose(&self, pk: &str, sk: &str) -> usize {
        let rows = self
            .client
            .scan()
            .table_name(&self.live_name)
            .send()
            .await
            .unwrap()
            .items
            .unwrap_or_default();
        let part =
            |row: &BTreeMap<String, AttributeValue>, name: &str| row[name].as_s().unwrap().clone();
        let mut lost = 0;
        for row in rows {
            let row: BTreeMap<_, _> = row.into_iter().collect();
            let (has_pk, has_sk) = (part(&row, "pk"), part(&row, "sk"));
            if has_pk.starts_with(pk) && has_sk.starts_with(sk) {
                let key = [("pk", has_pk), ("sk", has_sk)]
                    .map(|(name, value)| (name.to_string(), AttributeValue::S(value)));
                self.client
                    .delete_item()
                    .table_name(&self.live_name)
                    .set_key(Some(key.into()))
                    .send()
                    .await
                    .unwrap();
                lost += 1;
            }
        }
        lost
    }

    async fn restore(&self, choice: Choice, apply: bool) -> Report {
        let report = Restore { from: &self.before, to: &self.live, choice, apply }
            .run(minutes(9))
            .await
            .unwrap();
        let failed = report
            .connectors
            .values()
            .find(|connector| matches!(connector.ended, Ended::Failed(_)));
        assert!(failed.is_none(), "{failed:?}");
        report
    }

    async fn trigger(&self, of: &Connector, number: u32) -> Trigger {
        let (trigger, version) =
            (self.cast.trigger(of, number), now(&self.live, &of.location()).await.version);
        self.live.put_trigger(&trigger, None, &of.location(), version).await.unwrap();
        trigger
    }

    async fn mailbox(&self) -> Vec<(Connector, Vec<Trigger>)> {
        self.live.mailbox(&self.cast.mailbox().into()).await.unwrap()
    }
}

fn only(connector: &Connector) -> Choice {
    Choice { connectors: vec![connector.id.clone()], ..Choice::default() }
}

/// Which rows of a connector are missing, or were written back.
fn rows(report: &Report, of: &ConnectorId) -> Vec<(&'static str, u64)> {
    match &report.connectors[of].ended {
        Ended::Complete(kinds) => kinds.iter().map(|(kind, count)| (*kind, *count)).collect(),
        other => panic!("{other:?}"),
    }
}

fn kept_out<'a>(report: &'a Report, of: &ConnectorId) -> &'a KeptOut {
    match &report.connectors[of].ended {
        Ended::KeptOut(why) => why,
        other => panic!("{other:?}"),
    }
}

async fn is_due(store: &DynamoStore, location: &Location, at: Timestamp) -> bool {
    let mut found = Vec::new();
    for shard in 0..SWEEP_SHARDS {
        found.extend(store.due(shard, at, 1000).await.unwrap());
    }
    found.contains(&Due::Connector(location.clone()))
}

#[tokio::test]
async fn a_lost_connector_comes_back_whole_and_one_that_its_user_ended_does_not() {
    let tables = Tables::new().await;
    let (live, cast) = (&tables.live, &tables.cast);
    let (one, two) = (
        cast.stored(live, cast.connector(1)).await,
        cast.stored(live, cast.of_other_owner(2)).await,
    );
    let mail = tables.trigger(&one, 1).await;
    let (webhook, hook) = cast.webhook(&one, 2);
    live.put_trigger(&webhook, Some(&hook), &one.location(), 2).await.unwrap();
    let events = cast.events(0..3);
    decide(live, &now(live, &one.location()).await, &events).await;
    live.mark_published(&one.location(), &events, minutes(2)).await.unwrap();
    live.schedule(&one.location(), 4, None, Some(minutes(600))).await.unwrap();
    let whole = now(live, &one.location()).await;
    tables.back_up().await;

    remove(live, &two, &[]).await.unwrap();
    assert_eq!(tables.lose("MAILBOX#", "").await, 3);
    assert_eq!((tables.lose("EVENT#", "").await, tables.lose("HOOK#", "").await), (3, 1));
    assert_eq!(tables.lose("OWNER#", "EXCHANGE#").await, 2);

    let compared = tables.restore(Choice::default(), false).await;
    assert_eq!(
        rows(&compared, &one.id),
        [("connector", 1), ("event", 3), ("hook", 1), ("trigger", 2)]
    );
    assert_eq!(kept_out(&compared, &two.id), &KeptOut::Left);
    assert_eq!(compared.passing, 2, "what a code led to");
    assert!(
        tables.mailbox().await.is_empty() && live.hook(&webhook.id).await.unwrap().is_none(),
        "nothing is written yet"
    );

    let restored = tables.restore(only(&one), true).await;
    assert_eq!(rows(&restored, &one.id), rows(&compared, &one.id));
    assert!(!restored.connectors.contains_key(&two.id), "only the chosen connector is restored");
    assert_eq!(tables.mailbox().await, [(whole, vec![mail, webhook.clone()])]);
    assert_eq!(live.hook(&webhook.id).await.unwrap(), Some(hook));
    assert_eq!(
        live.decided(&ids(&events)).await.unwrap().len(),
        3,
        "what has fired does not fire again"
    );
    assert!(is_due(live, &one.location(), minutes(9)).await, "it is due at the next sweep");
    assert_eq!(
        live.exchanged(&one.owner_id, &cast.exchange(one.id.as_str())).await.unwrap(),
        None,
        "short-lived rows are not restored"
    );

    let again = tables.restore(Choice::default(), true).await;
    assert!(rows(&again, &one.id).is_empty());
    assert_eq!(
        (kept_out(&again, &two.id), live.connector_at(&two.location()).await.unwrap()),
        (&KeptOut::Left, None)
    );
}

#[tokio::test]
async fn after_a_loss_of_everything_each_owner_may_come_back_alone() {
    let tables = Tables::new().await;
    let (live, cast) = (&tables.live, &tables.cast);
    let (one, two) = (
        cast.stored(live, cast.connector(1)).await,
        cast.stored(live, cast.of_other_owner(2)).await,
    );
    tables.trigger(&one, 1).await;
    let members = membership(live, &one).await;
    tables.back_up().await;
    tables.lose("", "").await;

    let of = |owner: OwnerId| Choice { owners: vec![owner], ..Choice::default() };
    let first = tables.restore(of(one.owner_id.clone()), true).await;
    assert_eq!(
        rows(&first, &one.id),
        [("account", 1), ("connector", 1), ("pointer", 1), ("slot", 1), ("trigger", 2)]
    );
    assert_eq!(live.connector(&two.owner_id, &two.id).await.unwrap(), None);
    assert_eq!(membership(live, &one).await, members, "the other owner stays a member");
    let second = tables.restore(of(two.owner_id.clone()), true).await;
    assert_eq!(rows(&second, &two.id), [("connector", 1), ("pointer", 1), ("slot", 1)]);

    for connector in [&one, &two] {
        assert_eq!(
            live.connector(&connector.owner_id, &connector.id).await.unwrap().map(|found| found.id),
            Some(connector.id.clone())
        );
        assert_eq!(
            live.in_slot(&connector.owner_id, &connector.slot).await.unwrap().map(|found| found.id),
            Some(connector.id.clone())
        );
    }
    assert_eq!((tables.mailbox().await.len(), membership(live, &one).await), (2, members));
    assert_eq!(live.triggers(&one.owner_id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_connector_that_moved_or_whose_slot_is_taken_is_kept_out() {
    let tables = Tables::new().await;
    let (live, cast) = (&tables.live, &tables.cast);
    let (one, two) = (
        cast.stored(live, cast.connector(1)).await,
        cast.stored(live, cast.of_other_owner(2)).await,
    );
    tables.back_up().await;

    rename(live, &one, &[], &cast.other_mailbox()).await.unwrap();
    let moved = KeptOut::Moved(cast.other_mailbox().into());
    assert_eq!(kept_out(&tables.restore(only(&one), true).await, &one.id), &moved);
    tables.lose(&format!("MAILBOX#{}", cast.other_mailbox()), "").await;
    assert_eq!(
        kept_out(&tables.restore(only(&one), true).await, &one.id),
        &moved,
        "its row is gone, and its owner's pointer is not"
    );

    tables.lose("MAILBOX#", "").await;
    tables.lose("ACCOUNT#", "").await;
    tables.lose(&format!("OWNER#{}", two.owner_id), "").await;
    let third = cast.stored(live, cast.of_other_owner(3)).await;
    assert_eq!(
        kept_out(&tables.restore(only(&two), true).await, &two.id),
        &KeptOut::SlotTaken(third.id.clone())
    );
    assert_eq!(tables.mailbox().await, [(third, vec![])]);
}

#[tokio::test]
async fn a_connector_that_is_there_gets_what_it_lacks_and_whoever_reads_it_reads_again() {
    let tables = Tables::new().await;
    let (live, cast) = (&tables.live, &tables.cast);
    let one = cast.stored(live, cast.connector(1)).await;
    let trigger = tables.trigger(&one, 1).await;
    tables.back_up().await;
    // Changed after the copy, and then lost in the mailbox partition only.
    let changed = Trigger { agent_id: Some("agent-2".into()), ..trigger.clone() };
    live.put_trigger(&changed, None, &one.location(), 2).await.unwrap();
    tables.lose("MAILBOX#", &format!("CONNECTOR#{}#TRIGGER#", one.id)).await;

    let restored = tables.restore(only(&one), true).await;
    assert_eq!(rows(&restored, &one.id), [("trigger", 1)]);
    let (connector, triggers) = tables.mailbox().await.remove(0);
    assert_eq!((connector.version, triggers), (4, vec![changed]), "the owner's current version");
}

/// Events that were decided after the copy and not published: their rows exist, so they are not
/// decided again.
#[tokio::test]
async fn a_connector_that_comes_back_owes_what_was_decided_after_the_copy() {
    let tables = Tables::new().await;
    let (live, cast) = (&tables.live, &tables.cast);
    let one = cast.stored(live, cast.connector(1)).await;
    let events = cast.events(0..3);
    decide(live, &one, &events[..1]).await;
    tables.back_up().await;
    decide(live, &now(live, &one.location()).await, &events[1..]).await;
    live.mark_published(&one.location(), &events[..2], minutes(2)).await.unwrap();
    tables.lose("MAILBOX#", "").await;

    tables.restore(only(&one), true).await;
    assert_eq!(
        now(live, &one.location()).await.outbox.unpublished,
        ids(&events[2..]).into_iter().collect()
    );
}

#[tokio::test]
async fn a_connector_that_comes_back_owes_what_nobody_published_since() {
    let tables = Tables::new().await;
    let (live, cast) = (&tables.live, &tables.cast);
    let one = cast.stored(live, cast.connector(1)).await;
    let events = cast.events(0..3);
    decide(live, &one, &events).await;
    tables.back_up().await;
    live.mark_published(&one.location(), &events[..2], minutes(2)).await.unwrap();
    // The row of the first still says that it is published; the rows of the other two are lost.
    tables.lose("MAILBOX#", "").await;
    for event in &events[1..] {
        assert_eq!(tables.lose(&format!("EVENT#{}", event.event_id), "").await, 1);
    }

    tables.restore(only(&one), true).await;
    let owed = now(live, &one.location()).await.outbox.unpublished;
    assert_eq!(
        owed,
        ids(&events[1..]).into_iter().collect(),
        "the same bytes under the same id, at worst once more"
    );
    assert_eq!(live.unpublished(&ids(&events)).await.unwrap().len(), 2);

    // For an existing connector, only its own row says which events are unpublished.
    live.mark_published(&one.location(), &events, minutes(3)).await.unwrap();
    tables.lose("EVENT#", "").await;
    assert_eq!(rows(&tables.restore(only(&one), true).await, &one.id), [("event", 3)]);
    assert!(live.unpublished(&ids(&events)).await.unwrap().is_empty());
    let mut due = Vec::new();
    for shard in 0..SWEEP_SHARDS {
        due.extend(live.due(shard, minutes(600), 1000).await.unwrap());
    }
    assert!(
        !due.iter().any(|due| matches!(due, Due::Event { .. })),
        "no wake-up is sent for them: {due:?}"
    );
}
