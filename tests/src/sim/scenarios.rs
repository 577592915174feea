//! The scenarios: short stories, each run in good weather and then with something going wrong at
//! each of its calls.

mod failing;
mod gaps;
mod grants;
mod labels;
mod late;
mod lives;
mod pauses;
mod pressure;
mod scale;
mod watches;
mod workers;

use std::future::Future;
use std::pin::Pin;

use super::Sim;

type Act = for<'a> fn(&'a mut Sim) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

pub struct Scenario {
    pub name: &'static str,
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
    ($($room:ident: $($name:ident $(= $sequence:literal)?),+;)+) => {
        pub fn all() -> Vec<Scenario> {
            vec![$($(Scenario {
                name: stringify!($name),
                sequence: None$(.or(Some($sequence)))?,
                act: |sim| Box::pin($room::$name(sim)),
            }),+),+]
        }
    };
}

scenarios! {
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
        two_workers_on_one_push, a_reconnect_beside_a_worker, a_wake_up_of_our_own_repeated = 18;
    scale: more_rows_than_a_transaction_holds = 20, a_backlog_longer_than_a_run, a_mailbox_without_triggers;
    watches: a_watch_renewed, a_watch_that_lapses, another_watch_in_the_way, a_silent_mailbox, pushes_doubled_and_reordered,
        mail_during_a_renewal;
}
