//! The kinds of work that are counted, each in a mailbox that was brought to the point where it
//! comes up.

use std::time::Duration;

use email_connectors::domain::wake_up::Kind;
use serde_json::json;

use super::counting::{Counts, Stand};
use crate::stage::{DAY, MINUTE};
use crate::world::ACCESS_TOKEN_LIFE;

/// How many days of an idle mailbox are simulated, and of a busy one.
pub const MONTH: u32 = 30;
pub const BUSY_DAYS: u32 = 3;
/// How many mails a day the busy mailbox gets, each looked at by its user half an hour later.
pub const MAILS_A_DAY: u32 = 10;

pub struct Counted {
    pub connect: Counts,
    pub stale: Counts,
    pub mail: Counts,
    pub refreshed: Counts,
    pub unmatched: Counts,
    pub ten: Counts,
    pub fifty: Counts,
    pub read: Counts,
    pub settled: Counts,
    pub renewal: Counts,
    pub comparison: Counts,
    pub comparison_cached: Counts,
    pub disconnect: Counts,
    /// Days of one mailbox each.
    pub idle: Counts,
    pub busy: Counts,
    /// Bytes of the greatest connector's row, and of the greatest event's.
    pub connector_row: u64,
    pub event_row: u64,
}

impl Counted {
    pub async fn count() -> std::io::Result<Self> {
        let (mut stand, connect) = connected().await?;
        stand.push().await;
        stand.work().await;
        let stale = stand.take();
        let [mail, ten, fifty] =
            [burst(&mut stand, 1).await, burst(&mut stand, 10).await, burst(&mut stand, 50).await];
        stand.read().await;
        let read = stand.take();
        stand.pass(ACCESS_TOKEN_LIFE);
        let refreshed = burst(&mut stand, 1).await;
        let connector_row = stand.aws.table().greatest("CONNECTOR#", "TRIGGER#");
        let event_row = stand.aws.table().greatest("EVENT", "");

        let mut other = Stand::new(json!({"from_contains": ["nobody@example.org"]})).await?;
        at_rest(&mut other).await;
        let unmatched = burst(&mut other, 1).await;

        let (settled, comparison_cached) = after_a_mail().await?;
        let (comparison, renewal) = in_a_quiet_mailbox().await?;
        let disconnect = ended().await?;
        let (idle, busy) = (idle_month().await?, busy_days().await?);
        Ok(Self {
            connect,
            stale,
            mail,
            refreshed,
            unmatched,
            ten,
            fifty,
            read,
            settled,
            renewal,
            comparison,
            comparison_cached,
            disconnect,
            idle,
            busy,
            connector_row,
            event_row,
        })
    }

    /// As they stand in the table of the document.
    pub fn named(&self) -> [(&'static str, &Counts); 15] {
        [
            (
                "a connect and a first trigger, with the kick and the watch's first push",
                &self.connect,
            ),
            ("a push that is stale", &self.stale),
            ("one mail that fires", &self.mail),
            ("the same, when the access token has ended", &self.refreshed),
            ("one mail that no trigger wants", &self.unmatched),
            ("ten mails that fire, in one wake-up", &self.ten),
            ("fifty mails that fire, in one wake-up", &self.fifty),
            ("a change that is no mail (read, starred)", &self.read),
            ("the look that settles a cursor, ten minutes later", &self.settled),
            ("a comparison of a silent mailbox, token cached", &self.comparison_cached),
            ("the same, when the access token has ended", &self.comparison),
            ("a renewal of the watch, with the push that comes of it", &self.renewal),
            ("a disconnect, of a connector that fired once", &self.disconnect),
            ("**an idle mailbox, 30 days**", &self.idle),
            ("**a mailbox of ten mails a day, each read later, 3 days**", &self.busy),
        ]
    }

    /// How many mails the busy mailbox got.
    pub fn mails(&self) -> f64 {
        f64::from(BUSY_DAYS * MAILS_A_DAY)
    }

    /// The length of the busy days as a share of the idle month.
    pub fn idle_share(&self) -> f64 {
        f64::from(BUSY_DAYS) / f64::from(MONTH)
    }
}

/// A mailbox whose triggers take all mail, a minute after its connect, with a token in the cache.
async fn connected() -> std::io::Result<(Stand, Counts)> {
    let mut stand = Stand::new(json!({})).await?;
    let connect = stand.take();
    at_rest(&mut stand).await;
    Ok((stand, connect))
}

async fn at_rest(stand: &mut Stand) {
    stand.pass(MINUTE);
    stand.wake(Kind::Sync).await;
    stand.take();
}

async fn burst(stand: &mut Stand, mails: usize) -> Counts {
    stand.pass(MINUTE);
    stand.mail(mails).await;
    let counts = stand.take();
    assert_eq!(counts.pushes, 1);
    counts
}

async fn after_a_mail() -> std::io::Result<(Counts, Counts)> {
    let (mut stand, _) = connected().await?;
    burst(&mut stand, 1).await;
    // The comparison of the silent mailbox and the pending look are due at about the same time.
    until(&mut stand, |counts| counts.wake_ups > 0).await;
    let settled = stand.take();
    // The first one also unwraps the data key, so the second one is counted.
    until(&mut stand, |counts| counts.units > 0).await;
    stand.take();
    until(&mut stand, |counts| counts.units > 0).await;
    Ok((settled, stand.take()))
}

/// Sweeps until the counts of one sweep match; only these are kept.
async fn until(stand: &mut Stand, is_it: impl Fn(&Counts) -> bool) {
    let end = stand.now().after(DAY * MONTH);
    while stand.next_sweep(end).await {
        let counts = stand.take();
        if is_it(&counts) {
            stand.give_back(counts);
            return;
        }
    }
    panic!("it never came");
}

async fn in_a_quiet_mailbox() -> std::io::Result<(Counts, Counts)> {
    let (mut stand, _) = connected().await?;
    stand.push().await;
    stand.live(DAY).await;
    stand.take();
    until(&mut stand, |counts| counts.tokens > 0 && counts.pushes == 0).await;
    let comparison = stand.take();
    until(&mut stand, |counts| counts.pushes > 0).await;
    Ok((comparison, stand.take()))
}

async fn ended() -> std::io::Result<Counts> {
    let (mut stand, _) = connected().await?;
    burst(&mut stand, 1).await;
    stand.live(Duration::from_secs(3600)).await;
    stand.take();
    stand.disconnect().await;
    Ok(stand.take())
}

/// From the second week on, when only routine work is left.
async fn idle_month() -> std::io::Result<Counts> {
    let (mut stand, _) = connected().await?;
    stand.push().await;
    stand.work().await;
    stand.live(DAY * 7).await;
    stand.take();
    stand.live(DAY * MONTH).await;
    Ok(stand.take())
}

async fn busy_days() -> std::io::Result<Counts> {
    let (mut stand, _) = connected().await?;
    let half_hour = MINUTE * 30;
    for _ in 0..BUSY_DAYS * MAILS_A_DAY {
        stand.mail(1).await;
        stand.live(half_hour).await;
        stand.read().await;
        stand.live(DAY / MAILS_A_DAY - half_hour).await;
    }
    Ok(stand.take())
}
