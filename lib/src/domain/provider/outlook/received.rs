//! Which folder is what, and in which of them a message counts as received.

use std::collections::BTreeMap;

/// A folder that every mailbox has, by the name that Graph takes in place of an id
/// (<https://learn.microsoft.com/en-us/graph/api/resources/mailfolder>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WellKnown {
    Inbox,
    Drafts,
    SentItems,
    Outbox,
    JunkEmail,
    DeletedItems,
}

impl WellKnown {
    pub const ALL: [Self; 6] = [
        Self::Inbox,
        Self::Drafts,
        Self::SentItems,
        Self::Outbox,
        Self::JunkEmail,
        Self::DeletedItems,
    ];

    /// What stands in a path for its id.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Drafts => "drafts",
            Self::SentItems => "sentitems",
            Self::Outbox => "outbox",
            Self::JunkEmail => "junkemail",
            Self::DeletedItems => "deleteditems",
        }
    }

    /// Its label, one of those that all providers share. What waits in the outbox is to be sent, as
    /// Gmail's SCHEDULED is.
    pub fn label(self) -> &'static str {
        match self {
            Self::Inbox => "INBOX",
            Self::Drafts => "DRAFT",
            Self::SentItems => "SENT",
            Self::Outbox => "SCHEDULED",
            Self::JunkEmail => "SPAM",
            Self::DeletedItems => "TRASH",
        }
    }

    pub fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|folder| folder.label() == label)
    }
}

/// What is known of a mailbox's folders, by id. Ids differ in case alone
/// (<https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/6432>).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders {
    well_known: BTreeMap<String, WellKnown>,
    /// The folder in which each other one lies; none for one at the top.
    parents: BTreeMap<String, Option<String>>,
}

/// Where a message lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a well-known folder itself.
    In(WellKnown),
    /// Anywhere below a well-known folder.
    Below(WellKnown),
    /// In none of them.
    Elsewhere,
    /// This folder has to be looked up first.
    Unknown(String),
}

/// No mailbox nests its folders deeper (Exchange's bound is 300).
const DEEPEST: usize = 300;

impl Folders {
    pub fn new(well_known: impl IntoIterator<Item = (String, WellKnown)>) -> Self {
        Self { well_known: well_known.into_iter().collect(), parents: BTreeMap::new() }
    }

    pub fn id_of(&self, wanted: WellKnown) -> Option<&str> {
        let mut found = self.well_known.iter().filter(|(_, folder)| **folder == wanted);
        found.next().map(|(id, _)| id.as_str())
    }

    pub fn well_known(&self, id: &str) -> Option<WellKnown> {
        self.well_known.get(id).copied()
    }

    /// Notes in which folder another one lies.
    pub fn learn(&mut self, id: impl Into<String>, parent: Option<String>) {
        self.parents.insert(id.into(), parent);
    }

    pub fn place(&self, folder: &str) -> Place {
        if let Some(own) = self.well_known(folder) {
            return Place::In(own);
        }
        let mut at = folder;
        for _ in 0..DEEPEST {
            match (self.well_known(at), self.parents.get(at)) {
                (Some(above), _) => return Place::Below(above),
                (None, Some(Some(parent))) => at = parent,
                (None, Some(None)) => return Place::Elsewhere,
                (None, None) => return Place::Unknown(at.to_string()),
            }
        }
        Place::Elsewhere
    }

    /// Forgets what excludes mail but may have been moved since: a folder below a well-known one.
    pub fn forget_below(&mut self) {
        let below = |id: &String| match self.place(id) {
            Place::Below(folder) => folder != WellKnown::Inbox,
            Place::In(_) | Place::Elsewhere | Place::Unknown(_) => false,
        };
        let gone: Vec<String> = self.parents.keys().filter(|id| below(id)).cloned().collect();
        for id in gone {
            self.parents.remove(&id);
        }
    }
}

impl Place {
    /// Whether a message that lies there was received; `None` if that is not known yet.
    pub fn is_received(&self) -> Option<bool> {
        match self {
            Self::In(WellKnown::Inbox) | Self::Below(WellKnown::Inbox) | Self::Elsewhere => {
                Some(true)
            }
            Self::In(_) | Self::Below(_) => Some(false),
            Self::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> Folders {
        let ids = ["IN", "DR", "SE", "OU", "JU", "DE"].map(String::from);
        let mut folders = Folders::new(ids.into_iter().zip(WellKnown::ALL));
        folders.learn("archive", None);
        folders.learn("project", Some("IN".into()));
        folders.learn("old", Some("DE".into()));
        folders.learn("older", Some("old".into()));
        folders.learn("de", None);
        folders.learn("lost", Some("nobody".into()));
        folders.learn("ring", Some("gnir".into()));
        folders.learn("gnir", Some("ring".into()));
        folders
    }

    #[test]
    fn mail_counts_as_received_by_its_folder() {
        let table = [
            ("IN", Some(true)),
            ("DR", Some(false)),
            ("SE", Some(false)),
            ("OU", Some(false)),
            ("JU", Some(false)),
            ("DE", Some(false)),
            ("archive", Some(true)),
            ("project", Some(true)),
            ("old", Some(false)),
            ("older", Some(false)),
            ("de", Some(true)),
            ("lost", None),
            ("ring", Some(true)),
            ("new", None),
        ];
        for (folder, expected) in table {
            assert_eq!(folders().place(folder).is_received(), expected, "{folder}");
        }
        assert_eq!(folders().place("lost"), Place::Unknown("nobody".into()));
    }

    #[test]
    fn what_excludes_mail_is_looked_up_again() {
        let mut folders = folders();
        folders.forget_below();
        assert_eq!(folders.place("older"), Place::Unknown("older".into()));
        assert_eq!(folders.place("project"), Place::Below(WellKnown::Inbox));
        assert_eq!(folders.place("DE"), Place::In(WellKnown::DeletedItems));
    }

    #[test]
    fn every_well_known_folder_has_a_label_of_its_own() {
        for folder in WellKnown::ALL {
            assert_eq!(WellKnown::of_label(folder.label()), Some(folder));
        }
        assert_eq!(WellKnown::of_label("STARRED"), None);
    }
}
