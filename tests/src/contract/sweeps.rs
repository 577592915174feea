//! Cases of what is due: watches, schedules and unpublished events.

use std::collections::BTreeSet;
use std::time::Duration;

use email_connectors::domain::connector::{Connector, Location};
use email_connectors::domain::event::Event;
use email_connectors::domain::sweep::first_sweep;
use email_connectors::domain::watch::{Watch, Watching};
use email_connectors::ports::{Commit, Due, SWEEP_SHARDS, Store};

use super::cast::{Cast, START, commit, decide, due, granted_again, minutes, now, of};
use super::conflicts;

const LATE: u64 = 100_000;

async fn is_due(store: &impl Store, location: &Location, minute: u64) -> bool {
    match due(store, location, minutes(minute)).await.as_slice() {
        [] => false,
        [one] if *one == Due::Connector(location.clone()) => true,
        other => panic!("a connector is due in one shard, and once: {other:?}"),
    }
}

pub async fn a_new_connector_is_due_soon(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let location = stored.location();
    let soon = due(store, &location, first_sweep(START)).await;
    assert_eq!(
        soon,
        [Due::Connector(location.clone())],
        "a new connector is due at its first sweep"
    );
    assert!(is_due(store, &location, LATE).await, "and stays due until somebody comes");

    store.schedule(&location, 1, None, None).await.unwrap();
    store.reconnect(&stored, &granted_again(&stored), &cast.exchange("again"), &[]).await.unwrap();
    let again = due(store, &location, first_sweep(START)).await;
    assert_eq!(again, [Due::Connector(location)], "so is one that was connected again");
}

pub async fn a_watch_is_recorded_for_its_generation(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let location = stored.location();
    store.schedule(&location, 1, None, Some(minutes(60))).await.unwrap();
    let renewed = Watch::default().renewed(START.after(Duration::from_millis(604_800_123)), START);
    let failed = renewed.failed("503, „später“".into(), minutes(1));
    for generation in [0, 2] {
        let mut other = stored.clone();
        other.grant.generation = generation;
        conflicts(store.record_watch(&other, &renewed).await, "a watch of another generation");
    }
    assert_eq!(now(store, &location).await, stored, "a refused watch changes nothing");
    let mut before = stored.clone();
    for watch in [&renewed, &failed, &renewed] {
        store.record_watch(&before, watch).await.unwrap();
        before = Connector { watch: watch.clone(), ..stored.clone() };
        assert_eq!(
            now(store, &location).await,
            before,
            "a watch is recorded whole and raises no version"
        );
        assert!(
            !is_due(store, &location, 59).await && is_due(store, &location, 60).await,
            "a watch leaves the next sweep alone"
        );
    }
}

/// Of two writers that read the same watch the second one must know that it came second: the first
/// one's is alive, and recorded nowhere else.
pub async fn a_watch_is_recorded_over_the_one_that_was_read(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let named = |id: &str, minute: u64| {
        let (expires, id) = (minutes(minute + 10_000), Some(id.into()));
        Watch::default().renewed(Watching { expires, id, needless: Vec::new() }, minutes(minute))
    };
    let (one, same_again, another) = (named("one", 1), named("one", 2), named("another", 1));
    let table = [
        ("where there was none", Watch::default(), one.clone()),
        ("one that was renewed since", one.clone(), same_again.clone()),
        ("one that was made due since", same_again.clone(), same_again.due()),
        ("one that was renewed at last", same_again.due(), one.clone()),
        ("one that was replaced since", one.clone(), another.clone()),
    ];
    for (case, read, by) in table {
        let before = Connector { watch: read, ..stored.clone() };
        store.record_watch(&before, &by).await.unwrap();
        conflicts(store.record_watch(&before, &named("lost", 9)).await, case);
        let failed = before.watch.failed("503".into(), minutes(9));
        conflicts(store.record_watch(&before, &failed).await, case);
        assert_eq!(now(store, &stored.location()).await.watch, by, "{case}");
    }
    // A failure is the same watch still.
    let before = Connector { watch: another.clone(), ..stored.clone() };
    let failed = another.failed("503".into(), minutes(9));
    store.record_watch(&before, &failed).await.unwrap();
    store.record_watch(&before, &another).await.unwrap();
}

pub async fn what_cannot_be_read_is_put_off_without_being_read(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let location = stored.location();
    store.schedule(&location, 1, None, Some(minutes(30))).await.unwrap();
    store.put_off(&location, minutes(60)).await.unwrap();
    assert!(!is_due(store, &location, 59).await && is_due(store, &location, 60).await);
    assert_eq!(now(store, &location).await, stored, "nothing else is different");
    store.schedule(&location, 1, None, None).await.unwrap();
    conflicts(store.put_off(&location, minutes(60)).await, "what is not to be swept");
    conflicts(store.put_off(&cast.connector(2).location(), minutes(60)).await, "what is not there");
    assert!(!is_due(store, &location, LATE).await);
}

pub async fn a_schedule_moves_what_is_due(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let location = stored.location();
    for minute in [60, 30, 90] {
        store.schedule(&location, 1, None, Some(minutes(minute))).await.unwrap();
        for version in [0, 2] {
            conflicts(
                store.schedule(&location, version, Some(minutes(1)), Some(minutes(1))).await,
                "a schedule at another version",
            );
        }
        assert!(!is_due(store, &location, minute - 1).await, "not due before minute {minute}");
        assert!(is_due(store, &location, minute).await, "due at minute {minute}");
    }
    store.schedule(&location, 1, None, None).await.unwrap();
    assert!(!is_due(store, &location, LATE).await, "what is not scheduled is not due");
    assert_eq!(
        now(store, &location).await,
        stored,
        "a schedule changes no other attribute, and raises no version"
    );

    for checked in [minutes(7), minutes(5)] {
        store.schedule(&location, 1, Some(checked), Some(minutes(60))).await.unwrap();
        let expected = Connector { checked_at: Some(checked), ..stored.clone() };
        assert_eq!(now(store, &location).await, expected, "but for the time of the check");
        store.schedule(&location, 1, None, None).await.unwrap();
        assert_eq!(
            now(store, &location).await,
            expected,
            "which a schedule without a check leaves as it was"
        );
    }
    // The commit that raised the version set the next sweep; an older schedule must not undo it.
    let owed = Commit { next_sweep: Some(minutes(20)), ..commit(&stored, &stored, &[]) };
    store.commit(&owed).await.unwrap();
    conflicts(
        store.schedule(&location, 1, None, Some(minutes(60))).await,
        "a schedule from before a commit",
    );
    assert!(is_due(store, &location, 20).await, "what the commit said stands");

    let nobody = cast.connector(9).location();
    conflicts(
        store.schedule(&nobody, 1, None, Some(minutes(1))).await,
        "a schedule of a connector that is not there",
    );
    assert!(!is_due(store, &nobody, LATE).await, "and nobody is due");
}

pub async fn a_commit_says_when_the_next_look_is_due(store: &impl Store, cast: &Cast) {
    let mut stored = cast.stored(store, cast.connector(1)).await;
    let location = stored.location();
    for (minute, events) in
        [(60, vec![]), (30, cast.events(1..2)), (90, vec![]), (40, cast.notices(&stored))]
    {
        store
            .commit(&Commit {
                next_sweep: Some(minutes(minute)),
                ..commit(&stored, &stored, &events)
            })
            .await
            .unwrap();
        store.mark_published(&location, &events, minutes(1)).await.unwrap();
        let stale = Commit { next_sweep: Some(minutes(1)), ..commit(&stored, &stored, &[]) };
        conflicts(store.commit(&stale).await, "a commit at an old version");
        assert!(!is_due(store, &location, minute - 1).await, "not due before minute {minute}");
        assert!(is_due(store, &location, minute).await, "due at minute {minute}");
        stored = now(store, &location).await;
    }
    store.commit(&commit(&stored, &stored, &[])).await.unwrap();
    assert!(
        !is_due(store, &location, LATE).await,
        "a commit that says never takes it from what is due"
    );
}

pub async fn a_connector_that_needs_its_user_is_not_due(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let location = stored.location();
    let needy = Connector { reading: stored.without_grant("invalid_grant"), ..stored.clone() };
    assert!(is_due(store, &location, LATE).await, "due while it is active");
    conflicts(
        store.commit(&commit(&Connector { version: 7, ..stored.clone() }, &needy, &[])).await,
        "a status at another version",
    );
    assert!(is_due(store, &location, LATE).await, "a refused status leaves it due");
    store.commit(&commit(&stored, &needy, &[])).await.unwrap();
    assert!(!is_due(store, &location, LATE).await, "only its user can mend it, so it is not due");
    let read = now(store, &location).await;
    store.reconnect(&read, &granted_again(&read), &cast.exchange("again"), &[]).await.unwrap();
    assert!(is_due(store, &location, LATE).await, "due again after the reconnect");
}

pub async fn a_forgotten_event_is_due_until_it_is_marked(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let location = stored.location();
    let decided_at = |event: Event| Event { decided_at: minutes(1), ..event };
    let events = [cast.event(1), cast.notices(&stored).remove(0), cast.notices(&stored).remove(1)]
        .map(decided_at);
    let read = decide(store, &stored, &events[..2]).await;
    store
        .reconnect(&read, &granted_again(&read), &cast.exchange("again"), &events[2..])
        .await
        .unwrap();
    store.schedule(&location, 3, None, None).await.unwrap();
    assert_eq!(
        due(store, &location, minutes(1)).await,
        [],
        "an event that was just decided is its worker's"
    );

    let forgotten = |event: &Event| Due::Event {
        event_id: event.event_id.clone(),
        connector: location.clone(),
    };
    let found = due(store, &location, minutes(61)).await;
    assert!(
        found.len() == 3 && events.iter().all(|event| found.contains(&forgotten(event))),
        "an hour later it is due: {found:?}"
    );
    store.mark_published(&location, &events[..2], minutes(62)).await.unwrap();
    assert_eq!(
        due(store, &location, minutes(LATE)).await,
        [forgotten(&events[2])],
        "what is marked is due no more"
    );
    store.mark_published(&location, &events[2..], minutes(62)).await.unwrap();
    assert_eq!(
        due(store, &location, minutes(LATE)).await,
        [],
        "nothing is due when all are marked"
    );
}

/// More connectors than shards, so that some shard holds two.
pub async fn what_is_due_comes_oldest_first_and_bounded(store: &impl Store, cast: &Cast) {
    let mut scheduled = Vec::new();
    for number in 1..=u32::from(SWEEP_SHARDS) + 1 {
        let stored = cast
            .stored(store, Connector { slot: cast.own_slot(number), ..cast.connector(number) })
            .await;
        // Later ones are due earlier, so that the order is not the one of creation.
        let minute = 100 - u64::from(number);
        let events = cast.events(number * 2..number * 2 + 2);
        store
            .commit(&Commit {
                next_sweep: Some(minutes(minute)),
                ..commit(&stored, &stored, &events)
            })
            .await
            .unwrap();
        scheduled.push((minute, stored.location()));
    }
    scheduled.sort();
    let mut seen = BTreeSet::new();
    for shard in 0..SWEEP_SHARDS {
        let all = store.due(shard, minutes(LATE), 1000).await.unwrap();
        let connectors =
            |due: &[Due]| due.iter().take_while(|due| matches!(due, Due::Connector(_))).count();
        let (ahead, behind) = all.split_at(connectors(&all));
        assert_eq!(connectors(behind), 0, "shard {shard} lists connectors before events");
        let ours: Vec<&Location> =
            ahead.iter().map(of).filter(|at| at.mailbox == cast.mailbox().into()).collect();
        let expected: Vec<&Location> =
            scheduled.iter().map(|(_, at)| at).filter(|at| ours.contains(at)).collect();
        assert_eq!(ours, expected, "shard {shard} lists the oldest first");
        seen.extend(ours.into_iter().cloned());
        // Others may write to the store as well, so only the bound is certain.
        let one = store.due(shard, minutes(LATE), 1).await.unwrap();
        let bounded = (connectors(&one), one.len() - connectors(&one));
        assert_eq!(
            bounded,
            (ahead.len().min(1), behind.len().min(1)),
            "shard {shard}, queried for one, lists one of each kind"
        );
    }
    assert_eq!(
        seen,
        scheduled.into_iter().map(|(_, at)| at).collect(),
        "each connector lies in one shard"
    );
}
