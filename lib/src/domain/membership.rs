//! The connectors that share one Google account: its watch and its grant end with the last of them,
//! and not before.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::connector::Location;
use crate::domain::id::ConnectorId;
use crate::domain::timestamp::Timestamp;

/// How long a revocation that is on its way may still end a grant that looks alive.
const IN_FLIGHT: Duration = Duration::from_secs(300);

/// How long the membership of an account without members is kept. Longer than the 35 days from
/// which a table can be restored: only it records that a connector has left.
pub const KEPT_WHEN_EMPTY: Duration = Duration::from_secs(40 * 24 * 3600);

/// The connectors of one Google account, of any owner. Written as a whole, each time with the next
/// version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    #[serde(default)]
    pub members: Vec<Location>,
    /// The last member, while it ends watch and grant: nobody can join meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<ConnectorId>,
    /// When a revocation of the account's grant is complete at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// 0 if none was ever stored.
    #[serde(default)]
    pub version: u64,
}

/// Whether a connector may join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joining {
    Open,
    /// The grant was revoked a moment ago: a new one must be tried first.
    Doubtful,
    /// The grant is being revoked just now, and with it every newer one.
    Closed,
}

impl Membership {
    pub fn joining(&self, now: Timestamp) -> Joining {
        match self.revoked_at {
            _ if self.closing.is_some() => Joining::Closed,
            Some(revoked_at) if revoked_at > now => Joining::Closed,
            Some(revoked_at) if revoked_at.after(IN_FLIGHT) > now => Joining::Doubtful,
            _ => Joining::Open,
        }
    }

    pub fn is_last(&self, connector: &ConnectorId) -> bool {
        let of_it = |member: &Location| member.connector == *connector;
        // Without a stored membership it is unknown which connectors use the account.
        !self.members.is_empty() && self.members.iter().all(of_it)
    }

    pub fn joined(&self, member: Location) -> Self {
        let members = self.others(&member.connector).chain([member.clone()]).collect();
        Self { members, ..self.next() }
    }

    /// The last member begins to end watch and grant; any other one only leaves.
    pub fn closed_by(&self, connector: &ConnectorId) -> Self {
        match self.is_last(connector) {
            true => Self { closing: Some(connector.clone()), ..self.next() },
            false => self.left_by(connector),
        }
    }

    pub fn left_by(&self, connector: &ConnectorId) -> Self {
        Self { members: self.others(connector).collect(), ..self.next() }
    }

    /// The last member is gone, and the grant with it.
    pub fn emptied_by(&self, connector: &ConnectorId, now: Timestamp) -> Self {
        let closing = self.closing.clone().filter(|closing| closing != connector);
        Self { closing, revoked_at: Some(now), ..self.left_by(connector) }
    }

    /// An unused grant is being revoked, which is complete by then.
    pub fn revoked_by(&self, landed: Timestamp) -> Self {
        Self { revoked_at: Some(landed), ..self.next() }
    }

    fn others(&self, connector: &ConnectorId) -> impl Iterator<Item = Location> {
        self.members.iter().filter(move |member| member.connector != *connector).cloned()
    }

    fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mailbox_key::MailboxKey;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn member(id: &str) -> Location {
        Location {
            mailbox: MailboxKey::parse("ada@example.com").unwrap(),
            connector: ConnectorId::new(id),
        }
    }

    #[test]
    fn only_the_last_member_takes_the_grant_with_it() {
        let both = Membership::default().joined(member("a")).joined(member("b"));
        assert!(!both.is_last(&ConnectorId::new("a")));
        let one = both.closed_by(&ConnectorId::new("a"));
        assert_eq!(
            (one.closing.clone(), one.members.len(), one.joining(NOW)),
            (None, 1, Joining::Open)
        );
        let last = one.closed_by(&ConnectorId::new("b"));
        assert_eq!(
            (last.closing.clone(), last.joining(NOW)),
            (Some(ConnectorId::new("b")), Joining::Closed)
        );
        let none = last.emptied_by(&ConnectorId::new("b"), NOW);
        assert_eq!((none.members.len(), none.closing.clone(), none.version), (0, None, 5));
        assert_eq!(none.joining(NOW), Joining::Doubtful);
        assert_eq!(none.joining(NOW.after(IN_FLIGHT)), Joining::Open);
    }

    #[test]
    fn a_revocation_on_its_way_lets_nobody_in() {
        let refused = Membership::default().revoked_by(NOW);
        assert_eq!(refused.joining(NOW.before(Duration::from_secs(1))), Joining::Closed);
        assert_eq!(refused.joining(NOW), Joining::Doubtful);
    }

    #[test]
    fn joining_twice_is_joining_once() {
        let renamed =
            Location { mailbox: MailboxKey::parse("ada@new.example").unwrap(), ..member("a") };
        assert_eq!(
            Membership::default().joined(member("a")).joined(renamed.clone()).members,
            [renamed]
        );
    }
}
