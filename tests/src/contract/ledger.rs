//! Cases of the ledger: decided once, all or nothing, the same bytes until published.

use email_connectors::domain::connector::{Connector, Outbox, Reading, Status};
use email_connectors::domain::event::Event;
use email_connectors::domain::id::EventId;
use email_connectors::domain::mark::Mark;
use email_connectors::domain::watch::Watch;
use email_connectors::ports::{Commit, Store, StoreError};

use super::cast::{Cast, access_token, commit, decide, ids, listed, minutes, now, owing};
use super::conflicts;

async fn decided(store: &impl Store, events: &[EventId]) -> Vec<EventId> {
    let mut decided = store.decided(events).await.expect("the store answers");
    decided.sort();
    decided
}

async fn unpublished(store: &impl Store, events: &[EventId]) -> Vec<Event> {
    sorted(store.unpublished(events).await.expect("the store answers"))
}

fn sorted(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by(|one, other| one.event_id.cmp(&other.event_id));
    events
}

pub async fn a_commit_writes_events_and_position(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let events = cast.events(1..3);
    assert_eq!(decided(store, &ids(&events)).await, [], "nothing is decided at first");
    assert_eq!(decided(store, &[]).await, [], "no question has no answers");
    assert_eq!(unpublished(store, &[]).await, [], "no ids, no events");
    let after = listed(&stored, u64::MAX);
    store.commit(&commit(&stored, &after, &events)).await.unwrap();

    let connector = now(store, &stored.location()).await;
    assert_eq!(
        connector.reading.position.cursor,
        Mark::new(u64::MAX),
        "the highest history id is kept to the digit"
    );
    let outbox =
        Outbox { unpublished: ids(&events).into_iter().collect(), last_event_at: Some(minutes(1)) };
    let expected = Connector { version: 2, outbox, updated_at: minutes(1), ..after };
    assert_eq!(
        connector, expected,
        "a commit raises the version by one, and leaves the rest of the connector alone"
    );
    assert_eq!(
        decided(store, &ids(&cast.events(0..9))).await,
        ids(&events),
        "of many events, those that were decided"
    );
    assert_eq!(
        unpublished(store, &ids(&events)).await,
        sorted(events),
        "the events come back byte by byte"
    );
}

pub async fn a_commit_without_a_new_position_leaves_the_old_one(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.full_connector(1)).await;
    let step = decide(store, &stored, &cast.events(1..2)).await;
    assert_eq!(
        (&step.reading.position, step.version),
        (&stored.reading.position, 2),
        "a step writes events, not the position"
    );
    store.commit(&commit(&step, &listed(&step, u64::MAX - 3), &[])).await.unwrap();
    let last = now(store, &stored.location()).await;
    assert_eq!(
        (last.reading.position.cursor, last.version),
        (Mark::new(u64::MAX - 3), 3),
        "the position may move alone"
    );
    assert_eq!(
        last.outbox.unpublished, step.outbox.unpublished,
        "and leaves what waits for publication"
    );
    assert_eq!(last.outbox.last_event_at, step.outbox.last_event_at, "nor was that an event");
}

/// Each attribute that a commit may change is set, cleared and set again, alone.
pub async fn a_commit_writes_each_thing_that_differs(store: &impl Store, cast: &Cast) {
    let (bare, full) = (cast.connector(1), cast.full_connector(1));
    type Adopt = fn(&mut Reading, &Reading);
    let changes: [(&str, Adopt); 10] = [
        ("position", |after, from| after.position = from.position.clone()),
        ("status", |after, from| after.status = from.status),
        ("error", |after, from| after.last_error.clone_from(&from.last_error)),
        ("pauses", |after, from| after.pauses.clone_from(&from.pauses)),
        ("circuit", |after, from| after.circuit = from.circuit.clone()),
        ("label", |after, from| after.label.clone_from(&from.label)),
        ("quota", |after, from| after.spent = from.spent),
        ("proof of the watch", |after, from| after.verified_at = from.verified_at),
        ("lapse of the watch", |after, from| after.lapse_notified_at = from.lapse_notified_at),
        ("last worker at the outbox", |after, from| after.outbox_taken_at = from.outbox_taken_at),
    ];
    let full =
        Connector { reading: Reading { status: Status::NeedsReauth, ..full.reading }, ..full };
    let mut stored = cast.stored(store, bare.clone()).await;
    for (from, way) in [(&full, "there"), (&bare, "gone"), (&full, "there again")] {
        for (what, change) in changes {
            let mut after = stored.clone();
            change(&mut after.reading, &from.reading);
            assert_ne!(after, stored, "{what} {way} is a change");
            store.commit(&commit(&stored, &after, &[])).await.unwrap();
            let expected =
                Connector { version: stored.version + 1, updated_at: minutes(1), ..after };
            stored = now(store, &stored.location()).await;
            assert_eq!(stored, expected, "{what} {way}, and nothing else");
        }
    }
    let mut all = bare;
    changes.iter().for_each(|(_, change)| change(&mut all.reading, &stored.reading));
    let expected = Connector { version: stored.version, updated_at: stored.updated_at, ..all };
    assert_eq!(stored, expected, "nothing else has changed in all that");
}

pub async fn a_commit_leaves_alone_what_others_write(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let location = stored.location();
    let read = decide(store, &stored, &cast.events(1..4)).await;
    // Concurrent writes that raise no version.
    let watch = Watch::default().renewed(minutes(100), minutes(2));
    store.record_watch(&stored, &watch).await.unwrap();
    store.cache_access_token(&location, 1, &access_token("meanwhile")).await.unwrap();
    store.schedule(&location, 2, Some(minutes(3)), Some(minutes(50))).await.unwrap();
    store.mark_published(&location, &cast.events(1..3), minutes(4)).await.unwrap();

    let reading = Reading {
        status: Status::NeedsReauth,
        verified_at: Some(minutes(7)),
        lapse_notified_at: Some(minutes(8)),
        outbox_taken_at: Some(minutes(9)),
        ..cast.full_connector(1).reading
    };
    let after = Connector { reading, ..read.clone() };
    store.commit(&commit(&read, &after, &cast.events(4..5))).await.unwrap();
    let outbox = Outbox {
        unpublished: ids(&cast.events(3..5)).into_iter().collect(),
        last_event_at: Some(minutes(1)),
    };
    let expected = Connector {
        watch,
        access_token: Some(access_token("meanwhile")),
        checked_at: Some(minutes(3)),
        outbox,
        version: 3,
        updated_at: minutes(1),
        ..after
    };
    assert_eq!(
        now(store, &location).await,
        expected,
        "what was decided and differs is written, and nothing else"
    );
    let unchanged = Connector { version: 3, ..read };
    store.commit(&commit(&unchanged, &unchanged, &[])).await.unwrap();
    assert_eq!(
        now(store, &location).await,
        Connector { version: 4, ..expected },
        "of what does not differ nothing is written"
    );
}

pub async fn events_that_no_trigger_fired_are_events_all_the_same(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let notices = cast.notices(&stored);
    let waiting = decide(store, &stored, &notices).await;
    let expected =
        Connector { version: 2, updated_at: minutes(1), ..owing(stored.clone(), &notices) };
    assert_eq!(waiting, expected, "they wait for publication, and are no trigger's last event");
    assert_eq!(
        unpublished(store, &ids(&notices)).await,
        sorted(notices.clone()),
        "each comes back as the type that it was"
    );
    let both = [&notices[..1], &cast.events(1..2)].concat();
    lands_nowhere(
        store,
        &commit(&waiting, &listed(&waiting, u64::MAX), &both),
        "a commit that repeats one of them",
    )
    .await;
    store.mark_published(&stored.location(), &notices, minutes(2)).await.unwrap();
    lands_nowhere(
        store,
        &commit(&waiting, &listed(&waiting, u64::MAX), &both),
        "a commit that repeats a published one",
    )
    .await;
    let fired = decide(store, &waiting, &cast.events(1..2)).await;
    assert_eq!(
        fired.outbox.last_event_at,
        Some(minutes(1)),
        "what a trigger fired is its last event"
    );
}

/// The commit is a Conflict and changes nothing.
async fn lands_nowhere(store: &impl Store, refused: &Commit<'_>, case: &str) {
    let (location, events) = (refused.before.location(), ids(refused.events));
    let (before, known) =
        (store.connector_at(&location).await.unwrap(), decided(store, &events).await);
    conflicts(store.commit(refused).await, case);
    assert_eq!(
        store.connector_at(&location).await.unwrap(),
        before,
        "{case}: the connector is as it was"
    );
    assert_eq!(decided(store, &events).await, known, "{case}: nothing was decided by it");
}

pub async fn a_stale_commit_changes_nothing(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    store.put_trigger(&cast.trigger(&stored, 1), None, &stored.location(), 1).await.unwrap();
    let (after, events, at) = (listed(&stored, u64::MAX), cast.events(1..4), |version| Connector {
        version,
        ..stored.clone()
    });
    lands_nowhere(
        store,
        &commit(&at(1), &after, &events),
        "a commit at the version before a trigger",
    )
    .await;
    lands_nowhere(store, &commit(&at(3), &after, &events), "a commit at a version to come").await;
    lands_nowhere(store, &commit(&at(1), &after, &[]), "a stale position alone").await;
    let (nobody, moved) = (cast.connector(9), listed(&cast.connector(9), u64::MAX));
    lands_nowhere(
        store,
        &commit(&nobody, &moved, &events),
        "a commit for a connector that is not there",
    )
    .await;
    lands_nowhere(
        store,
        &commit(&nobody, &moved, &[]),
        "a position of a connector that is not there",
    )
    .await;
}

pub async fn an_event_is_decided_once(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let first = cast.event(2);
    let read = decide(store, &stored, std::slice::from_ref(&first)).await;
    let (after, again) = (
        listed(&read, u64::MAX),
        [cast.event(1), Event { detail: "other bytes".into(), ..first.clone() }, cast.event(3)],
    );
    lands_nowhere(
        store,
        &commit(&read, &after, &again),
        "a commit with an event that was decided before",
    )
    .await;
    store.mark_published(&stored.location(), &[first], minutes(2)).await.unwrap();
    lands_nowhere(
        store,
        &commit(&read, &after, &again),
        "a commit with an event that was published before",
    )
    .await;

    let neighbour = cast.stored(store, cast.of_other_owner(2)).await;
    lands_nowhere(
        store,
        &commit(&neighbour, &neighbour, &again),
        "another connector's commit with that event",
    )
    .await;
}

pub async fn of_two_commits_at_one_version_one_lands(store: &impl Store, cast: &Cast) {
    for (number, of_one, of_other) in [(1, 1..3, 3..5), (2, 5..6, 6..6), (3, 6..6, 6..6)] {
        let slot = cast.own_slot(number);
        let stored = cast.stored(store, Connector { slot, ..cast.connector(number) }).await;
        let (one, of_one) = (listed(&stored, u64::MAX - 1), cast.events(of_one));
        let (other, of_other) = (listed(&stored, u64::MAX - 2), cast.events(of_other));
        let (one, other) = (commit(&stored, &one, &of_one), commit(&stored, &other, &of_other));
        let (landed, lost) = match tokio::join!(store.commit(&one), store.commit(&other)) {
            (Ok(()), Err(StoreError::Conflict)) => (one, other),
            (Err(StoreError::Conflict), Ok(())) => (other, one),
            neither => panic!(
                "of two commits at one version one must land and one must be a Conflict: {neither:?}"
            ),
        };
        let connector = now(store, &stored.location()).await;
        assert_eq!(
            connector.reading.position, landed.after.position,
            "the position is the one that landed"
        );
        assert_eq!(connector.version, 2, "one commit, one version");
        assert_eq!(
            decided(store, &ids(landed.events)).await,
            ids(landed.events),
            "what landed is decided"
        );
        assert_eq!(decided(store, &ids(lost.events)).await, [], "what lost is not");
    }
}

pub async fn a_commit_takes_98_events_and_a_position(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.full_connector(1)).await;
    let location = stored.location();
    let all = cast.events(0..196);
    let (first, second) = all.split_at(Commit::MOST_EVENTS);
    let half = decide(store, &stored, first).await;
    // The largest position that is stored.
    let mut after = listed(&half, u64::MAX);
    after.reading.position.handle((0..6000).map(|below| Mark::new(u64::MAX - below).into()));
    store
        .commit(&commit(&half, &after, second))
        .await
        .expect("as many events, and the fullest position");
    assert_eq!(
        decided(store, &ids(&cast.events(0..450))).await,
        ids(&all),
        "of hundreds of events, those that were decided"
    );
    assert_eq!(
        unpublished(store, &ids(&all)).await,
        sorted(all.clone()),
        "hundreds of events come back"
    );
    let full = now(store, &location).await;
    assert_eq!(
        (full.outbox.unpublished.len(), &full.reading.position),
        (all.len(), &after.reading.position),
        "all of them wait, and the position is whole"
    );
    for chunk in all.chunks(Commit::MOST_EVENTS) {
        store
            .mark_published(&location, chunk, minutes(2))
            .await
            .expect("as many marks as a commit takes events");
    }
    assert_eq!(
        now(store, &location).await.outbox.unpublished.len(),
        0,
        "and none waits when all are marked"
    );
}

pub async fn published_events_are_marked_without_a_new_version(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let (location, events) = (stored.location(), cast.events(1..4));
    decide(store, &stored, &events).await;
    store.mark_published(&location, &events[..1], minutes(2)).await.unwrap();
    let partly = now(store, &location).await;
    assert_eq!(
        partly.outbox.unpublished,
        ids(&events[1..]).into_iter().collect(),
        "what is not marked goes on waiting"
    );
    assert_eq!(partly.version, 2, "a mark raises no version");
    assert_eq!(
        unpublished(store, &ids(&events)).await,
        sorted(events[1..].to_vec()),
        "nor is what is marked unpublished"
    );

    store
        .mark_published(&location, &events[..2], minutes(3))
        .await
        .expect("a mark may be repeated");
    store.mark_published(&location, &events[2..], minutes(3)).await.unwrap();
    store
        .mark_published(&location, &events[2..], minutes(4))
        .await
        .expect("also when nothing waits any more");
    assert_eq!(
        now(store, &location).await.outbox.unpublished,
        Default::default(),
        "nothing waits when all are marked"
    );
    assert_eq!(
        unpublished(store, &ids(&events)).await,
        [],
        "nothing is unpublished when all are marked"
    );
    assert_eq!(decided(store, &ids(&events)).await, ids(&events), "all stay decided");
}
