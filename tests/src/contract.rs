//! The contract of the `Store` trait, case by case: the same suite runs in memory and on DynamoDB.

mod accounts;
pub mod cast;
mod connectors;
mod delivery_records;
mod ledger;
pub mod objects;
mod once;
mod renames;
mod requests;
mod secrets;
mod sessions;
mod sweeps;
mod triggers;

use email_connectors::ports::{Store, StoreError};

use self::cast::Cast;

/// Tests a store against the contract of its trait. The store may be shared: all names begin with
/// `tag`, which must be new.
pub async fn store_contract(store: &impl Store, tag: &str) {
    // Each group on the heap: all cases together are more than a test's stack holds.
    Box::pin(of_connectors(store, tag)).await;
    Box::pin(of_accounts(store, tag)).await;
    Box::pin(of_once(store, tag)).await;
    Box::pin(of_requests(store, tag)).await;
    Box::pin(of_triggers(store, tag)).await;
    Box::pin(of_ledger(store, tag)).await;
    Box::pin(of_delivery_records(store, tag)).await;
    Box::pin(of_secrets(store, tag)).await;
    Box::pin(of_sweeps(store, tag)).await;
}

async fn of_connectors(store: &impl Store, tag: &str) {
    let cast = |case: &str| Cast::new(tag, case);
    connectors::a_created_connector_is_found_from_every_side(store, &cast("created")).await;
    connectors::a_connector_is_created_with_its_triggers_and_events(store, &cast("with-events"))
        .await;
    connectors::a_taken_slot_is_a_conflict(store, &cast("taken")).await;
    connectors::of_two_creates_at_once_one_holds_the_slot(store, &cast("race")).await;
    connectors::an_owner_sees_only_their_own(store, &cast("owners")).await;
    connectors::a_reconnect_overwrites_what_a_connect_decides(store, &cast("reconnect")).await;
    connectors::an_exchange_is_remembered_for_ten_minutes(store, &cast("exchange")).await;
    renames::a_renamed_mailbox_is_found_from_every_side(store, &cast("renamed")).await;
    renames::what_waits_or_has_moved_keeps_its_address(store, &cast("address")).await;
    renames::a_connector_with_forty_triggers_moves_and_goes_whole(store, &cast("forty")).await;
    connectors::a_connector_is_removed_with_all_that_is_its(store, &cast("remove")).await;
    connectors::events_that_wait_keep_their_connector(store, &cast("waiting")).await;
}

async fn of_accounts(store: &impl Store, tag: &str) {
    let cast = |case: &str| Cast::new(tag, case);
    accounts::a_membership_is_written_one_version_on(store, &cast("members")).await;
    accounts::of_two_memberships_at_once_one_is_written(store, &cast("joining")).await;
    accounts::a_stale_membership_changes_nothing(store, &cast("behind")).await;
    accounts::of_a_connect_and_a_last_disconnect_one_comes_first(store, &cast("first")).await;
    accounts::an_end_is_begun_at_its_version_and_recorded_without_one(store, &cast("closing"))
        .await;
    accounts::an_account_that_was_left_may_be_joined_again(store, &cast("left")).await;
    accounts::what_is_announced_changes_nothing_about_its_connector(store, &cast("announced"))
        .await;
}

async fn of_once(store: &impl Store, tag: &str) {
    let cast = |case: &str| Cast::new(tag, case);
    once::a_consent_is_its_owners_and_taken_once(store, &cast("consent")).await;
    once::a_consent_ends_after_ten_minutes(store, &cast("expired")).await;
    once::of_two_that_take_a_consent_one_gets_it(store, &cast("taking")).await;
    once::what_was_seen_is_seen_once(store, &cast("seen")).await;
}

async fn of_requests(store: &impl Store, tag: &str) {
    let cast = |case: &str| Cast::new(tag, case);
    requests::a_key_is_its_owners_and_claimed_once(store, &cast("key")).await;
    requests::a_released_key_is_free(store, &cast("released")).await;
    requests::an_owners_requests_are_forgotten_together(store, &cast("forgetting")).await;
    requests::a_key_is_remembered_for_a_day(store, &cast("a-day")).await;
    sessions::a_session_is_its_owners_and_written_one_version_on(store, &cast("session")).await;
    sessions::of_two_that_claim_a_session_one_gets_it(store, &cast("session-race")).await;
    sessions::an_owners_sessions_are_forgotten_with_its_requests(store, &cast("sessions")).await;
    requests::of_two_that_claim_a_key_one_gets_it(store, &cast("claiming")).await;
}

async fn of_triggers(store: &impl Store, tag: &str) {
    let cast = |case: &str| Cast::new(tag, case);
    triggers::a_trigger_is_put_changed_and_removed(store, &cast("trigger")).await;
    triggers::a_hook_lives_and_ends_with_its_trigger(store, &cast("hook")).await;
    triggers::a_stale_version_changes_no_trigger(store, &cast("stale")).await;
    triggers::connectors_of_one_mailbox_keep_their_own_triggers(store, &cast("shared")).await;
}

async fn of_ledger(store: &impl Store, tag: &str) {
    let cast = |case: &str| Cast::new(tag, case);
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
}

async fn of_delivery_records(store: &impl Store, tag: &str) {
    let cast = |case: &str| Cast::new(tag, case);
    delivery_records::a_connectors_events_come_newest_first_in_pages(store, &cast("records")).await;
    delivery_records::what_a_trigger_fired_comes_newest_first_in_pages(store, &cast("fired")).await;
    delivery_records::events_of_one_moment_come_once_each(store, &cast("moment")).await;
    delivery_records::what_is_forgotten_was_never_decided(store, &cast("forgotten-events")).await;
}

async fn of_secrets(store: &impl Store, tag: &str) {
    let cast = |case: &str| Cast::new(tag, case);
    secrets::an_access_token_is_cached_for_its_generation(store, &cast("token")).await;
    secrets::a_refresh_token_takes_the_place_of_the_one_before_it(store, &cast("rotated")).await;
    secrets::the_first_data_key_stays(store, tag).await;
}

async fn of_sweeps(store: &impl Store, tag: &str) {
    let cast = |case: &str| Cast::new(tag, case);
    sweeps::a_new_connector_is_due_soon(store, &cast("soon")).await;
    sweeps::a_watch_is_recorded_for_its_generation(store, &cast("watch")).await;
    sweeps::a_watch_is_recorded_over_the_one_that_was_read(store, &cast("second-watch")).await;
    sweeps::what_cannot_be_read_is_put_off_without_being_read(store, &cast("put-off")).await;
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
