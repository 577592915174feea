//! Many mailboxes over many days, minute by minute: the domain decides about each, and a renewer as
//! wide as ours gets to as many as its time allows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::time::Duration;

use clap::Args;
use email_connectors::domain::provider::gmail::price;
use email_connectors::domain::sweep::{Sweep, SweepTimes};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::renew::{AGAIN_AFTER, AT_ONCE, MOST_PER_SHARD};
use email_connectors::ports::SWEEP_SHARDS;

use super::counting::Calls;
use super::kinds::Counted;
use super::mailboxes::{Dresser, Mailbox};
use super::measures::Measures;
use super::prices::Assumptions;
use crate::sim::dice::Dice;
use crate::stage::{SETTLE, SWEEP_BUDGET};
use crate::world::BEGINNING;

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;
/// How long after a mail its user reads it, which changes the mailbox once more.
const READ_AFTER_MS: i64 = 30 * MINUTE_MS;
/// Mailboxes of a thousand, and the factor of their mails to the mean: seven of ten get none, two
/// of a hundred most.
const RATES: [(u64, f64); 4] = [(20, 27.0), (80, 4.0), (200, 0.7), (700, 0.0)];

#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// How many mailboxes.
    #[arg(long, default_value_t = 100_000)]
    pub mailboxes: u32,
    /// Days that are simulated.
    #[arg(long, default_value_t = 8)]
    pub days: u32,
    /// Mails a day of a mailbox, in the mean of all.
    #[arg(long, default_value_t = 0.5)]
    pub mails_a_day: f64,
    /// Of a thousand pushes so many get lost.
    #[arg(long, default_value_t = 2)]
    pub lost_pushes: u64,
    /// QuietAfterMinutes of the template.
    #[arg(long, default_value_t = 10)]
    pub quiet_after_minutes: u64,
    /// Connectors of a shard that are swept side by side; as built if not given.
    #[arg(long, default_value_t = AT_ONCE)]
    pub at_once: usize,
}

/// What goes wrong, and how fast the mailboxes come.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    pub name: &'static str,
    pub connected_within_hours: i64,
    /// From and until which minute Google answers nothing.
    pub google_away: (i64, i64),
    /// From and until which minute no renewer runs.
    pub renewer_away: (i64, i64),
}

const NEVER: (i64, i64) = (0, 0);

/// Renewals of mailboxes that were connected together begin after two days, and are most at two and
/// a half.
pub const COURSES: [Course; 3] = [
    Course {
        name: "connected over a day, nothing goes wrong",
        connected_within_hours: 24,
        google_away: NEVER,
        renewer_away: NEVER,
    },
    Course {
        name: "connected within two hours; Google away for an hour on the third day",
        connected_within_hours: 2,
        google_away: (DAY_MINUTES * 5 / 2, DAY_MINUTES * 5 / 2 + 60),
        renewer_away: NEVER,
    },
    Course {
        name: "connected over a day; no renewer on days 3 to 5",
        connected_within_hours: 24,
        google_away: NEVER,
        renewer_away: (DAY_MINUTES * 2, DAY_MINUTES * 5),
    },
];

/// How long the renewer's work on one connector takes: its calls, as they were counted, or its
/// share of the processor.
#[derive(Debug, Clone, Copy)]
pub struct Paces {
    wake: i64,
    compare: i64,
    renew: i64,
    refresh: i64,
    failure: i64,
    page: i64,
}

impl Paces {
    pub fn of(counted: &Counted, assumed: &Assumptions, at_once: usize) -> Self {
        let lanes = (at_once * usize::from(SWEEP_SHARDS)) as f64;
        let processors = assumed.renewer_mb / 1769.0;
        let lasts = |calls: Calls| {
            let busy = lanes * (calls.aws + calls.google) as f64 * assumed.cpu_ms / processors;
            assumed.lasts_ms(calls).max(busy) as i64
        };
        let [cached, refreshed] =
            [&counted.comparison_cached, &counted.comparison].map(|counts| lasts(counts.renewer));
        let refresh = refreshed - cached;
        Self {
            wake: lasts(counted.settled.renewer),
            compare: cached,
            renew: lasts(counted.renewal.renewer) - refresh,
            refresh,
            failure: assumed.google_failure_ms as i64,
            page: assumed.aws_ms as i64,
        }
    }
}

impl fmt::Display for Paces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wake, compare, renew, refresh, .. } = self;
        write!(
            formatter,
            "waking takes {wake} ms, comparing {compare}, renewing {renew}, a fresh token {refresh}"
        )
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Arrival {
    Mail,
    Reading,
}

pub struct Crowd<'a> {
    settings: &'a Settings,
    course: Course,
    paces: Paces,
    dresser: Dresser,
    dice: Dice,
    mailboxes: Vec<Mailbox>,
    /// What comes into mailboxes, by moment.
    arrivals: BinaryHeap<Reverse<(i64, u32, Arrival)>>,
    /// The due mailboxes of each shard; entries that differ from their mailbox's `next` are stale
    /// and skipped.
    due: Vec<BinaryHeap<Reverse<(i64, u32)>>>,
    measures: Measures,
}

impl<'a> Crowd<'a> {
    pub fn live(settings: &'a Settings, course: Course, paces: Paces) -> Measures {
        let sweep_times = SweepTimes {
            settle: SETTLE,
            quiet_after: Duration::from_secs(settings.quiet_after_minutes * 60),
        };
        let mut crowd = Self {
            settings,
            course,
            paces,
            dresser: Dresser::new(sweep_times),
            dice: Dice::new(1),
            mailboxes: vec![Mailbox::default(); settings.mailboxes as usize],
            arrivals: BinaryHeap::new(),
            due: (0..SWEEP_SHARDS).map(|_| BinaryHeap::new()).collect(),
            measures: Measures::default(),
        };
        let mut connected = 0;
        for minute in 0..i64::from(settings.days) * DAY_MINUTES {
            let now = BEGINNING.after(Duration::from_secs(minute as u64 * 60));
            let until =
                i64::from(settings.mailboxes) * (minute + 1) / (course.connected_within_hours * 60);
            let until = u32::try_from(until).unwrap_or(u32::MAX).min(settings.mailboxes);
            (connected..until).for_each(|number| crowd.connect(number, now));
            connected = until;
            crowd.arrive(now.millis() + MINUTE_MS);
            if !within(course.renewer_away, minute) {
                crowd.run(now);
            }
            let waiting = if minute % 15 == 0 { crowd.waiting(now) } else { 0 };
            crowd.measures.end_minute(waiting);
        }
        crowd.measures.idle = crowd.idle();
        crowd.measures
    }

    fn connect(&mut self, number: u32, now: Timestamp) {
        let proven = self.comes_through();
        let mailbox = &mut self.mailboxes[number as usize];
        mailbox.connect(now, proven);
        mailbox.list(self.dresser.sweep_times.settle, now);
        self.measures.spend(price::PROFILE + price::WATCH + price::HISTORY);
        self.plan(number, now);
        self.next_mail(number, now.millis());
    }

    /// Seven of ten mailboxes never get a mail.
    fn rate(&self, number: u32) -> f64 {
        let mut rest = u64::from(number).wrapping_mul(0x9e37_79b9) % 1000;
        for (share, rate) in RATES {
            if rest < share {
                return rate * self.settings.mails_a_day;
            }
            rest -= share;
        }
        0.0
    }

    fn idle(&self) -> u32 {
        (0..self.settings.mailboxes).filter(|number| self.rate(*number) == 0.0).count() as u32
    }

    fn next_mail(&mut self, number: u32, from: i64) {
        let rate = self.rate(number);
        if rate > 0.0 {
            let chance = (self.dice.below(1 << 32) as f64 + 1.0) / (1_u64 << 32) as f64;
            let wait = -chance.ln() / rate * (DAY_MINUTES * MINUTE_MS) as f64;
            self.arrivals.push(Reverse((from + wait as i64, number, Arrival::Mail)));
        }
    }

    fn comes_through(&mut self) -> bool {
        self.dice.below(1000) >= self.settings.lost_pushes
    }

    fn is_google_away(&self, at: Timestamp) -> bool {
        within(self.course.google_away, (at.millis() - BEGINNING.millis()) / MINUTE_MS)
    }

    fn arrive(&mut self, until: i64) {
        while let Some(Reverse((at, number, arrival))) =
            self.arrivals.peek().copied().filter(|Reverse((at, ..))| *at < until)
        {
            self.arrivals.pop();
            let now = Timestamp::from_millis(at);
            self.mailboxes[number as usize].changes();
            if arrival == Arrival::Mail {
                self.measures.mails += 1;
                self.arrivals.push(Reverse((at + READ_AFTER_MS, number, Arrival::Reading)));
                self.next_mail(number, at);
            }
            if self.comes_through() {
                self.mailboxes[number as usize].proves(now);
                self.look(number, now);
                self.plan(number, now);
                self.measures.spend(if arrival == Arrival::Mail { price::MESSAGE } else { 0 });
            }
        }
    }

    /// The listing of a wake-up; put off while Google is away.
    fn look(&mut self, number: u32, now: Timestamp) {
        let (away, settle) = (self.is_google_away(now), self.dresser.sweep_times.settle);
        let mailbox = &mut self.mailboxes[number as usize];
        if away {
            return mailbox.put_off(settle, now);
        }
        self.measures.refreshes += u64::from(mailbox.refresh(now));
        mailbox.list(settle, now);
        self.measures.spend(price::HISTORY);
    }

    fn plan(&mut self, number: u32, not_before: Timestamp) {
        let mailbox = &mut self.mailboxes[number as usize];
        self.dresser.schedule(number, mailbox, not_before);
        self.due[shard(number)].push(Reverse((mailbox.next, number)));
    }

    /// One run of the renewer: each shard page after page, on lanes of its own, until nothing is
    /// due or the time is up.
    fn run(&mut self, began: Timestamp) {
        let (began, budget) = (began.millis(), SWEEP_BUDGET.as_millis() as i64);
        let mut longest = 0;
        for shard in 0..self.due.len() {
            let mut spent = 0;
            while spent < budget {
                let page = self.page(shard, began + spent);
                if page.is_empty() {
                    break;
                }
                let mut lanes = vec![spent + self.paces.page; self.settings.at_once];
                for number in page {
                    let lane = lanes.iter_mut().min().expect("there are lanes");
                    if *lane >= budget {
                        let next = self.mailboxes[number as usize].next;
                        self.due[shard].push(Reverse((next, number)));
                        continue;
                    }
                    *lane += self.sweep(number, Timestamp::from_millis(began + *lane));
                }
                spent = lanes.into_iter().max().unwrap_or(budget);
            }
            longest = longest.max(spent);
        }
        self.measures.ran(longest);
    }

    fn page(&mut self, shard: usize, now: i64) -> Vec<u32> {
        let mut page = Vec::new();
        while page.len() < MOST_PER_SHARD as usize {
            let Some(Reverse((at, number))) =
                self.due[shard].peek().copied().filter(|Reverse((at, _))| *at <= now)
            else {
                break;
            };
            self.due[shard].pop();
            if self.mailboxes[number as usize].next == at {
                page.push(number);
            }
        }
        page
    }

    /// What the domain decides, and how long it takes.
    fn sweep(&mut self, number: u32, now: Timestamp) -> i64 {
        let away = self.is_google_away(now);
        let this_run = now.after(SWEEP_BUDGET);
        self.measures.late(now.millis() - self.mailboxes[number as usize].next);
        let decided = self.dresser.decide(number, &self.mailboxes[number as usize], now);
        let lapsed = decided == Sweep::Renew
            && self.dresser.has_lapsed(number, &self.mailboxes[number as usize], now);
        let proven = self.comes_through();
        let mailbox = &mut self.mailboxes[number as usize];
        let lasts = match decided {
            Sweep::Renew if away => {
                mailbox.renewal_failed(now);
                self.paces.failure
            }
            Sweep::Compare if away => {
                mailbox.next = now.after(AGAIN_AFTER).millis();
                self.due[shard(number)].push(Reverse((mailbox.next, number)));
                return self.paces.failure;
            }
            Sweep::Renew => {
                let refreshed = mailbox.refresh(now);
                self.measures.renewed(mailbox.life_left(now), lapsed);
                mailbox.renew(now, proven);
                self.measures.spend(price::WATCH);
                self.measures.refreshes += u64::from(refreshed);
                self.paces.renew + i64::from(refreshed) * self.paces.refresh
            }
            Sweep::Compare => {
                let refreshed = mailbox.refresh(now);
                mailbox.checked(now);
                let same = mailbox.has_settled();
                self.measures.compared += 1;
                self.measures.spend(price::PROFILE);
                self.measures.refreshes += u64::from(refreshed);
                if self.rate(number) == 0.0 {
                    self.measures.compared_idle();
                }
                if !same {
                    self.look(number, now);
                }
                self.paces.compare + i64::from(refreshed) * self.paces.refresh
            }
            Sweep::Wake => {
                mailbox.checked(now);
                self.measures.woken += 1;
                self.look(number, now);
                self.paces.wake
            }
            Sweep::Close | Sweep::Keep => self.paces.wake,
        };
        self.plan(number, this_run);
        lasts
    }

    /// How many are due and were not swept.
    fn waiting(&self, now: Timestamp) -> u64 {
        let now = now.millis();
        let overdue = |heap: &BinaryHeap<Reverse<(i64, u32)>>| {
            if heap.peek().is_none_or(|Reverse((at, _))| *at > now) {
                return 0;
            }
            heap.iter()
                .filter(|Reverse((at, number))| {
                    *at <= now && self.mailboxes[*number as usize].next == *at
                })
                .count() as u64
        };
        self.due.iter().map(overdue).sum()
    }
}

fn shard(number: u32) -> usize {
    number as usize % usize::from(SWEEP_SHARDS)
}

fn within((from, until): (i64, i64), minute: i64) -> bool {
    (from..until).contains(&minute)
}
