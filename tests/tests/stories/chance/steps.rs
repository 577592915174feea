//! What may happen, and in what proportion.

use proptest::prelude::*;
use tests::world::{Call, When};

/// Where things may go wrong.
const CALLS: [Call; 26] = [
    Call::Mailbox,
    Call::OpenAccessToken,
    Call::OpenRefreshToken,
    Call::Refresh,
    Call::CacheAccessToken,
    Call::History,
    Call::Messages,
    Call::Decided,
    Call::Commit,
    Call::Publish,
    Call::MarkPublished,
    Call::Unpublished,
    Call::SetStatus,
    Call::Due,
    Call::ConnectorAt,
    Call::Watch,
    Call::RecordWatch,
    Call::Schedule,
    Call::Send,
    Call::Exchange,
    Call::InSlot,
    Call::Profile,
    Call::SealRefreshToken,
    Call::Reconnect,
    Call::DataKey,
    Call::SealAccessToken,
];

#[derive(Debug, Clone)]
pub enum Step {
    /// Mail comes: so many, received or not.
    Deliver {
        mails: u8,
        received: bool,
    },
    /// Mail comes while that call is under way in the next step.
    DeliverDuring(Call, When, u32),
    /// A push with whatever history id; Pub/Sub may deliver it more than once, and in any order.
    Push {
        history_id: PushedId,
        copies: u8,
    },
    /// A worker takes the next wake-up.
    Work(Option<Trouble>),
    /// Two workers at once, of which the first is overtaken there.
    Race(Call, When),
    /// The bus takes only some of the next entries.
    BusTakes(u8),
    Renew(Option<Trouble>),
    Reconnect(Option<Trouble>),
    RevokeGrant,
    ForgetAccessTokens,
    Pass {
        minutes: u16,
    },
}

#[derive(Debug, Clone)]
pub enum PushedId {
    True,
    /// Behind or ahead of the mailbox by so much.
    Off(i16),
    Any(u64),
}

/// A call that fails or crashes there.
#[derive(Debug, Clone)]
pub struct Trouble {
    pub call: Call,
    pub when: When,
    pub nth: u32,
    pub crash: bool,
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![Just(When::Before), Just(When::After)]
}

fn trouble() -> impl Strategy<Value = Option<Trouble>> {
    let some = (prop::sample::select(&CALLS[..]), when(), 1..3_u32, any::<bool>());
    prop::option::of(some.prop_map(|(call, when, nth, crash)| Trouble { call, when, nth, crash }))
}

pub fn step() -> impl Strategy<Value = Step> {
    let pushed = prop_oneof![
        4 => Just(PushedId::True),
        2 => (-40..40_i16).prop_map(PushedId::Off),
        1 => any::<u64>().prop_map(PushedId::Any),
    ];
    let during = prop::sample::select(vec![Call::Mailbox, Call::History, Call::Messages, Call::Commit, Call::Profile, Call::Watch]);
    let raced = prop::sample::select(vec![Call::Mailbox, Call::History, Call::Messages, Call::Decided, Call::Commit, Call::Publish]);
    prop_oneof![
        6 => (1..4_u8, prop::bool::weighted(0.8)).prop_map(|(mails, received)| Step::Deliver { mails, received }),
        2 => (during, when(), 1..3_u32).prop_map(|(call, when, nth)| Step::DeliverDuring(call, when, nth)),
        5 => (pushed, 1..3_u8).prop_map(|(history_id, copies)| Step::Push { history_id, copies }),
        8 => trouble().prop_map(Step::Work),
        2 => (raced, when()).prop_map(|(call, when)| Step::Race(call, when)),
        1 => (0..2_u8).prop_map(Step::BusTakes),
        2 => trouble().prop_map(Step::Renew),
        1 => trouble().prop_map(Step::Reconnect),
        1 => Just(Step::RevokeGrant),
        1 => Just(Step::ForgetAccessTokens),
        3 => (0..2000_u16).prop_map(|minutes| Step::Pass { minutes }),
    ]
}
