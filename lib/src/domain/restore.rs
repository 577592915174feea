//! A connector's rows are lost, and an older state of the table has them: whether they may be
//! restored, given what the table has now.

use crate::domain::connector::{Connector, Location};
use crate::domain::id::ConnectorId;
use crate::domain::mailbox_key::MailboxKey;
use crate::domain::membership::Membership;
use crate::domain::trigger::MOST_TRIGGERS;

/// The older state of a connector.
#[derive(Debug, Clone, Copy)]
pub struct Then<'a> {
    pub connector: &'a Connector,
    /// The membership of its account; `None` if none was stored.
    pub account: Option<&'a Membership>,
}

/// What the table has of it now.
#[derive(Debug, Clone, Default)]
pub struct Now {
    /// Its row, under its old key.
    pub connector: Option<Connector>,
    /// The location that its owner's pointer has.
    pub pointer: Option<Location>,
    /// The connector in its slot.
    pub slot: Option<ConnectorId>,
    pub account: Option<Membership>,
    /// How many triggers it would have.
    pub triggers: usize,
}

/// Why a connector is not restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeptOut {
    #[error("its row cannot be read: {0}")]
    Unreadable(String),
    #[error("it is being disconnected, or was then")]
    Closing,
    #[error("it has moved to {0} since, as its mailbox has: restore from a moment after that")]
    Moved(MailboxKey),
    #[error(
        "{0} holds its place among its owner's connectors: disconnect that one first, or leave it"
    )]
    SlotTaken(ConnectorId),
    #[error(
        "it left its Google account since, as who is disconnected does: its user must connect again"
    )]
    Left,
    #[error(
        "{0} is just leaving their Google account and takes the grant with it: its user must connect again"
    )]
    AccountCloses(ConnectorId),
    #[error("it would have {0} triggers, more than {MOST_TRIGGERS}: delete some first")]
    TooManyTriggers(usize),
}

/// Whether its missing rows may be restored.
pub fn admits(then: Then<'_>, now: &Now) -> Result<(), KeptOut> {
    let Then { connector, account } = then;
    let is_closing = |connector: &Connector| connector.closing.is_some();
    if is_closing(connector) || now.connector.as_ref().is_some_and(is_closing) {
        return Err(KeptOut::Closing);
    }
    let listed = now
        .account
        .as_ref()
        .and_then(|account| account.members.iter().find(|member| member.connector == connector.id));
    let elsewhere = |location: &&Location| location.mailbox != connector.mailbox();
    if let Some(location) = now.pointer.as_ref().filter(elsewhere).or(listed.filter(elsewhere)) {
        return Err(KeptOut::Moved(location.mailbox.clone()));
    }
    if let Some(holder) = now.slot.as_ref().filter(|holder| **holder != connector.id) {
        return Err(KeptOut::SlotTaken(holder.clone()));
    }
    if let Some(current) = &now.account {
        match &current.closing {
            Some(closing) if *closing == connector.id => return Err(KeptOut::Closing),
            Some(closing) => return Err(KeptOut::AccountCloses(closing.clone())),
            None => {}
        }
        // A connector that leaves raises the version; an account whose row was lost and stored anew
        // begins with 1.
        let was_member = |account: &Membership| {
            account.members.iter().any(|member| member.connector == connector.id)
        };
        let has_left =
            account.is_some_and(|account| was_member(account) && current.version > account.version);
        if listed.is_none() && has_left {
            return Err(KeptOut::Left);
        }
    }
    if now.triggers > MOST_TRIGGERS {
        return Err(KeptOut::TooManyTriggers(now.triggers));
    }
    Ok(())
}

/// The membership with the connector as a member; `None` if it is one already, or if the older
/// state has no membership. The other members of that time are members again, whether their rows
/// exist or not.
pub fn account_with(then: Then<'_>, now: Option<&Membership>) -> Option<Membership> {
    let before = then.account?;
    let own = then.connector.location();
    let Some(now) = now else {
        let members =
            if before.members.contains(&own) { before.clone() } else { before.joined(own) };
        // No row exists, so that any version from 1 on may be written.
        return Some(Membership { closing: None, version: 1.max(before.version), ..members });
    };
    if now.members.iter().any(|member| member.connector == own.connector) {
        return None;
    }
    let is_new =
        |member: &&Location| !now.members.iter().any(|known| known.connector == member.connector);
    let mut joined = now.joined(own.clone());
    joined.members.extend(
        before
            .members
            .iter()
            .filter(is_new)
            .filter(|member| member.connector != own.connector)
            .cloned(),
    );
    Some(joined)
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    use crate::domain::connector::Closing;
    use crate::domain::email_address::EmailAddress;

    use crate::domain::timestamp::Timestamp;

    const THEN: Timestamp = Timestamp::from_seconds(1_900_000_000);

    fn address(local: &str) -> EmailAddress {
        EmailAddress::parse(&format!("{local}@example.com")).unwrap()
    }

    fn at(local: &str, connector: &str) -> Location {
        Location { mailbox: address(local).into(), connector: ConnectorId::new(connector) }
    }

    fn account(version: u64, members: &[Location]) -> Membership {
        Membership { members: members.to_vec(), version, ..Membership::default() }
    }

    fn connector() -> Connector {
        Connector::sample(THEN)
    }

    fn closing() -> Connector {
        let closing = Closing { since: THEN, last: true, watch_stopped: None, grant_revoked: None };
        Connector { closing: Some(closing), ..connector() }
    }

    /// Its row is lost, and all other rows agree with it.
    fn left_over() -> Now {
        Now {
            connector: None,
            pointer: Some(at("ada", "con_1")),
            slot: Some(ConnectorId::new("con_1")),
            account: Some(account(3, &[at("ada", "con_1")])),
            triggers: 2,
        }
    }

    type Case = (&'static str, fn(&mut Now), Result<(), KeptOut>);

    #[test]
    fn a_connector_comes_back_only_beside_what_agrees_with_it() {
        let other = || ConnectorId::new("con_2");
        let table: &[Case] = &[
            ("its row is gone", |_| {}, Ok(())),
            ("all of it is gone", |now| *now = Now::default(), Ok(())),
            (
                "it is there, and only rows beside it are gone",
                |now| now.connector = Some(connector()),
                Ok(()),
            ),
            (
                "its user is disconnecting it now",
                |now| now.connector = Some(closing()),
                Err(KeptOut::Closing),
            ),
            (
                "its owner finds it elsewhere",
                |now| now.pointer = Some(at("eve", "con_1")),
                Err(KeptOut::Moved(address("eve").into())),
            ),
            (
                "its account knows it elsewhere",
                |now| (now.pointer, now.account) = (None, Some(account(4, &[at("eve", "con_1")]))),
                Err(KeptOut::Moved(address("eve").into())),
            ),
            (
                "another was connected in its place",
                |now| now.slot = Some(ConnectorId::new("con_2")),
                Err(KeptOut::SlotTaken(other())),
            ),
            ("its place is free", |now| now.slot = None, Ok(())),
            (
                "it left, and another stayed",
                |now| now.account = Some(account(4, &[at("ada", "con_2")])),
                Err(KeptOut::Left),
            ),
            (
                "it left as the last one",
                |now| now.account = Some(account(5, &[])),
                Err(KeptOut::Left),
            ),
            (
                "the account was lost, and begun anew by another",
                |now| now.account = Some(account(1, &[at("ada", "con_2")])),
                Ok(()),
            ),
            (
                "the last other one is leaving",
                |now| {
                    now.account = Some(Membership {
                        closing: Some(ConnectorId::new("con_2")),
                        ..account(3, &[at("ada", "con_1")])
                    })
                },
                Err(KeptOut::AccountCloses(other())),
            ),
            (
                "it is the last one, and is leaving",
                |now| {
                    now.account = Some(Membership {
                        closing: Some(ConnectorId::new("con_1")),
                        ..account(4, &[at("ada", "con_1")])
                    })
                },
                Err(KeptOut::Closing),
            ),
            ("as many triggers as may be", |now| now.triggers = MOST_TRIGGERS, Ok(())),
            (
                "with those that were made since, too many",
                |now| now.triggers = 41,
                Err(KeptOut::TooManyTriggers(41)),
            ),
        ];
        let (connector, before) =
            (connector(), account(3, &[at("ada", "con_1"), at("ada", "con_2")]));
        for (case, change, expected) in table {
            let mut now = left_over();
            change(&mut now);
            assert_eq!(
                admits(Then { connector: &connector, account: Some(&before) }, &now),
                *expected,
                "{case}"
            );
        }
        let then = Then { connector: &closing(), account: Some(&before) };
        assert_eq!(
            admits(then, &Now::default()),
            Err(KeptOut::Closing),
            "an end that was begun is no loss"
        );
        let of_nobody = Then { connector: &connector, account: None };
        let now = Now { account: Some(account(7, &[at("ada", "con_2")])), ..left_over() };
        assert_eq!(admits(of_nobody, &now), Ok(()), "who never was a member has not left");
    }

    #[test]
    fn an_account_has_its_members_again_and_loses_none() {
        let connector = connector();
        let (own, other, newer) = (at("ada", "con_1"), at("ada", "con_2"), at("ada", "con_9"));
        let before = Membership {
            closing: Some(other.connector.clone()),
            ..account(3, &[own.clone(), other.clone()])
        };
        let then = Then { connector: &connector, account: Some(&before) };
        let table = [
            ("as it is", Some(account(4, from_ref(&own))), None),
            ("lost", None, Some(account(3, &[own.clone(), other.clone()]))),
            (
                "begun anew",
                Some(account(1, from_ref(&newer))),
                Some(account(2, &[newer.clone(), own.clone(), other.clone()])),
            ),
            (
                "begun anew by who shared it",
                Some(account(1, from_ref(&other))),
                Some(account(2, &[other.clone(), own.clone()])),
            ),
        ];
        for (case, now, expected) in table {
            assert_eq!(account_with(then, now.as_ref()), expected, "{case}");
        }
        assert_eq!(
            account_with(Then { connector: &connector, account: None }, None),
            None,
            "never written down"
        );
    }
}
