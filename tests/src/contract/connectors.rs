//! Cases of connectors: their slot, their grant and their end.

use std::slice::from_ref;
use std::time::Duration;

use email_connectors::domain::connector::{Connector, Reading, Status, StoredGrant};
use email_connectors::domain::id::AccountId;
use email_connectors::domain::secret::Sealed;
use email_connectors::domain::trigger::Trigger;
use email_connectors::domain::watch::Watch;
use email_connectors::ports::{Exchange, Store, StoreError};

use super::cast::{
    Cast, START, access_token, commit, create, decide, due, granted_again, ids, listed, membership,
    minutes, now, owing, remove,
};
use super::conflicts;

pub async fn a_created_connector_is_found_from_every_side(store: &impl Store, cast: &Cast) {
    let bare = cast.connector(1);
    assert_eq!(
        store.in_slot(&bare.owner_id, &bare.slot).await.unwrap(),
        None,
        "a free slot holds nobody"
    );
    assert_eq!(
        store.connector_at(&bare.location()).await.unwrap(),
        None,
        "a connector that was not created is nowhere"
    );
    assert_eq!(
        store.mailbox(&bare.mailbox()).await.unwrap(),
        [],
        "a mailbox that nobody connected has no members"
    );

    let full = Connector { owner_id: cast.other_owner(), ..cast.full_connector(2) };
    for (connector, case) in
        [(&bare, "nothing optional"), (&full, "everything optional and the highest history id")]
    {
        cast.stored(store, connector.clone()).await;
        let found = Some(connector.clone());
        assert_eq!(
            store.in_slot(&connector.owner_id, &connector.slot).await.unwrap(),
            found,
            "in_slot, {case}"
        );
        assert_eq!(
            store.connector(&connector.owner_id, &connector.id).await.unwrap(),
            found,
            "connector, {case}"
        );
        assert_eq!(
            store.connector_at(&connector.location()).await.unwrap(),
            found,
            "connector_at, {case}"
        );
        assert_eq!(
            store.connectors(&connector.owner_id).await.unwrap(),
            from_ref(connector),
            "connectors, {case}"
        );
    }
    let mut members = store.mailbox(&bare.mailbox()).await.unwrap();
    members.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
    assert_eq!(
        members,
        [(bare.clone(), vec![]), (full.clone(), vec![])],
        "mailbox, with both members"
    );
    let shared = membership(store, &bare).await;
    assert_eq!(
        (shared.members, shared.version),
        (vec![bare.location(), full.location()], 2),
        "who shares their account"
    );
}

pub async fn a_connector_is_created_with_its_triggers_and_events(store: &impl Store, cast: &Cast) {
    let (bare, notices) = (cast.connector(1), cast.notices(&cast.connector(1)));
    let joined = membership(store, &bare).await.joined(bare.location());
    // As many as a connector may have: they still fit into one transaction.
    let mut triggers: Vec<Trigger> = (1..=40).map(|number| cast.trigger(&bare, number)).collect();
    store
        .create_connector(&bare, &triggers, &joined, &cast.exchange("first"), &notices)
        .await
        .unwrap();
    let (mut owned, mut read) = (
        store.triggers(&bare.owner_id).await.unwrap(),
        store.mailbox(&bare.mailbox()).await.unwrap(),
    );
    owned.sort_by(|one, other| one.id.cmp(&other.id));
    triggers.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(owned, triggers, "its triggers came with it");
    assert_eq!(
        read.pop().map(|(_, triggers)| triggers.len()),
        Some(40),
        "and its mailbox reads them"
    );
    let expected = owing(bare.clone(), &notices);
    assert_eq!(now(store, &bare.location()).await, expected, "its events wait for publication");
    let unpublished = store.unpublished(&ids(&notices)).await.unwrap();
    assert!(
        unpublished.len() == notices.len()
            && notices.iter().all(|event| unpublished.contains(event)),
        "as they were given"
    );

    let other = Connector { owner_id: cast.other_owner(), ..cast.connector(2) };
    let (joined, exchange) =
        (membership(store, &bare).await.joined(other.location()), cast.exchange("again"));
    let brought = [cast.trigger(&other, 41)];
    conflicts(
        store.create_connector(&other, &brought, &joined, &exchange, &notices[..1]).await,
        "a connector whose event was decided before",
    );
    assert_eq!(store.triggers(&other.owner_id).await.unwrap(), [], "nor is a trigger of it");
    assert_eq!(store.connector_at(&other.location()).await.unwrap(), None, "and there is none");
    assert_eq!(membership(store, &bare).await.members, [bare.location()], "nor has it joined");
}

pub async fn a_taken_slot_is_a_conflict(store: &impl Store, cast: &Cast) {
    let first = cast.stored(store, cast.connector(1)).await;
    let (second, exchange) = (cast.connector(2), cast.exchange("second"));
    conflicts(create(store, &second, &exchange).await, "a second connector in the slot");
    assert_eq!(
        store.connectors(&first.owner_id).await.unwrap(),
        from_ref(&first),
        "the first one stays alone"
    );
    assert_eq!(
        store.connector(&second.owner_id, &second.id).await.unwrap(),
        None,
        "the second one is not found by its id"
    );
    assert_eq!(
        store.connector_at(&second.location()).await.unwrap(),
        None,
        "the second one has no row"
    );
    assert_eq!(
        store.exchanged(&second.owner_id, &exchange).await.unwrap(),
        None,
        "its exchange is not remembered"
    );

    conflicts(
        create(store, &first, &cast.exchange("again")).await,
        "the same connector created again",
    );
    cast.stored(store, cast.of_other_owner(3)).await;
    let members = store.mailbox(&cast.mailbox().into()).await.unwrap();
    assert_eq!(members.len(), 2, "another owner has the same slot to themselves");
}

pub async fn of_two_creates_at_once_one_holds_the_slot(store: &impl Store, cast: &Cast) {
    // Of another account, so that only the slot is in the way.
    let (one, other) =
        (cast.connector(1), Connector { account: AccountId::new("other"), ..cast.connector(2) });
    let (exchange_one, exchange_other) = (cast.exchange("one"), cast.exchange("other"));
    let raced =
        tokio::join!(create(store, &one, &exchange_one), create(store, &other, &exchange_other));
    let winner = match raced {
        (Ok(()), Err(StoreError::Conflict)) => one,
        (Err(StoreError::Conflict), Ok(())) => other,
        neither => {
            panic!("of two creates at once one must win and one must be a Conflict: {neither:?}")
        }
    };
    assert_eq!(
        store.in_slot(&winner.owner_id, &winner.slot).await.unwrap(),
        Some(winner.clone()),
        "the winner holds the slot"
    );
    assert_eq!(
        store.mailbox(&winner.mailbox()).await.unwrap(),
        [(winner, vec![])],
        "the loser left no row"
    );
}

pub async fn an_owner_sees_only_their_own(store: &impl Store, cast: &Cast) {
    let (stored, stranger) = (cast.stored(store, cast.connector(1)).await, cast.other_owner());
    let trigger = cast.trigger(&stored, 1);
    store.put_trigger(&trigger, None, &stored.location(), stored.version).await.unwrap();
    assert_eq!(
        store.connector(&stranger, &stored.id).await.unwrap(),
        None,
        "another owner's connector is not there"
    );
    assert_eq!(store.connectors(&stranger).await.unwrap(), [], "another owner has no connectors");
    assert_eq!(
        store.in_slot(&stranger, &stored.slot).await.unwrap(),
        None,
        "another owner's slot is free"
    );
    assert_eq!(
        store.trigger(&stranger, &trigger.id).await.unwrap(),
        None,
        "another owner's trigger is not there"
    );
    assert_eq!(store.triggers(&stranger).await.unwrap(), [], "another owner has no triggers");
    let exchange = cast.exchange(stored.id.as_str());
    assert_eq!(
        store.exchanged(&stranger, &exchange).await.unwrap(),
        None,
        "another owner's exchange is not remembered"
    );
}

pub async fn a_reconnect_overwrites_what_a_connect_decides(store: &impl Store, cast: &Cast) {
    let open = Connector { closing: None, ..cast.full_connector(1) };
    let stored = cast.stored(store, open).await;
    let location = stored.location();
    store
        .commit(&commit(&stored, &listed(&stored, u64::MAX - 5), &cast.events(1..3)))
        .await
        .unwrap();
    let read = now(store, &location).await;
    // Writes after the read that raise no version must survive the reconnect.
    let watch = Watch::default().renewed(minutes(100), minutes(2));
    store.record_watch(&stored, &watch).await.unwrap();
    store.schedule(&location, 2, Some(minutes(2)), None).await.unwrap();
    store.mark_published(&location, &[cast.event(1)], minutes(2)).await.unwrap();
    let meanwhile = now(store, &location).await;

    let grant = StoredGrant {
        scopes: vec!["https://mail.google.com/".into()],
        generation: 2,
        refresh_token: Sealed(vec![7; 300]),
        granted_at: minutes(3),
    };
    let (exchange, events) =
        (Exchange { at: minutes(3), ..cast.exchange("reconnect") }, cast.notices(&stored));
    conflicts(
        store.reconnect(&stored, &grant, &exchange, &events).await,
        "a reconnect at an old version",
    );
    conflicts(
        store.reconnect(&read, &grant, &exchange, &[cast.event(2)]).await,
        "a reconnect with an event that was decided before",
    );
    assert_eq!(
        store.exchanged(&stored.owner_id, &exchange).await.unwrap(),
        None,
        "a refused reconnect remembers no exchange"
    );
    assert_eq!(
        store.decided(&ids(&events)).await.unwrap(),
        [],
        "a refused reconnect decides nothing"
    );
    assert_eq!(now(store, &location).await, meanwhile, "a refused reconnect changes nothing");

    // A reconnect writes only the grant, so the other attributes of `stray` are ignored.
    let stray = Connector {
        version: read.version,
        closing: None,
        watch: Watch::default(),
        ..cast.connector(1)
    };
    store.reconnect(&stray, &grant, &exchange, &events).await.unwrap();
    let expected = Connector {
        grant: grant.clone(),
        access_token: None,
        reading: Reading { status: Status::Active, last_error: None, ..meanwhile.reading.clone() },
        version: 3,
        updated_at: minutes(3),
        ..owing(meanwhile, &[&events[..], &[cast.event(2)]].concat())
    };
    assert_eq!(
        (&expected.watch, expected.checked_at),
        (&watch, Some(minutes(2))),
        "what happened after the read is in it"
    );
    assert_eq!(
        now(store, &location).await,
        expected,
        "a reconnect changes the grant, and neither position, watch nor outbox"
    );
    assert_eq!(
        store.exchanged(&stored.owner_id, &exchange).await.unwrap(),
        Some(stored.id.clone()),
        "its exchange is remembered"
    );
    let unpublished = store.unpublished(&ids(&events)).await.unwrap();
    assert!(
        unpublished.len() == events.len() && events.iter().all(|event| unpublished.contains(event)),
        "its events are written as they were given"
    );

    conflicts(store.reconnect(&read, &grant, &exchange, &[]).await, "the same reconnect again");
    store
        .reconnect(&expected, &granted_again(&expected), &exchange, &[])
        .await
        .expect("a reconnect without events");
    assert_eq!(
        now(store, &location).await.outbox,
        expected.outbox,
        "and what waits goes on waiting"
    );
    let nobody = store.reconnect(&cast.connector(9), &grant, &cast.exchange("nobody"), &[]).await;
    conflicts(nobody, "a reconnect of a connector that is not there");
}

pub async fn an_exchange_is_remembered_for_ten_minutes(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let made = cast.exchange(stored.id.as_str());
    let table = [(0, Some(stored.id.clone())), (9, Some(stored.id.clone())), (11, None)];
    for (later, expected) in table {
        let exchange = Exchange { at: minutes(later), ..made.clone() };
        assert_eq!(
            store.exchanged(&stored.owner_id, &exchange).await.unwrap(),
            expected,
            "the exchange, {later} minutes later"
        );
    }
    let another = cast.exchange("another");
    assert_eq!(
        store.exchanged(&stored.owner_id, &another).await.unwrap(),
        None,
        "an exchange that never was"
    );
}

pub async fn a_connector_is_removed_with_all_that_is_its(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let neighbour = cast.stored(store, cast.of_other_owner(2)).await;
    let location = stored.location();
    let (trigger, kept) = (cast.trigger(&stored, 1), cast.trigger(&neighbour, 2));
    let members = membership(store, &stored).await;
    store.put_trigger(&trigger, None, &location, 1).await.unwrap();
    store.put_trigger(&kept, None, &neighbour.location(), 1).await.unwrap();

    conflicts(remove(store, &stored, from_ref(&trigger)).await, "a removal at an old version");
    let read = now(store, &location).await;
    assert_eq!(
        store.trigger(&stored.owner_id, &trigger.id).await.unwrap(),
        Some(trigger.clone()),
        "a refused removal takes no trigger"
    );
    assert_eq!(membership(store, &stored).await, members, "nor does it leave its account");
    remove(store, &read, from_ref(&trigger)).await.unwrap();

    assert_eq!(store.connector_at(&location).await.unwrap(), None, "its row is gone");
    assert_eq!(
        store.connector(&stored.owner_id, &stored.id).await.unwrap(),
        None,
        "its owner does not find it"
    );
    assert_eq!(store.connectors(&stored.owner_id).await.unwrap(), [], "its owner does not list it");
    assert_eq!(
        store.trigger(&stored.owner_id, &trigger.id).await.unwrap(),
        None,
        "its trigger is gone"
    );
    assert_eq!(store.triggers(&stored.owner_id).await.unwrap(), [], "its owner lists no trigger");
    assert_eq!(due(store, &location, minutes(10_000)).await, [], "nothing of it is due");
    assert_eq!(
        membership(store, &stored).await.members,
        [neighbour.location()],
        "its account has one member less"
    );
    let left = Connector { version: 2, ..neighbour };
    assert_eq!(
        store.mailbox(&cast.mailbox().into()).await.unwrap(),
        [(left, vec![kept])],
        "its neighbour in the mailbox stays"
    );

    conflicts(remove(store, &read, &[]).await, "a second removal");
    assert_eq!(
        store.in_slot(&stored.owner_id, &stored.slot).await.unwrap(),
        None,
        "its slot is free"
    );
    create(store, &cast.connector(3), &cast.exchange("next"))
        .await
        .expect("a freed slot may be taken again");
}

pub async fn events_that_wait_keep_their_connector(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let (location, event) = (stored.location(), cast.event(1));
    let waiting = decide(store, &stored, from_ref(&event)).await;
    conflicts(remove(store, &waiting, &[]).await, "a removal while an event waits for publication");
    assert_eq!(now(store, &location).await, waiting, "a refused removal changes nothing");
    assert_eq!(
        store.in_slot(&stored.owner_id, &stored.slot).await.unwrap(),
        Some(waiting.clone()),
        "nor does it free the slot"
    );

    store.mark_published(&location, from_ref(&event), minutes(2)).await.unwrap();
    remove(store, &now(store, &location).await, &[]).await.unwrap();
    assert_eq!(
        store.decided(&ids(from_ref(&event))).await.unwrap(),
        from_ref(&event.event_id),
        "what was decided stays decided"
    );
    // Late writes of a second worker recreate no row.
    let _ = store.mark_published(&location, &[event], minutes(3)).await;
    let _ = store.cache_access_token(&location, 1, &access_token("late")).await;
    let _ = store.schedule(&location, 2, None, Some(START.after(Duration::from_secs(5)))).await;
    let _ = store.commit(&commit(&waiting, &waiting, &[])).await;
    assert_eq!(
        store.connector_at(&location).await.unwrap(),
        None,
        "late writes bring no removed connector back"
    );
    assert_eq!(
        store.mailbox(&cast.mailbox().into()).await.unwrap(),
        [],
        "late writes leave no fragment in the mailbox"
    );
}
