//! Mailboxes and mail, as tests arrange them.

use serde::{Deserialize, Serialize};

use super::Admin;
use super::error::AdminError;
use crate::app::State;
use crate::mailbox::{Alias, Arriving, Mailbox, Record};
use crate::new_message::NewMessage;
use crate::values::{account_id, from_base64, optional_u64, u64_as_text};
use crate::{pubsub, receiving, rfc5322};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewMailbox {
    pub email: String,
    /// Derived from the address if absent.
    pub sub: Option<String>,
    #[serde(deserialize_with = "optional_u64")]
    pub history_id: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelChange {
    pub add: Vec<String>,
    pub remove: Vec<String>,
}

/// History ids are text in JSON, as Gmail writes them.
#[derive(Clone, Debug, Serialize)]
pub struct Delivered {
    pub id: String,
    pub thread_id: String,
    #[serde(serialize_with = "u64_as_text")]
    pub history_id: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct MailboxView {
    pub email: String,
    pub sub: String,
    #[serde(serialize_with = "u64_as_text")]
    pub history_id: u64,
    #[serde(serialize_with = "u64_as_text")]
    pub history_floor: u64,
    pub watch: Option<WatchView>,
    pub messages: Vec<MessageView>,
    pub grants: Vec<GrantView>,
    pub notifications_sent: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct WatchView {
    pub topic_name: String,
    pub label_ids: Vec<String>,
    /// Milliseconds.
    pub expiration: i64,
    pub live: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct MessageView {
    pub id: String,
    pub thread_id: String,
    pub label_ids: Vec<String>,
    #[serde(serialize_with = "u64_as_text")]
    pub history_id: u64,
    /// Milliseconds.
    pub internal_date: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct GrantView {
    pub scopes: Vec<String>,
    pub revoked: bool,
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
        let sub = new.sub.unwrap_or_else(|| account_id(&new.email));
        let history_id = new.history_id.unwrap_or(self.app.config.history_start);
        state.mailboxes.insert(new.email.clone(), Mailbox::new(new.email.clone(), sub, history_id));
        drop(state);
        self.mailbox(&new.email)
    }

    pub fn mailbox(&self, email: &str) -> Result<MailboxView, AdminError> {
        let state = self.app.state();
        let mailbox = state.mailboxes.get(email).ok_or_else(|| missing_mailbox(email))?;
        Ok(view(mailbox, &state, self.app.now_ms()))
    }

    /// A mail arrives.
    pub fn deliver(&self, email: &str, new: NewMessage) -> Result<Delivered, AdminError> {
        let now_ms = self.app.now_ms();
        self.changed(email, new.silent, |mailbox| {
            let record = added(mailbox, &new, now_ms)?;
            Ok((delivered(&record), vec![record]))
        })
    }

    /// So many mails arrive at once, with one push for all. `{n}` in the subject becomes each one's
    /// number, from 1.
    pub fn deliver_many(
        &self,
        email: &str,
        new: &NewMessage,
        count: usize,
    ) -> Result<Vec<Delivered>, AdminError> {
        let now_ms = self.app.now_ms();
        self.changed(email, new.silent, |mailbox| {
            let subject = |number: usize| {
                new.subject.as_ref().map(|subject| subject.replace("{n}", &number.to_string()))
            };
            let numbered = |number| NewMessage { subject: subject(number), ..new.clone() };
            let records = (1..=count)
                .map(|number| added(mailbox, &numbered(number), now_ms))
                .collect::<Result<Vec<Record>, _>>()?;
            Ok((records.iter().map(delivered).collect(), records))
        })
    }

    pub fn change_labels(
        &self,
        email: &str,
        id: &str,
        change: &LabelChange,
    ) -> Result<(), AdminError> {
        self.changed(email, false, |mailbox| {
            mailbox.know_labels(&change.add);
            let records = mailbox.change_labels(id, &change.add, &change.remove);
            Ok(((), records.ok_or_else(|| AdminError::NotFound(format!("message {id}")))?))
        })
    }

    pub fn delete_message(&self, email: &str, id: &str) -> Result<(), AdminError> {
        self.changed(email, false, |mailbox| {
            let record = mailbox
                .delete_message(id)
                .ok_or_else(|| AdminError::NotFound(format!("message {id}")))?;
            Ok(((), vec![record]))
        })
    }

    /// Everything before the id (the current one if absent) can no longer be listed from, and page
    /// tokens die.
    pub fn expire_history(&self, email: &str, before: Option<u64>) -> Result<(), AdminError> {
        self.with_mailbox(email, |mailbox| mailbox.expire_history(before))
    }

    /// Until `reveal`, readers see history as it is now: pushes run ahead of it.
    pub fn hold_history(&self, email: &str) -> Result<(), AdminError> {
        self.with_mailbox(email, |mailbox| mailbox.visible_until = Some(mailbox.history_id))
    }

    /// Ends a hold, and shows hidden messages.
    pub fn reveal(&self, email: &str) -> Result<(), AdminError> {
        self.with_mailbox(email, Mailbox::reveal)
    }

    /// Every page token from before is refused, of history and of messages.
    pub fn lose_page_tokens(&self, email: &str) -> Result<(), AdminError> {
        self.with_mailbox(email, Mailbox::lose_page_tokens)
    }

    /// Another client of the same project watches the mailbox: ours has ended, and is refused until
    /// a stop.
    pub fn take_watch(&self, email: &str) -> Result<(), AdminError> {
        self.with_mailbox(email, Mailbox::take_watch)
    }

    /// The mailbox may send as another address, or will once that is confirmed.
    pub fn add_alias(&self, email: &str, alias: Alias) -> Result<(), AdminError> {
        self.with_mailbox(email, |mailbox| mailbox.aliases.push(alias))
    }

    /// The watch expires.
    pub fn lapse_watch(&self, email: &str) -> Result<(), AdminError> {
        let now_ms = self.app.now_ms();
        self.with_mailbox(email, |mailbox| {
            if let Some(watch) = &mut mailbox.watch {
                watch.expiration = watch.expiration.min(now_ms);
            }
        })
    }

    fn with_mailbox<T>(
        &self,
        email: &str,
        act: impl FnOnce(&mut Mailbox) -> T,
    ) -> Result<T, AdminError> {
        let mut state = self.app.state();
        state.mailboxes.get_mut(email).map(act).ok_or_else(|| missing_mailbox(email))
    }

    fn changed<T>(
        &self,
        email: &str,
        silent: bool,
        change: impl FnOnce(&mut Mailbox) -> Result<(T, Vec<Record>), AdminError>,
    ) -> Result<T, AdminError> {
        let mut state = self.app.state();
        let mailbox = state.mailboxes.get_mut(email).ok_or_else(|| missing_mailbox(email))?;
        let (answer, records) = change(mailbox)?;
        if !silent {
            pubsub::publish_changes(&self.app, &mut state, email, &records);
        }
        Ok(answer)
    }
}

/// A mail from its description, or from its bytes.
fn added(mailbox: &mut Mailbox, new: &NewMessage, now_ms: i64) -> Result<Record, AdminError> {
    let Some(raw) = &new.raw else { return Ok(mailbox.add_message(new, now_ms)) };
    let raw = from_base64(raw).ok_or_else(|| AdminError::Invalid("raw is no base64".into()))?;
    let label_ids = new.labels();
    let raw = if receiving::is_own(&label_ids) {
        raw
    } else {
        receiving::stamped(raw, new.authentication_results.as_deref())
    };
    Ok(mailbox.add(Arriving {
        parsed: rfc5322::parse(&raw),
        raw,
        label_ids,
        thread_id: new.thread_id.clone(),
        internal_date: new.internal_date.unwrap_or(now_ms),
        hidden: new.hidden,
    }))
}

fn delivered(record: &Record) -> Delivered {
    Delivered {
        id: record.message_id.clone(),
        thread_id: record.thread_id.clone(),
        history_id: record.id,
    }
}

pub(super) fn missing_mailbox(email: &str) -> AdminError {
    AdminError::NotFound(format!("mailbox {email}"))
}

fn view(mailbox: &Mailbox, state: &State, now_ms: i64) -> MailboxView {
    let grants = state.oauth.grants.iter().filter(|grant| grant.email == mailbox.email);
    let watch = mailbox.watch.as_ref().map(|watch| WatchView {
        topic_name: watch.topic_name.clone(),
        label_ids: watch.label_ids.clone(),
        expiration: watch.expiration,
        live: watch.expiration > now_ms,
    });
    let messages = mailbox.messages.values().map(|message| MessageView {
        id: message.id.clone(),
        thread_id: message.thread_id.clone(),
        label_ids: message.label_ids.clone(),
        history_id: message.history_id,
        internal_date: message.internal_date,
    });
    MailboxView {
        email: mailbox.email.clone(),
        sub: mailbox.sub.clone(),
        history_id: mailbox.history_id,
        history_floor: mailbox.history_floor,
        watch,
        messages: messages.collect(),
        grants: grants
            .map(|grant| GrantView { scopes: grant.scopes.clone(), revoked: grant.is_revoked() })
            .collect(),
        notifications_sent: mailbox.notifications_sent,
    }
}
