//! Cases of what is due: watches, schedules and forgotten firings.

use std::collections::BTreeSet;
use std::time::Duration;

use email_connectors::domain::connector::{Connector, Location, Slot, Status, Uniqueness};
use email_connectors::domain::firing::Firing;
use email_connectors::domain::id::GoogleSub;
use email_connectors::domain::sweep::first_sweep;
use email_connectors::domain::watch::Watch;
use email_connectors::ports::{Due, SWEEP_SHARDS, Store};

use super::cast::{Cast, START, commit, due, minutes, now, of};
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
    let held = cast.stored(store, cast.connector(1)).await;
    let location = held.location();
    let soon = due(store, &location, first_sweep(START)).await;
    assert_eq!(soon, [Due::Connector(location.clone())], "a new connector is due at its first sweep");
    assert!(is_due(store, &location, LATE).await, "and stays due until somebody comes");

    store.schedule(&location, 1, None).await.unwrap();
    let granted = Connector { generation: 2, version: 2, ..now(store, &location).await };
    store.reconnect(&granted, 1, &cast.exchange("again")).await.unwrap();
    let again = due(store, &location, first_sweep(START)).await;
    assert_eq!(again, [Due::Connector(location)], "so is one that was connected again");
}

pub async fn a_watch_is_recorded_for_its_generation(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let location = held.location();
    let renewed = Watch::default().renewed(START.after(Duration::from_millis(604_800_123)), START);
    let failed = renewed.failed("503, „später“".into(), minutes(1));
    for generation in [0, 2] {
        conflicts(store.record_watch(&location, generation, &renewed, Some(minutes(60))).await, "a watch of another generation");
    }
    assert_eq!(now(store, &location).await, held, "a refused watch changes nothing");
    for (minute, watch) in [(60, &renewed), (30, &failed), (90, &renewed)] {
        store.record_watch(&location, 1, watch, Some(minutes(minute))).await.unwrap();
        let expected = Connector { watch: watch.clone(), ..held.clone() };
        assert_eq!(now(store, &location).await, expected, "a watch is recorded whole and raises no version");
        assert!(!is_due(store, &location, minute - 1).await, "not due before minute {minute}");
        assert!(is_due(store, &location, minute).await, "due at minute {minute}");
    }
    store.record_watch(&location, 1, &renewed, None).await.unwrap();
    assert!(!is_due(store, &location, LATE).await, "a watch without a next sweep is due no more");
}

pub async fn a_schedule_moves_what_is_due(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let location = held.location();
    for minute in [60, 30, 90] {
        store.schedule(&location, 1, Some(minutes(minute))).await.unwrap();
        conflicts(store.schedule(&location, 2, Some(minutes(1))).await, "a schedule of another generation");
        assert!(!is_due(store, &location, minute - 1).await, "not due before minute {minute}");
        assert!(is_due(store, &location, minute).await, "due at minute {minute}");
    }
    store.schedule(&location, 1, None).await.unwrap();
    assert!(!is_due(store, &location, LATE).await, "what is not scheduled is not due");
    assert_eq!(now(store, &location).await, held, "a schedule changes nothing that a connector tells, and raises no version");
    let nobody = cast.connector(9).location();
    conflicts(store.schedule(&nobody, 1, Some(minutes(1))).await, "a schedule of a connector that is not there");
    assert!(!is_due(store, &nobody, LATE).await, "and nobody is due");
}

pub async fn a_connector_that_needs_its_user_is_not_due(store: &impl Store, cast: &Cast) {
    let location = cast.stored(store, cast.connector(1)).await.location();
    assert!(is_due(store, &location, LATE).await, "due while it is active");
    conflicts(store.set_status(&location, 7, Status::NeedsReauth, None, minutes(1)).await, "a status at another version");
    assert!(is_due(store, &location, LATE).await, "a refused status leaves it due");
    store.set_status(&location, 1, Status::NeedsReauth, Some("gone"), minutes(1)).await.unwrap();
    assert!(!is_due(store, &location, LATE).await, "only its user can mend it, so it is not due");
    let granted = Connector { generation: 2, version: 3, status: Status::Active, ..now(store, &location).await };
    store.reconnect(&granted, 2, &cast.exchange("again")).await.unwrap();
    assert!(is_due(store, &location, LATE).await, "due again after the reconnect");
}

pub async fn a_forgotten_firing_is_due_until_it_is_marked(store: &impl Store, cast: &Cast) {
    let location = cast.stored(store, cast.connector(1)).await.location();
    store.schedule(&location, 1, None).await.unwrap();
    let firings = [cast.firing(1), cast.firing(2)].map(|firing| Firing { decided_at: minutes(1), ..firing });
    store.commit(&location, 1, &commit(firings.to_vec(), None)).await.unwrap();
    assert_eq!(due(store, &location, minutes(1)).await, [], "a firing that was just decided is its worker's");

    let forgotten = |firing: &Firing| Due::Firing { event_id: firing.event_id.clone(), connector: location.clone() };
    let found = due(store, &location, minutes(61)).await;
    assert!(found.len() == 2 && firings.iter().all(|firing| found.contains(&forgotten(firing))), "an hour later it is due: {found:?}");
    store.mark_published(&location, &firings[..1], minutes(62)).await.unwrap();
    assert_eq!(due(store, &location, minutes(LATE)).await, [forgotten(&firings[1])], "what is marked is due no more");
    store.mark_published(&location, &firings[1..], minutes(62)).await.unwrap();
    assert_eq!(due(store, &location, minutes(LATE)).await, [], "nothing is due when all are marked");
}

/// More connectors than shards, so that some shard holds two.
pub async fn what_is_due_comes_oldest_first_and_bounded(store: &impl Store, cast: &Cast) {
    let mut scheduled = Vec::new();
    for number in 1..=u32::from(SWEEP_SHARDS) + 1 {
        let slot = Slot::new(Uniqueness::PerMailbox, cast.connector(number).provider, &GoogleSub::new(number.to_string()));
        let location = cast.stored(store, Connector { slot, ..cast.connector(number) }).await.location();
        // Later ones are due earlier, so that the order is not the one of creation.
        let minute = 100 - u64::from(number);
        store.schedule(&location, 1, Some(minutes(minute))).await.unwrap();
        store.commit(&location, 1, &commit(cast.firings(number * 2..number * 2 + 2), None)).await.unwrap();
        scheduled.push((minute, location));
    }
    scheduled.sort();
    let mut seen = BTreeSet::new();
    for shard in 0..SWEEP_SHARDS {
        let all = store.due(shard, minutes(LATE), 1000).await.unwrap();
        let connectors = |due: &[Due]| due.iter().take_while(|due| matches!(due, Due::Connector(_))).count();
        let (ahead, behind) = all.split_at(connectors(&all));
        assert_eq!(connectors(behind), 0, "shard {shard} tells connectors before firings");
        let ours: Vec<&Location> = ahead.iter().map(of).filter(|at| at.mailbox == cast.mailbox()).collect();
        let expected: Vec<&Location> = scheduled.iter().map(|(_, at)| at).filter(|at| ours.contains(at)).collect();
        assert_eq!(ours, expected, "shard {shard} tells the oldest first");
        seen.extend(ours.into_iter().cloned());
        // Others may write to the store as well, so only the bound is certain.
        let one = store.due(shard, minutes(LATE), 1).await.unwrap();
        let bounded = (connectors(&one), one.len() - connectors(&one));
        assert_eq!(bounded, (ahead.len().min(1), behind.len().min(1)), "shard {shard}, asked for one, tells one of each kind");
    }
    assert_eq!(seen, scheduled.into_iter().map(|(_, at)| at).collect(), "each connector lies in one shard");
}
