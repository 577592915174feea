//! Mailboxes, as tests arrange them.

use serde::{Deserialize, Serialize};

use super::error::AdminError;
use super::{Admin, missing_mailbox, new_mailbox};
use crate::app::State;
use crate::mailbox::Mailbox;
use crate::values::moment;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewMailbox {
    pub email: String,
    pub name: Option<String>,
    /// The address if absent.
    pub upn: Option<String>,
    /// Derived from the domain if absent.
    pub tid: Option<String>,
    /// Derived from the address if absent.
    pub oid: Option<String>,
    /// A personal account, whatever its domain.
    pub personal: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct MailboxView {
    /// The address that it was made with, by which the admin side knows it.
    pub key: String,
    pub email: String,
    pub upn: String,
    pub tid: String,
    pub oid: String,
    pub sub: String,
    pub folders: Vec<FolderView>,
    pub messages: Vec<MessageView>,
    pub subscriptions: Vec<String>,
    pub grants: Vec<GrantView>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FolderView {
    pub id: String,
    pub name: String,
    pub well_known: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct MessageView {
    /// The immutable one.
    pub id: String,
    pub changing_id: String,
    pub change_key: String,
    pub internet_message_id: Option<String>,
    pub subject: Option<String>,
    /// A folder's well-known name, or else its own.
    pub folder: String,
    pub received: String,
    pub modified: String,
    pub is_read: bool,
    pub is_draft: bool,
    pub flag: String,
    pub categories: Vec<String>,
    /// Whether readers see it as it is here.
    pub shown: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct GrantView {
    pub scopes: Vec<String>,
    /// The AADSTS number that refreshes are refused with.
    pub refused: Option<u32>,
}

impl Admin {
    pub fn create_mailbox(&self, new: NewMailbox) -> Result<MailboxView, AdminError> {
        if !new.email.contains('@') {
            return Err(AdminError::Invalid("email is required".into()));
        }
        let mut state = self.app.state();
        if state.mailboxes.contains_key(&new.email) {
            return Err(AdminError::Conflict(format!("a mailbox {}", new.email)));
        }
        state.mailboxes.insert(new.email.clone(), new_mailbox(&new));
        drop(state);
        self.mailbox(&new.email)
    }

    pub fn mailbox(&self, email: &str) -> Result<MailboxView, AdminError> {
        let state = self.app.state();
        let mailbox = state.mailboxes.get(email).ok_or_else(|| missing_mailbox(email))?;
        Ok(view(email, mailbox, &state, self.app.now_ms()))
    }

    /// The user gets another address and user principal name; the object id stays.
    pub fn rename_mailbox(&self, email: &str, new: &str) -> Result<(), AdminError> {
        self.with_mailbox(email, |mailbox| {
            mailbox.user.email = new.into();
            mailbox.user.upn = new.into();
        })
    }

    /// Graph answers 401 with these claims, as JSON, until somebody consents with claims. `None`
    /// ends that.
    pub fn demand_claims(&self, email: &str, claims: Option<String>) -> Result<(), AdminError> {
        self.with_mailbox(email, |mailbox| mailbox.claims = claims)
    }

    /// The new folder's id, at the top or in another one.
    pub fn create_folder(
        &self,
        email: &str,
        name: &str,
        parent: Option<&str>,
    ) -> Result<String, AdminError> {
        self.with_mailbox(email, |mailbox| {
            let parent = parent
                .and_then(|parent| mailbox.folders.find(parent))
                .map(|parent| parent.id.clone());
            let parent = parent.unwrap_or_else(|| mailbox.folders.root());
            mailbox.folders.create(&parent, name).map(|made| made.id.clone())
        })?
        .ok_or_else(|| AdminError::Conflict(format!("a folder {name}")))
    }
}

fn view(key: &str, mailbox: &Mailbox, state: &State, now_ms: i64) -> MailboxView {
    let user = &mailbox.user;
    let grants = state.oauth.grants.iter().filter(|grant| grant.key == key);
    let subscriptions = state.subscriptions.iter().filter(|one| one.key == key);
    MailboxView {
        key: key.into(),
        email: user.email.clone(),
        upn: user.upn.clone(),
        tid: user.tid.clone(),
        oid: user.oid.clone(),
        sub: user.sub.clone(),
        folders: folders(mailbox),
        messages: messages(mailbox, now_ms),
        subscriptions: subscriptions.map(|one| one.id.clone()).collect(),
        grants: grants
            .map(|grant| GrantView {
                scopes: grant.scopes.clone(),
                refused: grant.refused.as_ref().map(|refused| refused.number),
            })
            .collect(),
    }
}

fn folders(mailbox: &Mailbox) -> Vec<FolderView> {
    let all = mailbox.folders.all().iter().map(|folder| FolderView {
        id: folder.id.clone(),
        name: folder.name.clone(),
        well_known: folder.well_known.map(Into::into),
    });
    all.collect()
}

fn messages(mailbox: &Mailbox, now_ms: i64) -> Vec<MessageView> {
    let name = |id: &str| {
        let folder = mailbox.folders.find(id);
        folder.map(|one| one.well_known.map_or(one.name.clone(), Into::into)).unwrap_or_default()
    };
    let all = mailbox.messages.values().map(|stored| {
        let message = &stored.message;
        MessageView {
            id: message.ids.immutable.clone(),
            changing_id: message.ids.changing.clone(),
            change_key: message.change_key(),
            internet_message_id: message.content.message_id.clone(),
            subject: message.content.subject.clone(),
            folder: name(&message.folder),
            received: moment(message.received),
            modified: moment(message.modified),
            is_read: message.marks.is_read,
            is_draft: message.marks.is_draft,
            flag: message.marks.flag.clone(),
            categories: message.marks.categories.clone(),
            shown: now_ms >= stored.shown_from,
        }
    });
    all.collect()
}
