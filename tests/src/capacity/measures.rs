//! What a simulated course showed.

use std::time::Duration;

/// Gmail's bounds for projects made since May 2026
/// (<https://developers.google.com/workspace/gmail/api/reference/quota>).
pub const UNITS_PER_DAY: f64 = 80_000_000.0;
pub const UNITS_PER_MINUTE: f64 = 1_200_000.0;
const DAY_MINUTES: usize = 24 * 60;

#[derive(Debug, Default)]
pub struct Measures {
    pub mails: u64,
    pub woken: u64,
    pub compared: u64,
    pub refreshes: u64,
    pub lapsed: u64,
    /// Mailboxes that never get a mail.
    pub idle: u32,
    /// The least of a watch's life that was left at a renewal.
    pub least_life: Option<Duration>,
    /// How late the renewer came at most.
    pub latest_ms: i64,
    this_minute: Minute,
    minutes: Vec<Minute>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Minute {
    swept: u64,
    renewed: u64,
    compared_idle: u64,
    units: u64,
    waiting: u64,
    lasted_ms: i64,
}

impl Measures {
    pub fn spend(&mut self, units: u32) {
        self.this_minute.units += u64::from(units);
    }

    pub fn late(&mut self, by_ms: i64) {
        self.this_minute.swept += 1;
        self.latest_ms = self.latest_ms.max(by_ms);
    }

    pub fn renewed(&mut self, life_left: Duration, lapsed: bool) {
        self.this_minute.renewed += 1;
        self.lapsed += u64::from(lapsed);
        self.least_life = Some(self.least_life.map_or(life_left, |least| least.min(life_left)));
    }

    pub fn compared_idle(&mut self) {
        self.this_minute.compared_idle += 1;
    }

    pub fn ran(&mut self, lasted_ms: i64) {
        self.this_minute.lasted_ms = lasted_ms;
    }

    pub fn end_minute(&mut self, waiting: u64) {
        self.this_minute.waiting = waiting;
        self.minutes.push(std::mem::take(&mut self.this_minute));
    }

    fn of(&self, value: impl Fn(&Minute) -> u64) -> Vec<u64> {
        let mut values: Vec<u64> = self.minutes.iter().map(value).collect();
        values.sort_unstable();
        values
    }

    /// Mean, 99th percentile and worst of the minutes.
    fn spread(&self, value: impl Fn(&Minute) -> u64) -> [u64; 3] {
        let values = self.of(value);
        let count = values.len().max(1);
        let at = |index: usize| values.get(index.min(count - 1)).copied().unwrap_or(0);
        [values.iter().sum::<u64>() / count as u64, at(count * 99 / 100), at(count - 1)]
    }

    /// The sum of each day.
    fn days(&self, value: impl Fn(&Minute) -> u64 + Copy) -> Vec<u64> {
        self.minutes.chunks(DAY_MINUTES).map(|day| day.iter().map(value).sum()).collect()
    }

    fn worst_day(&self, value: impl Fn(&Minute) -> u64 + Copy) -> u64 {
        self.days(value).into_iter().max().unwrap_or(0)
    }

    pub fn last_day_units(&self) -> u64 {
        self.days(|minute| minute.units).last().copied().unwrap_or(0)
    }

    pub fn worst_minute_units(&self) -> u64 {
        self.spread(|minute| minute.units)[2]
    }

    /// Comparisons of an idle mailbox on the last day.
    pub fn idle_looks(&self) -> f64 {
        self.days(|minute| minute.compared_idle).last().copied().unwrap_or(0) as f64
            / f64::from(self.idle.max(1))
    }

    /// Whether something was due and not swept, when it was last looked.
    pub fn waits_at_last(&self) -> bool {
        self.minutes.iter().rev().take(15).any(|minute| minute.waiting > 0)
    }

    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let list = |values: [u64; 3]| values.map(grouped).join(" / ");
        let days = self.minutes.len().div_ceil(DAY_MINUTES).max(1) as u64;
        let of = |part: u64, whole: f64| {
            format!("{} ({:.0} %)", grouped(part), part as f64 / whole * 100.0)
        };
        vec![
            ("sweeps a minute: mean / 99 % / worst", list(self.spread(|minute| minute.swept))),
            (
                "seconds that a run takes: mean / 99 % / worst",
                list(self.spread(|minute| u64::try_from(minute.lasted_ms / 1000).unwrap_or(0))),
            ),
            (
                "due and not swept at a minute's end, worst",
                grouped(self.spread(|minute| minute.waiting)[2]),
            ),
            (
                "latest that the renewer came, minutes",
                grouped(u64::try_from(self.latest_ms / 60_000).unwrap_or(0)),
            ),
            ("`watch` calls: worst day / last day", {
                let renewed = self.days(|minute| minute.renewed);
                format!(
                    "{} / {}",
                    grouped(self.worst_day(|minute| minute.renewed)),
                    grouped(renewed.last().copied().unwrap_or(0))
                )
            }),
            (
                "least life of a watch at its renewal, days",
                self.least_life
                    .map_or("-".into(), |life| format!("{:.2}", life.as_secs_f64() / 86_400.0)),
            ),
            ("watches that lapsed", grouped(self.lapsed)),
            ("comparisons of an idle mailbox on the last day", format!("{:.2}", self.idle_looks())),
            (
                "mails / comparisons / looks that were owed / token refreshes, a day",
                [self.mails, self.compared, self.woken, self.refreshes]
                    .map(|all| grouped(all / days))
                    .join(" / "),
            ),
            (
                "Gmail units: worst minute, of the project's",
                of(self.worst_minute_units(), UNITS_PER_MINUTE),
            ),
            (
                "Gmail units: worst day, of the project's",
                of(self.worst_day(|minute| minute.units), UNITS_PER_DAY),
            ),
            ("Gmail units: last day, of the project's", of(self.last_day_units(), UNITS_PER_DAY)),
        ]
    }
}

/// With commas between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}
