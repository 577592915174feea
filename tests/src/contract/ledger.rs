//! Cases of the ledger: decided once, all or nothing, the same bytes until published.

use email_connectors::domain::connector::{Connector, Location};
use email_connectors::domain::firing::Firing;
use email_connectors::domain::history_id::HistoryId;
use email_connectors::domain::id::EventId;
use email_connectors::ports::{Commit, Store, StoreError};

use super::cast::{Cast, commit, ids, minutes, now};
use super::conflicts;

async fn decided(store: &impl Store, events: &[EventId]) -> Vec<EventId> {
    let mut decided = store.decided(events).await.expect("the store answers");
    decided.sort();
    decided
}

async fn unpublished(store: &impl Store, events: &[EventId]) -> Vec<Firing> {
    let mut firings = store.unpublished(events).await.expect("the store answers");
    firings.sort_by(|one, other| one.event_id.cmp(&other.event_id));
    firings
}

fn sorted(mut firings: Vec<Firing>) -> Vec<Firing> {
    firings.sort_by(|one, other| one.event_id.cmp(&other.event_id));
    firings
}

pub async fn a_commit_writes_firings_and_cursor(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let (location, firings) = (held.location(), cast.firings(1..3));
    assert_eq!(decided(store, &ids(&firings)).await, [], "nothing is decided at first");
    assert_eq!(decided(store, &[]).await, [], "no question has no answers");
    assert_eq!(unpublished(store, &[]).await, [], "nobody asked for is unpublished");
    store.commit(&location, 1, &commit(firings.clone(), Some(u64::MAX))).await.unwrap();

    let connector = now(store, &location).await;
    assert_eq!(connector.history_id, HistoryId::new(u64::MAX), "the highest history id is kept to the digit");
    assert_eq!(connector.listed_at, Some(minutes(1)), "the listing's time is kept");
    assert_eq!(connector.version, 2, "a commit raises the version by one");
    assert_eq!(connector.unpublished, ids(&firings).into_iter().collect(), "its firings wait for publication");
    let unmoved = Connector {
        history_id: held.history_id,
        listed_at: None,
        version: 1,
        unpublished: held.unpublished.clone(),
        last_event_at: None,
        updated_at: held.updated_at,
        ..connector
    };
    assert_eq!(unmoved, held, "a commit leaves the rest of the connector alone");
    assert_eq!(decided(store, &ids(&cast.firings(0..9))).await, ids(&firings), "of many events, those that were decided");
    assert_eq!(unpublished(store, &ids(&firings)).await, sorted(firings), "the firings come back byte by byte");
}

pub async fn a_commit_without_progress_leaves_the_cursor(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let location = held.location();
    store.commit(&location, 1, &commit(cast.firings(1..2), None)).await.unwrap();
    let step = now(store, &location).await;
    assert_eq!((step.history_id, step.listed_at, step.version), (held.history_id, None, 2), "a step writes firings, not the cursor");
    store.commit(&location, 2, &commit(vec![], Some(u64::MAX - 3))).await.unwrap();
    let last = now(store, &location).await;
    assert_eq!((last.history_id, last.version), (HistoryId::new(u64::MAX - 3), 3), "the cursor may move alone");
    assert_eq!(last.unpublished, step.unpublished, "and leaves what waits for publication");
    assert_eq!(last.last_event_at, step.last_event_at, "nor was that an event");
}

/// Refused, and not a trace of it.
async fn lands_nowhere(store: &impl Store, location: &Location, version: u64, refused: &Commit, case: &str) {
    let (before, known) = (store.connector_at(location).await.unwrap(), decided(store, &ids(&refused.firings)).await);
    conflicts(store.commit(location, version, refused).await, case);
    assert_eq!(store.connector_at(location).await.unwrap(), before, "{case}: the connector is as it was");
    assert_eq!(decided(store, &ids(&refused.firings)).await, known, "{case}: nothing was decided by it");
}

pub async fn a_stale_commit_changes_nothing(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let location = held.location();
    store.put_trigger(&cast.trigger(&held, 1), &location, 1).await.unwrap();
    let refused = commit(cast.firings(1..4), Some(u64::MAX));
    lands_nowhere(store, &location, 1, &refused, "a commit at the version before a trigger").await;
    lands_nowhere(store, &location, 3, &refused, "a commit at a version to come").await;
    lands_nowhere(store, &location, 1, &commit(vec![], Some(u64::MAX)), "a stale cursor alone").await;
    lands_nowhere(store, &cast.connector(9).location(), 1, &refused, "a commit for a connector that is not there").await;
}

pub async fn a_firing_is_decided_once(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let (location, first) = (held.location(), cast.firing(2));
    store.commit(&location, 1, &commit(vec![first.clone()], None)).await.unwrap();
    let again = commit(vec![cast.firing(1), Firing { detail: "other bytes".into(), ..first.clone() }, cast.firing(3)], Some(u64::MAX));
    lands_nowhere(store, &location, 2, &again, "a commit with a firing that was decided before").await;
    store.mark_published(&location, std::slice::from_ref(&first), minutes(2)).await.unwrap();
    lands_nowhere(store, &location, 2, &again, "a commit with a firing that was published before").await;

    let neighbour = cast.stored(store, cast.of_other_owner(2)).await;
    lands_nowhere(store, &neighbour.location(), 1, &again, "another connector's commit with that firing").await;
}

pub async fn of_two_commits_at_one_version_one_lands(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let location = held.location();
    let (one, other) = (commit(cast.firings(1..3), Some(u64::MAX - 1)), commit(cast.firings(3..5), Some(u64::MAX - 2)));
    let raced = tokio::join!(store.commit(&location, 1, &one), store.commit(&location, 1, &other));
    let (landed, lost) = match raced {
        (Ok(()), Err(StoreError::Conflict)) => (one, other),
        (Err(StoreError::Conflict), Ok(())) => (other, one),
        neither => panic!("of two commits at one version one must land and one must be told of it: {neither:?}"),
    };
    let connector = now(store, &location).await;
    assert_eq!(Some(connector.history_id), landed.progress.map(|progress| progress.cursor), "the cursor is the one that landed");
    assert_eq!(connector.version, 2, "one commit, one version");
    assert_eq!(decided(store, &ids(&landed.firings)).await, ids(&landed.firings), "what landed is decided");
    assert_eq!(decided(store, &ids(&lost.firings)).await, [], "what lost is not");
}

pub async fn a_commit_takes_98_firings_and_the_cursor(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let location = held.location();
    let all = cast.firings(0..196);
    let (first, second) = all.split_at(Commit::MOST_FIRINGS);
    store.commit(&location, 1, &commit(first.to_vec(), None)).await.expect("as many firings as a commit takes");
    store.commit(&location, 2, &commit(second.to_vec(), Some(u64::MAX))).await.expect("as many firings, and the cursor");
    assert_eq!(decided(store, &ids(&cast.firings(0..450))).await, ids(&all), "of hundreds of events, those that were decided");
    assert_eq!(unpublished(store, &ids(&all)).await, sorted(all.clone()), "hundreds of firings come back");
    assert_eq!(now(store, &location).await.unpublished.len(), all.len(), "and all of them wait");
    for chunk in all.chunks(Commit::MOST_FIRINGS) {
        store.mark_published(&location, chunk, minutes(2)).await.expect("as many marks as a commit takes firings");
    }
    assert_eq!(now(store, &location).await.unpublished.len(), 0, "and none waits when all are marked");
}

pub async fn published_firings_are_marked_without_a_new_version(store: &impl Store, cast: &Cast) {
    let held = cast.stored(store, cast.connector(1)).await;
    let (location, firings) = (held.location(), cast.firings(1..4));
    store.commit(&location, 1, &commit(firings.clone(), Some(u64::MAX))).await.unwrap();
    store.mark_published(&location, &firings[..1], minutes(2)).await.unwrap();
    let partly = now(store, &location).await;
    assert_eq!(partly.unpublished, ids(&firings[1..]).into_iter().collect(), "what is not marked goes on waiting");
    assert_eq!(partly.version, 2, "a mark raises no version");
    assert_eq!(unpublished(store, &ids(&firings)).await, sorted(firings[1..].to_vec()), "nor is what is marked unpublished");

    store.mark_published(&location, &firings[..2], minutes(3)).await.expect("a mark may be repeated");
    store.mark_published(&location, &firings[2..], minutes(3)).await.unwrap();
    store.mark_published(&location, &firings[2..], minutes(4)).await.expect("also when nothing waits any more");
    assert_eq!(now(store, &location).await.unpublished, Default::default(), "nothing waits when all are marked");
    assert_eq!(unpublished(store, &ids(&firings)).await, [], "nothing is unpublished when all are marked");
    assert_eq!(decided(store, &ids(&firings)).await, ids(&firings), "all stay decided");
}
