//! Mail folders: the well-known ones, which every mailbox has, and those that a user made.

use crate::values::{base64url_padded, sha256};

/// Name in a path, and name that is shown:
/// <https://learn.microsoft.com/graph/api/resources/mailfolder>.
const WELL_KNOWN: [(&str, &str); 8] = [
    ("archive", "Archive"),
    ("conversationhistory", "Conversation History"),
    ("deleteditems", "Deleted Items"),
    ("drafts", "Drafts"),
    ("inbox", "Inbox"),
    ("junkemail", "Junk Email"),
    ("outbox", "Outbox"),
    ("sentitems", "Sent Items"),
];
/// What soft deletion moves messages to; no listing shows it.
pub(crate) const RECOVERABLE: &str = "recoverableitemsdeletions";
/// The top of all folders; no message is in it.
pub(crate) const ROOT: &str = "msgfolderroot";

#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub id: String,
    pub well_known: Option<&'static str>,
    pub name: String,
    pub parent: String,
}

pub(crate) struct Folders {
    mailbox: String,
    all: Vec<Folder>,
    made: u64,
}

impl Folders {
    pub fn of(mailbox: &str) -> Self {
        let root = id_of(mailbox, ROOT);
        let new = |(well_known, name): &(&'static str, &str)| Folder {
            id: id_of(mailbox, well_known),
            well_known: Some(well_known),
            name: (*name).into(),
            parent: root.clone(),
        };
        let hidden = [(RECOVERABLE, "Deletions"), (ROOT, "Top of Information Store")];
        let all = WELL_KNOWN.iter().chain(&hidden).map(new).collect();
        Self { mailbox: mailbox.into(), all, made: 0 }
    }

    /// By id, or by a well-known name in any case.
    pub fn find(&self, name: &str) -> Option<&Folder> {
        let lower = name.to_lowercase();
        self.all
            .iter()
            .find(|folder| folder.id == name || folder.well_known == Some(lower.as_str()))
    }

    /// The id of a well-known folder.
    pub fn known(&self, name: &str) -> String {
        self.find(name).map(|folder| folder.id.clone()).unwrap_or_default()
    }

    /// The shown folders under one, in the order of their names.
    pub fn under(&self, parent: &str) -> Vec<&Folder> {
        let mut found: Vec<&Folder> = self
            .all
            .iter()
            .filter(|folder| folder.parent == parent && !folder.is_hidden())
            .collect();
        found.sort_by_key(|folder| folder.name.to_lowercase());
        found
    }

    pub fn all(&self) -> &[Folder] {
        &self.all
    }

    pub fn root(&self) -> String {
        self.known(ROOT)
    }

    /// None if there is one of this name already.
    pub fn create(&mut self, parent: &str, name: &str) -> Option<&Folder> {
        if self.is_taken(parent, name) {
            return None;
        }
        self.made += 1;
        let id = id_of(&self.mailbox, &format!("folder {}", self.made));
        let new = Folder { id, well_known: None, name: name.into(), parent: parent.into() };
        self.all.push(new);
        self.all.last()
    }

    pub fn is_taken(&self, parent: &str, name: &str) -> bool {
        self.under(parent).iter().any(|folder| folder.name.eq_ignore_ascii_case(name))
    }

    pub fn rename(&mut self, id: &str, name: &str) {
        if let Some(folder) = self.all.iter_mut().find(|folder| folder.id == id) {
            folder.name = name.into();
        }
    }

    /// The folder and all below it.
    pub fn remove(&mut self, id: &str) -> Vec<Folder> {
        let mut gone = vec![id.to_owned()];
        let mut at = 0;
        while at < gone.len() {
            let below = self.all.iter().filter(|folder| folder.parent == gone[at]);
            let below: Vec<String> = below.map(|folder| folder.id.clone()).collect();
            gone.extend(below);
            at += 1;
        }
        let (removed, left) =
            std::mem::take(&mut self.all).into_iter().partition(|folder| gone.contains(&folder.id));
        self.all = left;
        removed
    }
}

impl Folder {
    fn is_hidden(&self) -> bool {
        matches!(self.well_known, Some(RECOVERABLE | ROOT))
    }
}

fn id_of(mailbox: &str, name: &str) -> String {
    let digest = sha256(format!("folder|{mailbox}|{name}").as_bytes());
    format!(
        "AAMkAGVmMDEzMTM4LTZmYWUtNDdkNC1hMDZiLTU1OGY5OTZhYmY4OAAu{}",
        base64url_padded(&digest[..24])
    )
}
