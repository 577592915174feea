//! The list of changes by time: where a listing is, and where it goes on.
//!
//! Graph lists messages by `lastModifiedDateTime`, in whole seconds. A listing goes on by key: from
//! the last second that it saw, that second included. A message that changes meanwhile moves ahead
//! of us and is met later; nothing moves behind us. Only where one second fills a whole page is the
//! rest of it reached by `$skip`, which passes over messages when others leave that second
//! (<https://github.com/microsoftgraph/microsoft-graph-docs/issues/7569>). Such a second is listed
//! again until two passes in a row saw the same.

use std::fmt;
use std::time::Duration;

use crate::domain::id::fingerprint;
use crate::domain::timestamp::Timestamp;

/// Graph's servers do not share one clock.
pub const CLOCK_DIFFERENCE: Duration = Duration::from_secs(120);
/// Passes over one second, of which two in a row must see the same.
const MOST_PASSES: u8 = 10;
/// The form of the token's text.
const VERSION: &str = "1";
const SECOND: Duration = Duration::from_secs(1);

/// What paging needs to know of a listed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    pub id: &'a str,
    /// Another one at every change of the message.
    pub change_key: &'a str,
    pub modified: Timestamp,
}

/// Where a listing is. Its text is the page token, which only we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageToken {
    /// Messages that changed at this second or later are listed.
    pub from: Timestamp,
    newest: Option<Timestamp>,
    tied: Option<Tied>,
}

/// A second with more messages than fit into a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tied {
    skip: u32,
    /// Complete ones.
    passes: u8,
    /// Of what this pass saw so far.
    digest: Digest,
    /// Of what the pass before saw.
    before: Option<Digest>,
}

/// Of a set: the order does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Digest(u64);

/// What follows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Page(PageToken),
    /// The newest change that the listing saw, if it saw any.
    End {
        newest: Option<Timestamp>,
    },
}

/// The listing cannot go on now: to list again later may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stuck {
    #[error("one second changes faster than it can be listed")]
    Restless,
    #[error("a page is not in the order of lastModifiedDateTime")]
    Disordered,
    #[error("a page is empty, and says that there are more")]
    Empty,
}

/// What tells two states of a message apart, in 64 bits.
pub fn state(id: &str, change_key: &str) -> u64 {
    let (high, low) = fingerprint(&["outlook state", id, change_key]).as_u64_pair();
    high ^ low
}

impl Digest {
    fn of(page: &[Listed<'_>]) -> Self {
        let sum =
            |sum: u64, listed: &Listed<'_>| sum.wrapping_add(state(listed.id, listed.change_key));
        Self(page.iter().fold(0, sum))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl PageToken {
    /// The first page of the changes since a listing that saw everything up to `settled`.
    pub fn first(settled: Timestamp) -> Self {
        Self { from: whole_second(settled.before(CLOCK_DIFFERENCE)), newest: None, tied: None }
    }

    /// How many of the messages that match `from` are passed over.
    pub fn skip(&self) -> u32 {
        self.tied.map_or(0, |tied| tied.skip)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let [VERSION, from, newest, rest @ ..] = &parts[..] else { return None };
        let tied = match rest {
            [] => None,
            [skip, passes, digest, before] => Some(Tied {
                skip: skip.parse().ok()?,
                passes: passes.parse().ok()?,
                digest: Digest::parse(digest)?,
                before: optional(before, Digest::parse)?,
            }),
            _ => return None,
        };
        Some(Self { from: second(from)?, newest: optional(newest, second)?, tied })
    }

    /// What follows this page, whose messages are as Graph listed them. `has_more` says that Graph
    /// named a next page.
    pub fn after(self, page: &[Listed<'_>], has_more: bool) -> Result<Next, Stuck> {
        if !page.is_sorted_by_key(|listed| listed.modified) {
            return Err(Stuck::Disordered);
        }
        let last = page.last().map(|listed| listed.modified);
        let newest = self.newest.max(last);
        let here = Self { newest, ..self };
        match (last, self.tied) {
            (_, Some(tied)) => here.after_tied(tied, page, has_more),
            (_, None) if !has_more => Ok(Next::End { newest }),
            (None, None) => Err(Stuck::Empty),
            (Some(last), None) if whole_second(last) > self.from => {
                Ok(Next::Page(Self { from: whole_second(last), ..here }))
            }
            (Some(_), None) => here.after_tied(Tied::default(), page, has_more),
        }
    }

    fn after_tied(self, tied: Tied, page: &[Listed<'_>], has_more: bool) -> Result<Next, Stuck> {
        let next = |tied| Next::Page(Self { tied: Some(tied), ..self });
        let within = page.partition_point(|listed| whole_second(listed.modified) <= self.from);
        let digest = tied.digest.and(Digest::of(&page[..within]));
        if has_more && within == page.len() {
            if page.is_empty() {
                return Err(Stuck::Empty);
            }
            let length = u32::try_from(page.len()).unwrap_or(u32::MAX);
            return Ok(next(Tied { skip: tied.skip.saturating_add(length), digest, ..tied }));
        }
        let passes = tied.passes + 1;
        match tied.before == Some(digest) {
            true if has_more => {
                Ok(Next::Page(Self { from: self.from.after(SECOND), tied: None, ..self }))
            }
            true => Ok(Next::End { newest: self.newest }),
            false if passes >= MOST_PASSES => Err(Stuck::Restless),
            false => {
                Ok(next(Tied { passes, before: Some(digest), digest: Digest::default(), skip: 0 }))
            }
        }
    }
}

impl fmt::Display for PageToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let newest = self.newest.map_or_else(String::new, |moment| moment.millis().to_string());
        write!(formatter, "{VERSION}.{}.{newest}", self.from.millis())?;
        let Some(tied) = self.tied else { return Ok(()) };
        let before = tied.before.map_or_else(String::new, |digest| format!("{:x}", digest.0));
        write!(formatter, ".{}.{}.{:x}.{before}", tied.skip, tied.passes, tied.digest.0)
    }
}

impl Digest {
    fn parse(text: &str) -> Option<Self> {
        u64::from_str_radix(text, 16).ok().map(Self)
    }
}

fn second(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_millis)
}

/// `None` if there is a text that cannot be read.
#[expect(clippy::option_option, reason = "the outer one is the reading's own")]
fn optional<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { read(text).map(Some) }
}

fn whole_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_seconds(moment.seconds())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const PAGE: usize = 8;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    fn listed(messages: &[(&'static str, i64)]) -> Vec<Listed<'static>> {
        let one = |(id, second): &(&'static str, i64)| Listed {
            id,
            change_key: "k",
            modified: at(*second),
        };
        messages.iter().map(one).collect()
    }

    #[test]
    fn a_listing_begins_two_minutes_before_what_is_settled_at_a_whole_second() {
        let token = PageToken::first(Timestamp::from_millis(1_000_999));
        assert_eq!((token.from, token.skip()), (at(880), 0));
    }

    #[test]
    fn a_page_is_followed_by_key() {
        let token = PageToken { from: at(10), newest: None, tied: None };
        let after = |messages: &[_], has_more| token.after(&listed(messages), has_more);
        assert_eq!(after(&[], false), Ok(Next::End { newest: None }));
        assert_eq!(after(&[("a", 11)], false), Ok(Next::End { newest: Some(at(11)) }));
        let Ok(Next::Page(next)) = after(&[("a", 11), ("b", 12)], true) else { panic!() };
        assert_eq!((next.from, next.skip(), next.newest), (at(12), 0, Some(at(12))));
        assert_eq!(after(&[], true), Err(Stuck::Empty));
        assert_eq!(after(&[("a", 12), ("b", 11)], true), Err(Stuck::Disordered));
    }

    #[test]
    fn a_full_second_is_listed_until_two_passes_see_the_same() {
        let mut token = PageToken { from: at(10), newest: None, tied: None };
        let mut go = |messages: &[_], has_more| match token.after(&listed(messages), has_more) {
            Ok(Next::Page(next)) => {
                token = PageToken::parse(&next.to_string()).unwrap();
                (next.from.seconds(), next.skip())
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(go(&[("a", 10), ("b", 10)], true), (10, 2));
        assert_eq!(go(&[("d", 10), ("e", 11)], true), (10, 0), "the first pass is over");
        assert_eq!(go(&[("a", 10), ("b", 10)], true), (10, 2));
        assert_eq!(go(&[("c", 10), ("d", 10)], true), (10, 4), "what the first one missed");
        assert_eq!(go(&[("e", 11), ("f", 11)], true), (10, 0), "so a third one is due");
        assert_eq!(go(&[("d", 10), ("c", 10)], true), (10, 2), "in any order");
        assert_eq!(go(&[("b", 10), ("a", 10)], true), (10, 4));
        assert_eq!(go(&[("e", 11), ("f", 11)], true), (11, 0), "and the second is left");
    }

    #[test]
    fn a_second_that_never_rests_is_put_off() {
        let mut token = PageToken { from: at(10), newest: None, tied: None };
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"];
        for (pass, name) in names.into_iter().enumerate() {
            let full = token.after(&listed(&[(name, 10)]), true);
            let Ok(Next::Page(next)) = full else { panic!("{full:?}") };
            match next.after(&listed(&[]), false) {
                Ok(Next::Page(next)) => token = next,
                Err(Stuck::Restless) => return assert_eq!(pass + 1, usize::from(MOST_PASSES)),
                other => panic!("{other:?}"),
            }
        }
        panic!("it never ended");
    }

    #[test]
    fn what_is_no_token_of_ours_is_none() {
        for text in ["", "1", "2.0.", "1.x.", "1.0.x", "1.0..1", "1.0..1.2.g.", "1.0..1.2.f..1"] {
            assert_eq!(PageToken::parse(text), None, "{text}");
        }
    }

    /// A mailbox: by id, the second of the last change and how many changes there were.
    #[derive(Default)]
    struct Mailbox {
        messages: BTreeMap<u32, (i64, u32)>,
        clock: i64,
    }

    /// As numerical recipes have it; good enough to shuffle histories.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % bound
        }
    }

    impl Mailbox {
        fn change(&mut self, chance: &mut Chance) {
            self.clock += i64::try_from(chance.below(3)).unwrap();
            let known = u64::try_from(self.messages.len()).unwrap();
            let id = u32::try_from(chance.below(known + 2)).unwrap();
            let change = self.messages.entry(id).or_default();
            *change = (self.clock, change.1 + 1);
        }

        /// An import: many at one second.
        fn import(&mut self, count: u64) {
            let next = self.messages.keys().last().map_or(0, |id| id + 1);
            self.messages
                .extend((0..u32::try_from(count).unwrap()).map(|at| (next + at, (self.clock, 1))));
        }

        /// The page, and whether there are more.
        fn list(&self, token: PageToken) -> (Vec<(u32, u32, Timestamp)>, bool) {
            let mut all: Vec<_> = self
                .messages
                .iter()
                .filter(|(_, (second, _))| at(*second) >= token.from)
                .map(|(id, (second, changes))| (*id, *changes, at(*second)))
                .collect();
            all.sort_by_key(|(id, _, modified)| (*modified, *id));
            let rest = all.split_off((token.skip() as usize).min(all.len()));
            (rest[..rest.len().min(PAGE)].to_vec(), rest.len() > PAGE)
        }
    }

    /// What a listing saw of a mailbox that changes `changes` times between its pages: the messages
    /// with their number of changes, and the newest second.
    fn run(
        mailbox: &mut Mailbox,
        chance: &mut Chance,
        changes: u32,
    ) -> (BTreeSet<(u32, u32)>, i64) {
        let (mut token, mut seen, mut left) = (PageToken::first(at(120)), BTreeSet::new(), changes);
        for _ in 0..10_000 {
            let (page, has_more) = mailbox.list(token);
            seen.extend(page.iter().map(|(id, changes, _)| (*id, *changes)));
            let texts: Vec<(String, String, Timestamp)> =
                page.iter().map(|(id, key, at)| (id.to_string(), key.to_string(), *at)).collect();
            let listed: Vec<Listed<'_>> = texts
                .iter()
                .map(|(id, change_key, modified)| Listed { id, change_key, modified: *modified })
                .collect();
            match token.after(&listed, has_more) {
                Ok(Next::End { newest }) => return (seen, newest.map_or(0, Timestamp::seconds)),
                Ok(Next::Page(next)) => token = PageToken::parse(&next.to_string()).unwrap(),
                // It is listed again from the start, as the engine does later.
                Err(Stuck::Restless) => token = PageToken::first(at(120)),
                Err(stuck) => panic!("{stuck}"),
            }
            for _ in 0..chance.below(4).min(left.into()) {
                mailbox.change(chance);
                left -= 1;
            }
        }
        panic!("it did not end");
    }

    #[test]
    fn nothing_is_lost_from_a_mailbox_that_changes_while_it_is_paged() {
        for seed in 0..3_000 {
            let mut chance = Chance(seed);
            let mut mailbox = Mailbox::default();
            for _ in 0..chance.below(30) {
                mailbox.change(&mut chance);
            }
            let count = chance.below(40);
            mailbox.import(count);
            for _ in 0..chance.below(10) {
                mailbox.change(&mut chance);
            }
            let changes = u32::try_from(chance.below(20)).unwrap();
            let before: Vec<u32> = mailbox.messages.keys().copied().collect();
            let (seen, newest) = run(&mut mailbox, &mut chance, changes);
            for id in before {
                assert!(seen.iter().any(|(seen, _)| *seen == id), "seed {seed} lost {id}");
            }
            for (id, (second, changes)) in &mailbox.messages {
                let is_next = *second >= newest;
                assert!(is_next || seen.contains(&(*id, *changes)), "seed {seed} passed {id} over");
            }
        }
    }
}
