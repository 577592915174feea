//! Graph's notifications arrive: each item proves by its clientState that it is of a subscription of
//! ours, and becomes a wake-up of its mailbox. Nothing is acknowledged before the queue has all.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use secrecy::SecretString;

use crate::domain::mailbox_key::MailboxKey;
use crate::domain::provider::outlook::client_state::ClientState;
use crate::domain::provider::outlook::notification::{Dropped, Kind, items};
use crate::domain::timestamp::Timestamp;
use crate::domain::wake_up::WakeUp;
use crate::ports::{Ports, Signatures, Unavailable, WakeUps};

/// How many wake-ups are sent at once. Few POSTs are about more than one mailbox.
const AT_ONCE: usize = 25;

pub struct Notified<P: Ports> {
    pub wake_ups: P::WakeUps,
    pub signatures: P::Signatures,
    /// All verify; none if the stack connects no Outlook.
    pub keys: Vec<SecretString>,
}

/// What came of one POST.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The message group of each mailbox that is woken, and why.
    pub queued: Vec<(String, Kind)>,
    pub dropped: Vec<&'static str>,
}

impl<P: Ports> Notified<P> {
    /// An error means that the queue did not take every wake-up, so that the POST must come again.
    pub async fn take(&self, body: &[u8], now: Timestamp) -> Result<Outcome, Unavailable> {
        let mut outcome = Outcome::default();
        let mut mailboxes: BTreeMap<MailboxKey, Kind> = BTreeMap::new();
        let Some(items) = items(body) else {
            outcome.dropped.push(Dropped::Unreadable.as_str());
            return Ok(outcome);
        };
        for item in items {
            match item
                .map_err(Dropped::as_str)
                .and_then(|item| Ok((self.mailbox(&item.client_state)?, item.kind)))
            {
                Ok((mailbox, kind)) => {
                    let known = mailboxes.entry(mailbox).or_insert(kind);
                    *known = (*known).max(kind);
                }
                Err(why) => outcome.dropped.push(why),
            }
        }
        let wake_ups: Vec<(WakeUp, Kind)> = mailboxes
            .into_iter()
            .map(|(mailbox, kind)| (WakeUp::notified(mailbox, kind.ends_watch(), now), kind))
            .collect();
        for some in wake_ups.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|(wake_up, _)| self.wake_ups.send(wake_up, None))).await?;
        }
        outcome.queued.extend(wake_ups.iter().map(|(wake_up, kind)| (wake_up.group(), *kind)));
        Ok(outcome)
    }

    /// The mailbox that a clientState speaks of, if we made it.
    fn mailbox(&self, state: &ClientState) -> Result<MailboxKey, &'static str> {
        let signed = state.signed();
        let is_signed = |is, key| is | self.signatures.is_signed(key, &signed, state.mac());
        match self.keys.iter().fold(false, is_signed) {
            true => Ok(state.mailbox().clone()),
            false => Err("signature"),
        }
    }
}
