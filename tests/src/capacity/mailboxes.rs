//! A mailbox of the crowd: only the state that the renewer's decisions read; the domain makes the
//! decisions.

use std::time::Duration;

use email_connectors::domain::connector::{
    Connector, Outbox, Provider, Reading, Slot, StoredGrant, Uniqueness,
};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::{AccountId, ConnectorId, OwnerId};
use email_connectors::domain::mark::Mark;
use email_connectors::domain::position::{Listing, Position};
use email_connectors::domain::secret::Sealed;
use email_connectors::domain::sweep::{Sweep, SweepTimes, lapsed, next_sweep, sweep};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::watch::{Watch, WatchFailure};

use crate::world::{ACCESS_TOKEN_LIFE, WATCH_LIFE};

/// Moments are milliseconds since the epoch; 0 is never.
#[derive(Debug, Clone, Default)]
pub struct Mailbox {
    connected_at: i64,
    listed_at: i64,
    changed_at: i64,
    checked_at: i64,
    settling_at: i64,
    renewed_at: i64,
    failed_at: i64,
    failures: u32,
    verified_at: i64,
    token_until: i64,
    /// When the renewer comes; 0 while the mailbox is not connected.
    pub next: i64,
    put_off_until: i64,
    put_off: u32,
    /// The history ids: newest at Gmail, cursor, settling and settled.
    history: u32,
    cursor: u32,
    settling: u32,
    settled: u32,
}

/// One connector, filled in for each mailbox in turn.
pub struct Dresser {
    connector: Connector,
    pub sweep_times: SweepTimes,
}

fn moment(millis: i64) -> Option<Timestamp> {
    (millis != 0).then(|| Timestamp::from_millis(millis))
}

fn millis(moment: Option<Timestamp>) -> i64 {
    moment.map_or(0, Timestamp::millis)
}

fn id(number: u32) -> Mark {
    Mark::new(u64::from(number))
}

impl Dresser {
    pub fn new(sweep_times: SweepTimes) -> Self {
        let never = Timestamp::from_millis(0);
        let account = AccountId::new("1");
        let connector = Connector {
            id: ConnectorId::new("con_0"),
            owner_id: OwnerId::new("owner"),
            provider: Provider::Gmail,
            slot: Slot::new(Uniqueness::PerMailbox, Provider::Gmail, &account),
            email_address: EmailAddress::parse("ada@example.com").expect("an address"),
            account,
            grant: StoredGrant {
                scopes: Vec::new(),
                generation: 1,
                refresh_token: Sealed(Vec::new()),
                granted_at: never,
            },
            access_token: None,
            reading: Reading::from(id(1)),
            watch: Watch::default(),
            checked_at: None,
            outbox: Outbox::default(),
            closing: None,
            version: 1,
            connected_at: never,
            created_at: never,
            updated_at: never,
        };
        Self { connector, sweep_times }
    }

    fn dress(&mut self, number: u32, mailbox: &Mailbox) -> &mut Connector {
        let settle = self.sweep_times.settle;
        let connector = &mut self.connector;
        connector.id = ConnectorId::new(format!("con_{number:032x}"));
        connector.connected_at = Timestamp::from_millis(mailbox.connected_at);
        connector.checked_at = moment(mailbox.checked_at);
        connector.reading.verified_at = moment(mailbox.verified_at);
        connector.watch = Watch::default();
        if let Some(renewed) = moment(mailbox.renewed_at) {
            connector.watch = connector.watch.renewed(renewed.after(WATCH_LIFE), renewed);
        }
        if let Some(failed) = moment(mailbox.failed_at) {
            connector.watch.failure =
                Some(WatchFailure { at: failed, reason: "503".into(), times: mailbox.failures });
        }
        connector.reading.position = mailbox.position(settle);
        connector
    }

    pub fn decide(&mut self, number: u32, mailbox: &Mailbox, now: Timestamp) -> Sweep {
        let sweep_times = self.sweep_times;
        sweep(self.dress(number, mailbox), sweep_times, now)
    }

    /// Sets the next sweep, not before `not_before`: never in the same run.
    pub fn schedule(&mut self, number: u32, mailbox: &mut Mailbox, not_before: Timestamp) {
        let sweep_times = self.sweep_times;
        let next = next_sweep(self.dress(number, mailbox), sweep_times);
        mailbox.next = next.expect("a live connector is swept").max(not_before).millis();
    }

    pub fn has_lapsed(&mut self, number: u32, mailbox: &Mailbox, now: Timestamp) -> bool {
        lapsed(self.dress(number, mailbox), now).is_some()
    }
}

impl Mailbox {
    /// The watch is made, and its first push proves it unless it was dropped.
    pub fn connect(&mut self, now: Timestamp, proven: bool) {
        *self = Self {
            connected_at: now.millis(),
            history: 1,
            cursor: 1,
            settled: 1,
            ..Self::default()
        };
        self.refresh(now);
        self.renew(now, proven);
    }

    pub fn is_connected(&self) -> bool {
        self.connected_at != 0
    }

    pub fn renew(&mut self, now: Timestamp, proven: bool) {
        (self.renewed_at, self.failed_at, self.failures) = (now.millis(), 0, 0);
        if proven {
            self.verified_at = now.millis();
        }
    }

    pub fn renewal_failed(&mut self, now: Timestamp) {
        (self.failed_at, self.failures) = (now.millis(), self.failures + 1);
    }

    /// How much of the watch's life is left.
    pub fn life_left(&self, now: Timestamp) -> Duration {
        let ends = Timestamp::from_millis(self.renewed_at).after(WATCH_LIFE);
        Duration::from_millis(u64::try_from(ends.millis() - now.millis()).unwrap_or(0))
    }

    /// Something happened in the mailbox.
    pub fn changes(&mut self) {
        self.history += 1;
    }

    pub fn has_settled(&self) -> bool {
        self.settled == self.history
    }

    pub fn checked(&mut self, now: Timestamp) {
        self.checked_at = now.millis();
    }

    /// A push came through.
    pub fn proves(&mut self, now: Timestamp) {
        self.verified_at = now.millis();
    }

    /// Whether the access token had to be refreshed.
    pub fn refresh(&mut self, now: Timestamp) -> bool {
        let stale = self.token_until <= now.after(Duration::from_secs(60)).millis();
        if stale {
            self.token_until = now.after(ACCESS_TOKEN_LIFE).millis();
        }
        stale
    }

    /// One complete listing, as a wake-up makes it.
    pub fn list(&mut self, settle: Duration, now: Timestamp) {
        let mut position = self.position(settle);
        let mut listing = Listing::begin(now);
        listing.saw(id(self.history));
        position.complete(&listing, None, settle, now);
        let owed = position.look_at(settle);
        let kept = self.settling_at != 0
            && owed == Some(Timestamp::from_millis(self.settling_at).after(settle));
        if !kept {
            self.settling_at = millis(owed.map(|owed| owed.before(settle)));
            self.settling = if owed.is_some() { self.history } else { 0 };
        }
        (self.cursor, self.settled) =
            (self.history, u32::try_from(position.settled.value()).unwrap_or(u32::MAX));
        (self.listed_at, self.changed_at) =
            (millis(position.listed_at), millis(position.changed_at));
        (self.put_off_until, self.put_off) = (0, 0);
    }

    /// A listing that Google did not answer.
    pub fn put_off(&mut self, settle: Duration, now: Timestamp) {
        let mut position = self.position(settle);
        position.put_off(None, now);
        if let Some(put_off) = position.put_off {
            (self.put_off_until, self.put_off) = (put_off.until.millis(), put_off.times);
        }
    }

    fn position(&self, settle: Duration) -> Position {
        let mut position = Position::at(id(self.settled));
        if self.settling_at != 0 {
            let at = Timestamp::from_millis(self.settling_at);
            for cursor in [self.settling, self.cursor] {
                let mut listing = Listing::begin(at);
                listing.saw(id(cursor));
                position.complete(&listing, None, settle, at);
            }
        }
        (position.listed_at, position.changed_at) =
            (moment(self.listed_at), moment(self.changed_at));
        if let Some(until) = moment(self.put_off_until) {
            position.put_off =
                Some(email_connectors::domain::position::PutOff { until, times: self.put_off });
        }
        position
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{DAY, MINUTE, SETTLE, SWEEP_TIMES};

    const NOW: Timestamp = Timestamp::from_seconds(1_900_000_000);

    #[test]
    fn a_mailbox_of_the_crowd_is_decided_about_as_a_real_one() {
        let (mut dresser, mut mailbox) = (Dresser::new(SWEEP_TIMES), Mailbox::default());
        mailbox.connect(NOW, true);
        mailbox.changes();
        mailbox.list(SETTLE, NOW);
        assert!(!mailbox.has_settled());
        dresser.schedule(7, &mut mailbox, NOW);
        assert_eq!(
            mailbox.next,
            NOW.after(SETTLE).millis(),
            "the cursor is on its way to being settled"
        );
        let look = NOW.after(SETTLE);
        assert_eq!(dresser.decide(7, &mailbox, look), Sweep::Wake);
        mailbox.list(SETTLE, look);
        assert!(mailbox.has_settled());
        dresser.schedule(7, &mut mailbox, look);
        assert_eq!(mailbox.next, look.after(SETTLE).millis(), "then silence is compared");
        assert_eq!(dresser.decide(7, &mailbox, look.after(SETTLE)), Sweep::Compare);
        assert_eq!(dresser.decide(7, &mailbox, look.after(DAY * 3)), Sweep::Renew);
        mailbox.put_off(SETTLE, look);
        dresser.schedule(7, &mut mailbox, look);
        assert_eq!(mailbox.next, look.after(MINUTE / 3).millis(), "a look that failed is put off");
        assert!(dresser.has_lapsed(7, &mailbox, NOW.after(DAY * 7)));
    }
}
