//! One vocabulary of labels: a message's folder, categories and flags as label ids, and what a change
//! of label ids does to them.
//!
//! | label id | in Outlook |
//! |---|---|
//! | `INBOX`, `SENT`, `DRAFT`, `SCHEDULED`, `SPAM`, `TRASH` | the well-known folders, and what lies below the last five |
//! | `folder:<id>` | any other folder |
//! | `category:<name>` | a category |
//! | `UNREAD`, `STARRED`, `IMPORTANT` | `isRead` is false, `flag` is set, `importance` is high |

use super::received::{Folders, Place, WellKnown};
use crate::domain::invalid::Invalid;
use crate::domain::operation::request::LabelChange;

pub const FOLDER: &str = "folder:";
pub const CATEGORY: &str = "category:";
pub const UNREAD: &str = "UNREAD";
pub const STARRED: &str = "STARRED";
pub const IMPORTANT: &str = "IMPORTANT";
const DRAFT: &str = "DRAFT";

/// What of a message its labels are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    pub folder: String,
    pub is_draft: bool,
    pub is_read: bool,
    pub is_flagged: bool,
    pub is_important: bool,
    pub categories: Vec<String>,
}

/// A label id, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label<'a> {
    In(WellKnown),
    Folder(&'a str),
    Category(&'a str),
    Unread,
    Starred,
    Important,
}

impl<'a> Label<'a> {
    /// `None` if it names no label of Outlook's.
    pub fn parse(id: &'a str) -> Option<Self> {
        let rest = |prefix| id.strip_prefix(prefix).filter(|rest: &&str| !rest.is_empty());
        match id {
            UNREAD => Some(Self::Unread),
            STARRED => Some(Self::Starred),
            IMPORTANT => Some(Self::Important),
            _ => WellKnown::of_label(id)
                .map(Self::In)
                .or_else(|| rest(FOLDER).map(Self::Folder))
                .or_else(|| rest(CATEGORY).map(Self::Category)),
        }
    }
}

impl Marks {
    pub fn label_ids(&self, folders: &Folders) -> Vec<String> {
        let place = folders.place(&self.folder);
        let mut labels: Vec<String> = match place {
            Place::In(folder) => vec![folder.label().into()],
            // What lies below the inbox was filed away, as in Gmail; below another folder it is what
            // that folder is.
            Place::Below(WellKnown::Inbox) | Place::Elsewhere | Place::Unknown(_) => {
                vec![format!("{FOLDER}{}", self.folder)]
            }
            Place::Below(folder) => {
                vec![folder.label().into(), format!("{FOLDER}{}", self.folder)]
            }
        };
        if self.is_draft && !labels.iter().any(|label| label == DRAFT) {
            labels.push(DRAFT.into());
        }
        let flags =
            [(!self.is_read, UNREAD), (self.is_flagged, STARRED), (self.is_important, IMPORTANT)];
        labels.extend(flags.into_iter().filter(|(is, _)| *is).map(|(_, label)| label.to_string()));
        labels.extend(self.categories.iter().map(|name| format!("{CATEGORY}{name}")));
        labels
    }
}

/// Where a message is moved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    WellKnown(WellKnown),
    /// Exchange's archive folder, which takes what leaves the inbox.
    Archive,
    Folder(String),
}

impl Destination {
    /// What Graph's `destinationId` takes.
    pub fn id(&self) -> &str {
        match self {
            Self::WellKnown(folder) => folder.name(),
            Self::Archive => "archive",
            Self::Folder(id) => id,
        }
    }
}

/// What is written to a message; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    pub is_read: Option<bool>,
    pub is_flagged: Option<bool>,
    pub is_important: Option<bool>,
    pub categories: Option<Vec<String>>,
}

/// What a change of label ids does to one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    pub patch: Patch,
    pub destination: Option<Destination>,
}

/// A change of label ids that Outlook can make, read once for many messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    patch: Patch,
    destination: Option<Destination>,
    /// Folders that are left.
    leaves: Vec<Left>,
    categories_added: Vec<String>,
    categories_removed: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Left {
    WellKnown(WellKnown),
    Folder(String),
}

impl Change {
    /// An error names the label that Outlook has nothing for.
    pub fn parse(change: &LabelChange) -> Result<Self, Invalid> {
        let mut read = Self::default();
        for (at, id) in change.add_label_ids.iter().enumerate() {
            read.add(id)
                .map_err(|problem| Invalid::new(format!("add_label_ids[{at}]"), problem))?;
        }
        for (at, id) in change.remove_label_ids.iter().enumerate() {
            read.remove(id)
                .map_err(|problem| Invalid::new(format!("remove_label_ids[{at}]"), problem))?;
        }
        Ok(read)
    }

    /// Whether what it does depends on what the message is now.
    pub fn needs_marks(&self) -> bool {
        (self.destination.is_none() && !self.leaves.is_empty())
            || !self.categories_added.is_empty()
            || !self.categories_removed.is_empty()
    }

    /// What it does to a message; to one whose marks are not needed, whatever they are.
    pub fn effect(&self, marks: &Marks, folders: &Folders) -> Effect {
        let mut categories = marks.categories.clone();
        let same = |one: &String, other: &String| one.to_lowercase() == other.to_lowercase();
        categories.retain(|name| !self.categories_removed.iter().any(|gone| same(name, gone)));
        for name in &self.categories_added {
            if !categories.iter().any(|had| same(had, name)) {
                categories.push(name.clone());
            }
        }
        let changed = categories != marks.categories;
        Effect {
            patch: Patch { categories: changed.then_some(categories), ..self.patch.clone() },
            destination: self
                .destination
                .clone()
                .or_else(|| self.leaves.iter().find_map(|left| left.where_to(marks, folders))),
        }
    }

    fn add(&mut self, id: &str) -> Result<(), String> {
        match Label::parse(id).ok_or_else(|| unknown(id))? {
            Label::In(
                folder @ (WellKnown::Inbox | WellKnown::JunkEmail | WellKnown::DeletedItems),
            ) => self.move_to(Destination::WellKnown(folder)),
            Label::In(_) => Err(immovable(id)),
            Label::Folder(folder) => self.move_to(Destination::Folder(folder.into())),
            label => {
                self.mark(label, true);
                Ok(())
            }
        }
    }

    fn remove(&mut self, id: &str) -> Result<(), String> {
        match Label::parse(id).ok_or_else(|| unknown(id))? {
            Label::In(
                folder @ (WellKnown::Inbox | WellKnown::JunkEmail | WellKnown::DeletedItems),
            ) => self.leaves.push(Left::WellKnown(folder)),
            Label::In(_) => return Err(immovable(id)),
            Label::Folder(folder) => self.leaves.push(Left::Folder(folder.into())),
            label => self.mark(label, false),
        }
        Ok(())
    }

    fn mark(&mut self, label: Label<'_>, is: bool) {
        match label {
            Label::Unread => self.patch.is_read = Some(!is),
            Label::Starred => self.patch.is_flagged = Some(is),
            Label::Important => self.patch.is_important = Some(is),
            Label::Category(name) if is => self.categories_added.push(name.into()),
            Label::Category(name) => self.categories_removed.push(name.into()),
            Label::In(_) | Label::Folder(_) => {}
        }
    }

    fn move_to(&mut self, destination: Destination) -> Result<(), String> {
        match &self.destination {
            Some(other) if *other != destination => {
                Err("is a second folder; in Outlook a message is in one".into())
            }
            _ => {
                self.destination = Some(destination);
                Ok(())
            }
        }
    }
}

impl Left {
    /// Where a message goes that leaves this folder; nowhere if it is not there.
    fn where_to(&self, marks: &Marks, folders: &Folders) -> Option<Destination> {
        let place = folders.place(&marks.folder);
        match self {
            Self::WellKnown(WellKnown::Inbox) => {
                (place == Place::In(WellKnown::Inbox)).then_some(Destination::Archive)
            }
            Self::WellKnown(folder) => (place == Place::In(*folder)
                || place == Place::Below(*folder))
            .then_some(Destination::WellKnown(WellKnown::Inbox)),
            Self::Folder(id) => (*id == marks.folder).then_some(Destination::Archive),
        }
    }
}

fn unknown(id: &str) -> String {
    format!("is {id}, which is no label in Outlook; GET …/labels lists them")
}

fn immovable(id: &str) -> String {
    format!("is {id}, which Outlook gives by itself")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> Folders {
        let ids = ["IN", "DR", "SE", "OU", "JU", "DE"].map(String::from);
        let mut folders = Folders::new(ids.into_iter().zip(WellKnown::ALL));
        folders.learn("f", None);
        folders.learn("project", Some("IN".into()));
        folders.learn("old", Some("DE".into()));
        folders
    }

    fn marks(folder: &str) -> Marks {
        Marks { folder: folder.into(), is_read: true, ..Marks::default() }
    }

    fn list(text: &str) -> Vec<String> {
        text.split_terminator(',').map(String::from).collect()
    }

    fn change(add: &str, remove: &str) -> Result<Change, Invalid> {
        Change::parse(&LabelChange { add_label_ids: list(add), remove_label_ids: list(remove) })
    }

    #[test]
    fn folder_flags_and_categories_are_labels() {
        let starred = Marks { is_flagged: true, is_important: true, is_read: false, ..marks("IN") };
        let named = Marks { categories: list("Red category,b"), ..marks("f") };
        let table = [
            (marks("IN"), "INBOX"),
            (marks("DE"), "TRASH"),
            (marks("JU"), "SPAM"),
            (marks("SE"), "SENT"),
            (marks("OU"), "SCHEDULED"),
            (marks("f"), "folder:f"),
            (marks("project"), "folder:project"),
            (marks("old"), "TRASH,folder:old"),
            (marks("new"), "folder:new"),
            (Marks { is_draft: true, ..marks("DR") }, "DRAFT"),
            (Marks { is_draft: true, ..marks("IN") }, "INBOX,DRAFT"),
            (starred, "INBOX,UNREAD,STARRED,IMPORTANT"),
            (named, "folder:f,category:Red category,category:b"),
        ];
        for (marks, expected) in table {
            assert_eq!(marks.label_ids(&folders()), list(expected), "{marks:?}");
        }
    }

    #[test]
    fn a_change_of_labels_moves_and_marks() {
        let to = |id: &str| Destination::Folder(id.into());
        let well_known = Destination::WellKnown;
        let table: [(&str, &str, &str, Option<Destination>); 15] = [
            ("IN", "", "INBOX", Some(Destination::Archive)),
            ("project", "", "INBOX", None),
            ("f", "", "INBOX", None),
            ("f", "INBOX", "", Some(well_known(WellKnown::Inbox))),
            ("IN", "TRASH", "INBOX", Some(well_known(WellKnown::DeletedItems))),
            ("IN", "SPAM", "", Some(well_known(WellKnown::JunkEmail))),
            ("JU", "", "SPAM", Some(well_known(WellKnown::Inbox))),
            ("JU", "INBOX", "SPAM", Some(well_known(WellKnown::Inbox))),
            ("old", "", "TRASH", Some(well_known(WellKnown::Inbox))),
            ("IN", "", "TRASH", None),
            ("IN", "folder:f", "", Some(to("f"))),
            ("IN", "folder:f", "INBOX", Some(to("f"))),
            ("f", "", "folder:f", Some(Destination::Archive)),
            ("IN", "", "folder:f", None),
            ("IN", "STARRED", "UNREAD", None),
        ];
        for (folder, add, remove, expected) in table {
            let effect = change(add, remove).unwrap().effect(&marks(folder), &folders());
            assert_eq!(effect.destination, expected, "{folder} +{add} -{remove}");
        }
    }

    #[test]
    fn flags_and_categories_are_written_where_they_change() {
        let had = Marks { categories: list("Red,blue"), ..marks("IN") };
        let effect = |add, remove| change(add, remove).unwrap().effect(&had, &folders()).patch;
        let flags = effect("STARRED,IMPORTANT", "UNREAD");
        let expected = Patch {
            is_read: Some(true),
            is_flagged: Some(true),
            is_important: Some(true),
            categories: None,
        };
        assert_eq!(flags, expected);
        assert_eq!(effect("UNREAD", "STARRED").is_read, Some(false));
        assert_eq!(effect("UNREAD", "STARRED").is_flagged, Some(false));
        let table = [
            ("category:green", "", Some("Red,blue,green")),
            ("category:RED", "", None),
            ("", "category:red", Some("blue")),
            ("category:green", "category:blue", Some("Red,green")),
            ("", "category:yellow", None),
        ];
        for (add, remove, expected) in table {
            assert_eq!(effect(add, remove).categories, expected.map(list), "+{add} -{remove}");
        }
    }

    #[test]
    fn only_what_depends_on_the_message_needs_it_read() {
        let table = [
            ("TRASH", "INBOX", false),
            ("STARRED", "UNREAD", false),
            ("", "INBOX", true),
            ("category:a", "", true),
            ("", "folder:f", true),
        ];
        for (add, remove, expected) in table {
            assert_eq!(change(add, remove).unwrap().needs_marks(), expected, "+{add} -{remove}");
        }
    }

    #[test]
    fn what_outlook_has_nothing_for_is_named() {
        let table = [
            ("SENT", "", "add_label_ids[0]"),
            ("", "DRAFT", "remove_label_ids[0]"),
            ("STARRED,Label_7", "", "add_label_ids[1]"),
            ("folder:", "", "add_label_ids[0]"),
            ("INBOX,folder:f", "", "add_label_ids[1]"),
            ("TRASH,SPAM", "", "add_label_ids[1]"),
            ("", "category:", "remove_label_ids[0]"),
        ];
        for (add, remove, field) in table {
            assert_eq!(change(add, remove).unwrap_err().field, field, "+{add} -{remove}");
        }
        assert!(change("INBOX,INBOX", "").is_ok());
    }
}
