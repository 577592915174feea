//! Cases of connectors: their slot, their grant, their status and their end.

use std::slice::from_ref;
use std::time::Duration;

use email_connectors::domain::connector::{Connector, Status};
use email_connectors::domain::history_id::HistoryId;
use email_connectors::domain::secret::Sealed;
use email_connectors::domain::watch::Watch;
use email_connectors::ports::{Exchange, Store, StoreError};

use super::cast::{Cast, START, access_token, commit, due, ids, minutes, now};
use super::conflicts;

pub async fn a_created_connector_is_found_from_every_side(store: &impl Store, cast: &Cast) {
    let bare = cast.connector(1);
    assert_eq!(store.in_slot(&bare.owner_id, &bare.slot).await.unwrap(), None, "a free slot holds nobody");
    assert_eq!(store.connector_at(&bare.location()).await.unwrap(), None, "a connector that was not created is nowhere");
    assert_eq!(store.mailbox(&bare.email_address).await.unwrap(), [], "a mailbox that nobody connected has no members");

    let full = Connector { owner_id: cast.other_owner(), ..cast.full_connector(2) };
    for (connector, case) in [(&bare, "nothing optional"), (&full, "everything optional and the highest history id")] {
        cast.stored(store, connector.clone()).await;
        let found = Some(connector.clone());
        assert_eq!(store.in_slot(&connector.owner_id, &connector.slot).await.unwrap(), found, "in_slot, {case}");
        assert_eq!(store.connector(&connector.owner_id, &connector.id).await.unwrap(), found, "connector, {case}");
        assert_eq!(store.connector_at(&connector.location()).await.unwrap(), found, "connector_at, {case}");
        assert_eq!(store.connectors(&connector.owner_id).await.unwrap(), from_ref(connector), "connectors, {case}");
    }
    let mut members = store.mailbox(&bare.email_address).await.unwrap();
    members.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
    assert_eq!(members, [(bare, vec![]), (full, vec![])], "mailbox, with both members");
}

pub async fn a_taken_slot_is_a_conflict(store: &impl Store, cast: &Cast) {
    let first = cast.stored(store, cast.connector(1)).await;
    let (second, exchange) = (cast.connector(2), cast.exchange("second"));
    conflicts(store.create_connector(&second, &exchange).await, "a second connector in the slot");
    assert_eq!(store.connectors(&first.owner_id).await.unwrap(), from_ref(&first), "the first one stays alone");
    assert_eq!(store.connector(&second.owner_id, &second.id).await.unwrap(), None, "the second one is not found by its id");
    assert_eq!(store.connector_at(&second.location()).await.unwrap(), None, "the second one has no row");
    assert_eq!(store.exchanged(&second.owner_id, &exchange).await.unwrap(), None, "its exchange is not remembered");

    conflicts(store.create_connector(&first, &cast.exchange("again")).await, "the same connector created again");
    cast.stored(store, cast.of_other_owner(3)).await;
    let members = store.mailbox(&cast.mailbox()).await.unwrap();
    assert_eq!(members.len(), 2, "another owner has the same slot to themselves");
}

pub async fn of_two_creates_at_once_one_holds_the_slot(store: &impl Store, cast: &Cast) {
    let (one, other) = (cast.connector(1), cast.connector(2));
    let (exchange_one, exchange_other) = (cast.exchange("one"), cast.exchange("other"));
    let raced = tokio::join!(store.create_connector(&one, &exchange_one), store.create_connector(&other, &exchange_other));
    let winner = match raced {
        (Ok(()), Err(StoreError::Conflict)) => one,
        (Err(StoreError::Conflict), Ok(())) => other,
        neither => panic!("of two creates at once one must win and one must be told of it: {neither:?}"),
    };
    assert_eq!(store.in_slot(&winner.owner_id, &winner.slot).await.unwrap(), Some(winner.clone()), "the winner holds the slot");
    assert_eq!(store.mailbox(&winner.email_address).await.unwrap(), [(winner, vec![])], "the loser left no row");
}

pub async fn an_owner_sees_only_their_own(store: &impl Store, cast: &Cast) {
    let (held, stranger) = (cast.stored(store, cast.connector(1)).await, cast.other_owner());
    let trigger = cast.trigger(&held, 1);
    store.put_trigger(&trigger, &held.location(), held.version).await.unwrap();
    assert_eq!(store.connector(&stranger, &held.id).await.unwrap(), None, "another owner's connector is not there");
    assert_eq!(store.connectors(&stranger).await.unwrap(), [], "another owner has no connectors");
    assert_eq!(store.in_slot(&stranger, &held.slot).await.unwrap(), None, "another owner's slot is free");
    assert_eq!(store.trigger(&stranger, &trigger.id).await.unwrap(), None, "another owner's trigger is not there");
    assert_eq!(store.triggers(&stranger).await.unwrap(), [], "another owner has no triggers");
    let exchange = cast.exchange(held.id.as_str());
    assert_eq!(store.exchanged(&stranger, &exchange).await.unwrap(), None, "another owner's exchange is not remembered");
}

pub async fn a_reconnect_overwrites_what_a_connect_decides(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.full_connector(1)).await;
    let location = held.location();
    store.commit(&location, 1, &commit(cast.firings(1..3), Some(u64::MAX - 5))).await.unwrap();
    let read = now(store, &location).await;
    // What happens after the read, and raises no version, must survive the write.
    let watch = Watch::default().renewed(minutes(100), minutes(2));
    store.record_watch(&location, 1, &watch, Some(minutes(50))).await.unwrap();
    store.mark_published(&location, &[cast.firing(1)], minutes(2)).await.unwrap();

    let granted = Connector {
        status: Status::Active,
        granted_scopes: vec!["https://mail.google.com/".into()],
        version: 3,
        generation: 2,
        history_id: HistoryId::new(1),
        listed_at: None,
        refresh_token: Sealed(vec![7; 300]),
        access_token: None,
        last_error: None,
        updated_at: minutes(3),
        ..read.clone()
    };
    let exchange = cast.exchange("reconnect");
    conflicts(store.reconnect(&granted, 1, &exchange).await, "a reconnect at an old version");
    assert_eq!(store.exchanged(&held.owner_id, &exchange).await.unwrap(), None, "a refused reconnect remembers no exchange");
    assert_eq!(
        now(store, &location).await,
        Connector { watch: watch.clone(), unpublished: ids(&[cast.firing(2)]).into_iter().collect(), ..read.clone() },
        "a refused reconnect changes nothing"
    );

    store.reconnect(&granted, 2, &exchange).await.unwrap();
    let expected = Connector {
        watch,
        unpublished: ids(&[cast.firing(2)]).into_iter().collect(),
        history_id: HistoryId::new(u64::MAX - 5),
        listed_at: Some(minutes(1)),
        ..granted.clone()
    };
    assert_eq!(now(store, &location).await, expected, "a reconnect changes the grant, and neither cursor, watch nor outbox");
    assert_eq!(store.exchanged(&held.owner_id, &exchange).await.unwrap(), Some(held.id.clone()), "its exchange is remembered");
    conflicts(store.reconnect(&granted, 2, &exchange).await, "the same reconnect again");
    conflicts(store.reconnect(&cast.connector(9), 1, &cast.exchange("nobody")).await, "a reconnect of a connector that is not there");
}

pub async fn an_exchange_is_remembered_for_ten_minutes(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let made = cast.exchange(held.id.as_str());
    let table = [(0, Some(held.id.clone())), (9, Some(held.id.clone())), (11, None)];
    for (later, expected) in table {
        let asked = Exchange { at: minutes(later), ..made.clone() };
        assert_eq!(store.exchanged(&held.owner_id, &asked).await.unwrap(), expected, "the exchange, {later} minutes later");
    }
    let another = cast.exchange("another");
    assert_eq!(store.exchanged(&held.owner_id, &another).await.unwrap(), None, "an exchange that never was");
}

pub async fn a_status_is_set_at_its_version(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.full_connector(1)).await;
    let location = held.location();
    conflicts(store.set_status(&location, 7, Status::NeedsReauth, Some("no"), minutes(1)).await, "a status at another version");
    assert_eq!(now(store, &location).await, held, "a refused status changes nothing");
    store.set_status(&location, 1, Status::NeedsReauth, Some("the grant is gone"), minutes(1)).await.unwrap();
    let needy = Connector {
        status: Status::NeedsReauth,
        last_error: Some("the grant is gone".into()),
        version: 2,
        updated_at: minutes(1),
        ..held.clone()
    };
    assert_eq!(now(store, &location).await, needy, "a status comes with its reason and a new version, and leaves the rest");
    store.set_status(&location, 2, Status::Active, None, minutes(2)).await.unwrap();
    let mended = Connector { version: 3, last_error: None, updated_at: minutes(2), ..held };
    assert_eq!(now(store, &location).await, mended, "a status without a reason takes the old one away");
}

pub async fn a_connector_is_removed_with_all_that_is_its(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let neighbour = cast.stored(store, cast.of_other_owner(2)).await;
    let location = held.location();
    let (trigger, kept) = (cast.trigger(&held, 1), cast.trigger(&neighbour, 2));
    store.put_trigger(&trigger, &location, 1).await.unwrap();
    store.put_trigger(&kept, &neighbour.location(), 1).await.unwrap();

    conflicts(store.remove_connector(&held, from_ref(&trigger.id)).await, "a removal at an old version");
    let read = now(store, &location).await;
    assert_eq!(store.trigger(&held.owner_id, &trigger.id).await.unwrap(), Some(trigger.clone()), "a refused removal takes no trigger");
    store.remove_connector(&read, from_ref(&trigger.id)).await.unwrap();

    assert_eq!(store.connector_at(&location).await.unwrap(), None, "its row is gone");
    assert_eq!(store.connector(&held.owner_id, &held.id).await.unwrap(), None, "its owner does not find it");
    assert_eq!(store.connectors(&held.owner_id).await.unwrap(), [], "its owner does not list it");
    assert_eq!(store.trigger(&held.owner_id, &trigger.id).await.unwrap(), None, "its trigger is gone");
    assert_eq!(store.triggers(&held.owner_id).await.unwrap(), [], "its owner lists no trigger");
    assert_eq!(due(store, &location, minutes(10_000)).await, [], "nothing of it is due");
    let left = Connector { version: 2, ..neighbour };
    assert_eq!(store.mailbox(&cast.mailbox()).await.unwrap(), [(left, vec![kept])], "its neighbour in the mailbox stays");

    conflicts(store.remove_connector(&read, &[]).await, "a second removal");
    assert_eq!(store.in_slot(&held.owner_id, &held.slot).await.unwrap(), None, "its slot is free");
    store.create_connector(&cast.connector(3), &cast.exchange("next")).await.expect("a freed slot may be taken again");
}

pub async fn firings_that_wait_keep_their_connector(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let (location, firing) = (held.location(), cast.firing(1));
    store.commit(&location, 1, &commit(vec![firing.clone()], None)).await.unwrap();
    let waiting = now(store, &location).await;
    conflicts(store.remove_connector(&waiting, &[]).await, "a removal while a firing waits for publication");
    assert_eq!(now(store, &location).await, waiting, "a refused removal changes nothing");
    assert_eq!(store.in_slot(&held.owner_id, &held.slot).await.unwrap(), Some(waiting.clone()), "nor does it free the slot");

    store.mark_published(&location, from_ref(&firing), minutes(2)).await.unwrap();
    store.remove_connector(&now(store, &location).await, &[]).await.unwrap();
    assert_eq!(store.decided(&ids(from_ref(&firing))).await.unwrap(), from_ref(&firing.event_id), "what was decided stays decided");
    // A second worker that marks late, or caches a token, finds nobody and brings nobody back.
    let _ = store.mark_published(&location, &[firing], minutes(3)).await;
    let _ = store.cache_access_token(&location, 1, &access_token("late")).await;
    let _ = store.schedule(&location, 1, Some(START.after(Duration::from_secs(5)))).await;
    assert_eq!(store.connector_at(&location).await.unwrap(), None, "late writes bring no removed connector back");
    assert_eq!(store.mailbox(&cast.mailbox()).await.unwrap(), [], "late writes leave no fragment in the mailbox");
}
