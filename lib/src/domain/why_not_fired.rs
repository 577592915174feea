//! What keeps a message from firing a trigger: one rule for the decision itself and for its
//! rehearsal.

use crate::domain::changes::is_received;
use crate::domain::connector::Connector;
use crate::domain::event::LEDGER_HORIZON;
use crate::domain::message::Message;
use crate::domain::pause::Pause;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{Filter, Trigger};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNotFired {
    /// It is a draft, spam, thrown away, sent or chatted.
    NotReceived,
    /// It arrived before the account was connected.
    OlderThanConnect,
    OlderThanTrigger,
    Paused(Pause),
    /// It may only have been labelled or changed, and is so old that the ledger no longer knows
    /// whether it fired.
    OlderThanLedger,
    Unmet(Filter),
}

/// All that keeps a message from firing a trigger; empty if it fires. `arrived`: the message is
/// new, and was not only labelled.
pub fn reasons_not_to_fire(
    connector: &Connector,
    trigger: &Trigger,
    message: &Message,
    arrived: bool,
    now: Timestamp,
) -> impl Iterator<Item = WhyNotFired> {
    let unreceived = (!is_received(&message.label_ids)).then_some(WhyNotFired::NotReceived);
    let unmet = trigger.config.filters.unmet(message).map(WhyNotFired::Unmet);
    unreceived.into_iter().chain(of_date(connector, trigger, message, arrived, now)).chain(unmet)
}

/// The permanent reasons, which depend on its date alone.
pub fn of_date(
    connector: &Connector,
    trigger: &Trigger,
    message: &Message,
    arrived: bool,
    now: Timestamp,
) -> impl Iterator<Item = WhyNotFired> {
    let paused = connector.reading.pauses.iter().find(|pause| pause.holds(message.timestamp));
    let proven = arrived && connector.registration().proves_arrivals;
    let forgotten = !proven && message.timestamp.after(LEDGER_HORIZON) <= now;
    let of_date = [
        is_older(message, connector.connected_at).then_some(WhyNotFired::OlderThanConnect),
        is_older(message, trigger.created_at).then_some(WhyNotFired::OlderThanTrigger),
        paused.copied().map(WhyNotFired::Paused),
        forgotten.then_some(WhyNotFired::OlderThanLedger),
    ];
    of_date.into_iter().flatten()
}

/// Gmail's internalDate may be cut to whole seconds, so moments compare by the second.
fn is_older(message: &Message, moment: Timestamp) -> bool {
    message.timestamp.seconds() < moment.seconds()
}
