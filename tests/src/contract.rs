//! What every store must keep, case by case: the same suite runs in memory and on DynamoDB.

mod cast;
mod connectors;
mod ledger;
mod secrets;
mod sweeps;
mod triggers;

use email_connectors::ports::{Store, StoreError};

use self::cast::Cast;

/// Holds a store to the contract of its trait. The store may be shared: all names begin with `tag`, which must be new to it.
pub async fn store_contract(store: &impl Store, tag: &str) {
    let cast = |case: &str| Cast::new(tag, case);
    connectors::a_created_connector_is_found_from_every_side(store, &cast("created")).await;
    connectors::a_taken_slot_is_a_conflict(store, &cast("taken")).await;
    connectors::of_two_creates_at_once_one_holds_the_slot(store, &cast("race")).await;
    connectors::an_owner_sees_only_their_own(store, &cast("owners")).await;
    connectors::a_reconnect_overwrites_what_a_connect_decides(store, &cast("reconnect")).await;
    connectors::an_exchange_is_remembered_for_ten_minutes(store, &cast("exchange")).await;
    connectors::a_renamed_mailbox_is_found_from_every_side(store, &cast("renamed")).await;
    connectors::what_waits_or_has_moved_keeps_its_address(store, &cast("address")).await;
    connectors::a_move_takes_forty_triggers(store, &cast("forty")).await;
    connectors::a_connector_is_removed_with_all_that_is_its(store, &cast("remove")).await;
    connectors::events_that_wait_keep_their_connector(store, &cast("waiting")).await;

    triggers::a_trigger_is_put_changed_and_removed(store, &cast("trigger")).await;
    triggers::a_stale_version_changes_no_trigger(store, &cast("stale")).await;
    triggers::connectors_of_one_mailbox_keep_their_own_triggers(store, &cast("shared")).await;

    ledger::a_commit_writes_events_and_position(store, &cast("commit")).await;
    ledger::a_commit_without_a_new_position_leaves_the_old_one(store, &cast("step")).await;
    ledger::a_commit_writes_each_thing_that_differs(store, &cast("differs")).await;
    ledger::a_commit_leaves_alone_what_others_write(store, &cast("others")).await;
    ledger::events_that_no_trigger_fired_are_events_all_the_same(store, &cast("notices")).await;
    ledger::a_stale_commit_changes_nothing(store, &cast("moved")).await;
    ledger::an_event_is_decided_once(store, &cast("twice")).await;
    ledger::of_two_commits_at_one_version_one_lands(store, &cast("workers")).await;
    ledger::a_commit_takes_98_events_and_a_position(store, &cast("many")).await;
    ledger::published_events_are_marked_without_a_new_version(store, &cast("marked")).await;

    secrets::an_access_token_is_cached_for_its_generation(store, &cast("token")).await;
    secrets::the_first_data_key_stays(store, tag).await;

    sweeps::a_new_connector_is_due_soon(store, &cast("soon")).await;
    sweeps::a_watch_is_recorded_for_its_generation(store, &cast("watch")).await;
    sweeps::a_schedule_moves_what_is_due(store, &cast("schedule")).await;
    sweeps::a_commit_says_when_the_next_look_is_due(store, &cast("next")).await;
    sweeps::a_connector_that_needs_its_user_is_not_due(store, &cast("reauth")).await;
    sweeps::a_forgotten_event_is_due_until_it_is_marked(store, &cast("forgotten")).await;
    sweeps::what_is_due_comes_oldest_first_and_bounded(store, &cast("order")).await;
}

#[track_caller]
fn conflicts<T: std::fmt::Debug>(answer: Result<T, StoreError>, case: &str) {
    assert!(matches!(answer, Err(StoreError::Conflict)), "{case} must be a Conflict: {answer:?}");
}
