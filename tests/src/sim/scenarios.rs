//! The scenarios: short stories, each run in good weather and then with something going wrong at
//! each of its calls.

mod failing;
mod gaps;
mod grants;
mod labels;
mod late;
mod lives;
mod outlook;
mod pauses;
mod pressure;
mod scale;
mod watches;
mod workers;

use std::future::Future;
use std::pin::Pin;

use self::outlook::{clocks, grants as sessions, identities, listings, lost, renewals, seconds};
use super::Sim;

type Act = for<'a> fn(&'a mut Sim) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Whose mailbox a scenario plays in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Google,
    Microsoft,
}

pub struct Scenario {
    pub name: &'static str,
    pub at: At,
    /// The number of the known sequence that it plays, if it plays one.
    pub sequence: Option<u8>,
    pub act: Act,
}

impl Scenario {
    /// Seeds the sampling of fault pairs.
    pub fn seed(&self) -> u64 {
        self.name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

macro_rules! scenarios {
    ($all:ident at $at:ident: $($room:ident: $($name:ident $(= $sequence:literal)?),+;)+) => {
        fn $all() -> Vec<Scenario> {
            vec![$($(Scenario {
                name: stringify!($name),
                at: At::$at,
                sequence: None$(.or(Some($sequence)))?,
                act: |sim| Box::pin($room::$name(sim)),
            }),+),+]
        }
    };
}

/// Every scenario of every provider.
pub fn all() -> Vec<Scenario> {
    [of_google(), of_microsoft()].into_iter().flatten().collect()
}

scenarios! {
    of_google at Google:
    lives: one_mail, a_burst_in_pages, a_push_through_the_webhook, a_connect, a_reconnect_during_processing,
        a_disconnect_during_processing, two_owners_of_one_mailbox, another_account_after_a_disconnect = 13, a_trigger_is_deleted,
        a_renamed_mailbox, a_renamed_mailbox_reconnects, two_owners_leave_at_once, a_connect_beside_the_last_disconnect,
        google_tells_that_access_ended;
    late: a_late_record_behind_its_successor, a_late_record_behind_two_commits = 17, a_label_just_after_the_arrival = 11,
        a_late_arrival_behind_its_own_label, a_listing_that_takes_minutes = 12, a_lagging_replica = 6, a_message_that_shows_late,
        a_push_ahead_of_the_listing, later_than_settled;
    labels: spam_that_is_rescued, a_rescue_in_two_steps = 14, a_label_that_a_trigger_names, old_mail_that_is_labelled = 5,
        what_is_not_received;
    gaps: a_lost_day, late_mail_at_the_pin = 1, settled_expired_and_the_cursor_not = 2, mail_between_profile_and_replay = 15,
        a_long_replay_in_pages = 19, pages_that_are_lost, a_pin_that_expires, a_second_gap_before_the_first_is_closed, a_gap_of_weeks, a_gap_for_two_owners,
        labels_inside_a_gap = 7, a_poison_message_in_a_gap, an_import_inside_a_gap;
    pauses: paused_after_a_lost_push = 4, paused_while_processing, spam_rescued_after_a_pause, paused_without_a_grant;
    grants: a_grant_revoked_and_given_again, a_refusal_that_was_a_mistake, the_client_is_refused, tokens_forgotten,
        a_double_refresh_and_a_stale_worker = 22, parked_mail_after_a_reconnect = 3;
    failing: a_lone_poison_message = 8, a_poison_message_among_others, an_outage_of_messages = 21, a_deleted_message,
        a_throttled_part;
    pressure: gmail_is_down_for_minutes, rate_limits_with_a_time, a_spent_quota, the_bus_is_down, the_bus_takes_some, the_keys_are_away;
    workers: a_trigger_made_during_the_read = 9, two_workers_publish = 10, a_trigger_made_before_the_commit = 16,
        two_workers_on_one_push, a_reconnect_beside_a_worker, a_wake_up_of_our_own_repeated = 18,
        a_commit_that_meets_itself;
    scale: more_rows_than_a_transaction_holds = 20, a_backlog_longer_than_a_run, a_mailbox_without_triggers;
    watches: a_watch_renewed, a_watch_that_lapses, another_watch_in_the_way, a_silent_mailbox, pushes_doubled_and_reordered,
        mail_during_a_renewal;
}

scenarios! {
    of_microsoft at Microsoft:
    listings: one_mail_at_outlook, a_burst_in_pages_by_key, changes_while_it_is_paged, a_listing_in_several_runs,
        what_outlook_has_not_received, a_draft_that_is_sent, an_import_with_an_old_date, a_category_that_a_trigger_names;
    identities: two_ids_that_differ_in_case, restored_is_told_as_created, restored_before_it_was_seen, the_id_changes_on_a_drag,
        there_and_back_again, twenty_five_moves_at_once, rescued_from_junk, rescued_within_its_second, a_category_within_its_second,
        flagged_when_the_ledger_has_forgotten, a_quiet_month, mail_without_a_message_id;
    seconds: hundreds_of_mails_in_one_second, skip_loses_one, skip_loses_one_again, a_second_that_grows, a_second_that_never_rests,
        skip_loses_the_same_one_twice, skip_loses_the_same_one_of_a_second_twice;
    clocks: the_clock_is_two_minutes_off, all_clocks_are_two_minutes_behind, all_clocks_are_two_minutes_ahead, shows_nine_minutes_late,
        late_behind_its_successors, a_move_that_shows_late, a_notification_that_waited;
    lost: a_day_without_a_notification, seventeen_of_twenty_arrive, one_mail_two_notifications, a_month_of_outage,
        a_subscription_renewed, a_subscription_that_expired, mail_while_a_subscription_is_renewed,
        a_subscription_removed_in_the_middle_of_a_listing, missed_before_its_mail_shows, a_storm_of_reauthorizations;
    renewals: two_renewals_at_once, two_renewals_of_the_only_subscription, a_removal_told_while_it_is_renewed,
        a_reconnect_beside_a_renewal, a_disconnect_beside_a_renewal, a_subscription_that_nobody_recorded,
        a_record_that_meets_itself;
    sessions: the_secret_is_expired, consent_withdrawn_and_given_again, a_hundred_days_of_rotated_tokens, a_lost_write_of_a_rotated_token,
        two_workers_refresh, a_rotated_token_beside_a_reconnect, a_rotated_token_of_an_ended_session;
}
