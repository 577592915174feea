//! What happens to messages that no client of Graph did.

use serde::{Deserialize, Serialize};

use super::error::AdminError;
use super::{Admin, missing_mailbox};
use crate::app::State;
use crate::folders::RECOVERABLE;
use crate::graph::sending_date;
use crate::mailbox::{Arriving, Mailbox, When};
use crate::new_message::NewMessage;
use crate::shapes::Shapes;
use crate::values::seconds;

/// Never, in milliseconds from now.
const NEVER: i64 = i64::MAX / 2;

#[derive(Clone, Debug, Serialize)]
pub struct Delivered {
    /// The immutable one.
    pub id: String,
    pub changing_id: String,
    pub internet_message_id: Option<String>,
}

/// How a message goes elsewhere, and when that shows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Move {
    /// A folder's well-known name, own name or id.
    pub folder: String,
    pub late_ms: i64,
    pub silent: bool,
    /// Both ids are others afterwards, as after a restore or a drag.
    pub new_ids: bool,
}

/// What a user changes of a message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarkChange {
    pub is_read: Option<bool>,
    pub flag: Option<String>,
    pub importance: Option<String>,
    pub categories: Option<Vec<String>>,
    pub late_ms: i64,
    pub silent: bool,
}

impl Admin {
    /// A mail arrives.
    pub fn deliver(&self, email: &str, new: NewMessage) -> Result<Delivered, AdminError> {
        let mut made = self.deliver_many(email, &new, 1)?;
        made.pop().ok_or_else(|| AdminError::Invalid("nothing was delivered".into()))
    }

    /// So many mails arrive within the same second.
    pub fn deliver_many(
        &self,
        email: &str,
        new: &NewMessage,
        count: usize,
    ) -> Result<Vec<Delivered>, AdminError> {
        let late = if new.hidden { NEVER } else { new.late_ms };
        self.in_mailbox(email, late, new.silent, |mailbox, when, _| {
            (1..=count).map(|number| added(mailbox, new, number, when)).collect()
        })
    }

    pub fn move_message(&self, email: &str, id: &str, to: &Move) -> Result<Delivered, AdminError> {
        self.relocated(email, id, to, |mailbox, number, folder, when, shapes| {
            mailbox.moved(number, folder, when, shapes);
        })
    }

    /// As Outlook's desktop program does for some users: both ids are others afterwards
    /// (microsoftgraph/microsoft-graph-docs-contrib#1208).
    pub fn drag_message(&self, email: &str, id: &str, to: &Move) -> Result<Delivered, AdminError> {
        self.relocated(email, id, to, |mailbox, number, folder, when, _| {
            mailbox.drag_to(number, folder, when);
        })
    }

    /// Out of Deleted Items, or from where deletion from there leads; it is told as created again
    /// (microsoftgraph/nodejs-webhooks-sample#512).
    pub fn restore_message(
        &self,
        email: &str,
        id: &str,
        to: &Move,
    ) -> Result<Delivered, AdminError> {
        self.relocated(email, id, to, |mailbox, number, folder, when, _| {
            if to.new_ids {
                mailbox.drag_to(number, folder, when);
                mailbox.events.pop();
            } else {
                mailbox.move_to(number, folder, when);
            }
            mailbox.tell_created(number);
        })
    }

    pub fn mark_message(
        &self,
        email: &str,
        id: &str,
        change: &MarkChange,
    ) -> Result<(), AdminError> {
        self.in_mailbox(email, change.late_ms, change.silent, |mailbox, when, _| {
            let number = mailbox.number_of(id).ok_or_else(|| missing_message(id))?;
            let change = change.clone();
            mailbox.mark(number, when, |marks| {
                marks.is_read = change.is_read.unwrap_or(marks.is_read);
                let set = |mark: &mut String, wish: Option<String>| {
                    if let Some(wish) = wish {
                        *mark = wish;
                    }
                };
                set(&mut marks.flag, change.flag);
                set(&mut marks.importance, change.importance);
                marks.categories = change.categories.unwrap_or_else(|| marks.categories.clone());
            });
            Ok(())
        })
    }

    /// Gone for good, or with `soft` to where it can be recovered from.
    pub fn delete_message(&self, email: &str, id: &str, soft: bool) -> Result<(), AdminError> {
        self.in_mailbox(email, 0, false, |mailbox, when, _| {
            let number = mailbox.number_of(id).ok_or_else(|| missing_message(id))?;
            if soft {
                let target = mailbox.folders.known(RECOVERABLE);
                mailbox.move_to(number, &target, when);
            } else {
                mailbox.remove(number);
            }
            Ok(())
        })
    }

    /// Readers see everything as it is now.
    pub fn show(&self, email: &str) -> Result<(), AdminError> {
        self.with_mailbox(email, |mailbox| {
            for stored in mailbox.messages.values_mut() {
                stored.shown_from = i64::MIN;
                stored.before = None;
            }
        })
    }

    fn relocated(
        &self,
        email: &str,
        id: &str,
        to: &Move,
        relocate: impl FnOnce(&mut Mailbox, u64, &str, When, Shapes),
    ) -> Result<Delivered, AdminError> {
        self.in_mailbox(email, to.late_ms, to.silent, |mailbox, when, shapes| {
            let number = mailbox.number_of(id).ok_or_else(|| missing_message(id))?;
            let folder = folder(mailbox, &to.folder)?;
            relocate(mailbox, number, &folder, when, shapes);
            Ok(delivered(mailbox, number))
        })
    }

    fn in_mailbox<T>(
        &self,
        email: &str,
        late_ms: i64,
        silent: bool,
        act: impl FnOnce(&mut Mailbox, When, Shapes) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let app = &self.app;
        self.changed(|state: &mut State| {
            let (when, shapes) = (state.when(app, late_ms), state.shapes);
            let mailbox = state.mailboxes.get_mut(email).ok_or_else(|| missing_mailbox(email))?;
            let outcome = act(mailbox, when, shapes);
            if silent {
                mailbox.events.clear();
            }
            outcome
        })
    }
}

pub(super) fn missing_message(id: &str) -> AdminError {
    AdminError::NotFound(format!("message {id}"))
}

/// By well-known name, id, or the name that is shown.
fn folder(mailbox: &Mailbox, name: &str) -> Result<String, AdminError> {
    let by_name = || mailbox.folders.all().iter().find(|folder| folder.name == name);
    let found = mailbox.folders.find(name).or_else(by_name);
    found
        .map(|folder| folder.id.clone())
        .ok_or_else(|| AdminError::NotFound(format!("folder {name}")))
}

fn added(
    mailbox: &mut Mailbox,
    new: &NewMessage,
    number: usize,
    when: When,
) -> Result<Delivered, AdminError> {
    let folder = folder(mailbox, new.folder.as_deref().unwrap_or("inbox"))?;
    let moment = new.received.as_ref().map(|moment| {
        seconds(moment).ok_or_else(|| AdminError::Invalid(format!("{moment} is no moment")))
    });
    let received = moment.transpose()?.unwrap_or(when.server);
    let content = new.content(&mailbox.user.email, number, &sending_date(received));
    let content = content.ok_or_else(|| AdminError::Invalid("no base64".into()))?;
    let sent = crate::mail::date(&content).unwrap_or(received);
    let marks = new.marks();
    let arriving = Arriving { content, folder, marks, received, sent, id: new.id.clone() };
    let number = mailbox.add(arriving, when);
    Ok(delivered(mailbox, number))
}

fn delivered(mailbox: &Mailbox, number: u64) -> Delivered {
    let message = mailbox.message(number);
    Delivered {
        id: message.ids.immutable.clone(),
        changing_id: message.ids.changing.clone(),
        internet_message_id: message.content.message_id.clone(),
    }
}
