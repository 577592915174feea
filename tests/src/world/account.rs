//! A Google account and its mailbox, as a story acts on them from outside.

use std::collections::BTreeSet;

use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::history_id::HistoryId;
use email_connectors::domain::id::{GoogleSub, MessageId};
use email_connectors::domain::timestamp::Timestamp;

use super::World;
use super::consent::Consent;
use super::grants::Grants;
use super::mail::{Delivered, Mail, Poison};
use super::mailbox::Mailbox;

#[derive(Clone)]
pub struct Account {
    world: World,
    pub sub: GoogleSub,
}

impl Account {
    pub(crate) fn open(world: &World, address: &str) -> Self {
        let address = EmailAddress::parse(address).expect("a mailbox address");
        let mut state = world.lock();
        let existing = state
            .google
            .mailboxes
            .iter()
            .find(|(_, mailbox)| mailbox.address == address)
            .map(|(sub, _)| sub.clone());
        let number = state.google.mailboxes.len() + 1;
        let sub = existing.unwrap_or_else(|| GoogleSub::new(format!("10000{number}")));
        state.google.mailboxes.entry(sub.clone()).or_insert_with(|| Mailbox::new(address, number));
        Self { world: world.clone(), sub }
    }

    pub(crate) fn of(world: &World, sub: GoogleSub) -> Self {
        Self { world: world.clone(), sub }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Mailbox, &mut Grants, Timestamp) -> T) -> T {
        let mut guard = self.world.lock();
        let state = &mut *guard;
        let mailbox = state.google.mailboxes.get_mut(&self.sub).expect("the account was opened");
        act(mailbox, &mut state.google.grants, state.now)
    }

    pub fn address(&self) -> EmailAddress {
        self.with(|mailbox, _, _| mailbox.address.clone())
    }

    pub fn deliver(&self, mail: Mail) -> Delivered {
        self.with(|mailbox, _, now| mailbox.deliver(mail, now))
    }

    /// The message is gone for good; its history is not.
    pub fn delete(&self, message: &MessageId) {
        self.with(|mailbox, _, _| mailbox.delete(message));
    }

    /// Changes the labels that a fetch returns; history records keep the old ones.
    pub fn relabel(&self, message: &MessageId, label_ids: &[&str]) {
        let label_ids = label_ids.iter().map(|label| label.to_string()).collect();
        self.with(|mailbox, _, _| *mailbox.labels(message) = label_ids);
    }

    /// The user, or a filter, changes a message's labels; the history gets a record of it.
    pub fn label(&self, message: &MessageId, add: &[&str], remove: &[&str]) {
        self.with(|mailbox, _, now| mailbox.label(message, add, remove, now));
    }

    /// The user makes a label, or gives it another name.
    pub fn name_label(&self, id: &str, name: &str) {
        self.with(|mailbox, _, _| mailbox.own_labels.insert(id.into(), name.into()));
    }

    /// The user deletes a label.
    pub fn delete_label(&self, id: &str) {
        self.with(|mailbox, _, _| mailbox.own_labels.remove(id));
    }

    /// From now on Gmail answers this error for the message.
    pub fn poison(&self, message: &MessageId, poison: Poison) {
        self.with(|mailbox, _, _| mailbox.poisoned.insert(message.clone(), poison));
    }

    pub fn heal(&self, message: &MessageId) {
        self.with(|mailbox, _, _| mailbox.poisoned.remove(message));
    }

    pub fn rename(&self, address: &str) {
        self.with(|mailbox, _, _| {
            mailbox.address = EmailAddress::parse(address).expect("a mailbox address")
        });
    }

    /// The mailbox's history id as it stands.
    pub fn history_id(&self) -> HistoryId {
        self.with(|mailbox, _, _| HistoryId::new(mailbox.history_id))
    }

    /// The history ids of history pages: the allowed values of a cursor.
    pub fn page_history_ids(&self) -> BTreeSet<HistoryId> {
        self.with(|mailbox, _, _| mailbox.page_history_ids.clone())
    }

    /// The history ids of profiles: the allowed values of a first cursor and of a cursor after a
    /// gap.
    pub fn profile_history_ids(&self) -> BTreeSet<HistoryId> {
        self.with(|mailbox, _, _| mailbox.profile_history_ids.clone())
    }

    /// Sets the first history id; call it before anything happens in the mailbox.
    pub fn history_begins_at(&self, history_id: u64) {
        self.with(|mailbox, _, _| mailbox.history_id = history_id);
    }

    /// The messages that are there, in the order of their arrival.
    pub fn messages(&self) -> Vec<MessageId> {
        self.with(|mailbox, _, _| mailbox.arrivals().map(|(message, _)| message).collect())
    }

    /// The messages that hold a label.
    pub fn labelled(&self, label: &str) -> Vec<MessageId> {
        self.with(|mailbox, _, _| mailbox.labelled(label))
    }

    /// When each message arrived, by Gmail's `internalDate`.
    pub fn arrivals(&self) -> Vec<(MessageId, Timestamp)> {
        self.with(|mailbox, _, _| mailbox.arrivals().collect())
    }

    /// As `expire_history`, up to that id only.
    pub fn expire_history_up_to(&self, history_id: HistoryId) {
        self.with(|mailbox, _, _| mailbox.expired = history_id.value());
    }

    /// A listing that begins before the present finds no history.
    pub fn expire_history(&self) {
        self.with(|mailbox, _, _| mailbox.expired = mailbox.history_id);
    }

    /// Listings of history omit the newest `by` records.
    pub fn lag(&self, by: usize) {
        self.with(|mailbox, _, _| mailbox.lag = by);
    }

    /// How many records fit on a page of history.
    pub fn page_size(&self, records: usize) {
        self.with(|mailbox, _, _| mailbox.page_size = records);
    }

    /// How many messages fit on a page of a search.
    pub fn list_page_size(&self, messages: usize) {
        self.with(|mailbox, _, _| mailbox.list_page_size = messages);
    }

    /// Page tokens from before this are refused.
    pub fn lose_page_tokens(&self) {
        self.with(|mailbox, _, _| mailbox.page_tokens.clear());
    }

    /// Another topic watches the mailbox until `stop`; our watch has ended.
    pub fn watch_is_taken(&self) {
        self.with(|mailbox, _, _| (mailbox.watched_until, mailbox.watch_is_taken) = (None, true));
    }

    /// When the current watch expires.
    pub fn watched_until(&self) -> Option<Timestamp> {
        self.with(|mailbox, _, now| mailbox.watched_until.filter(|end| now < *end))
    }

    /// The user agrees on the consent page that a popup opened; the code that the browser brings
    /// back.
    pub fn consent(&self, consent: Consent) -> String {
        self.with(|_, grants, _| grants.consent(&self.sub, consent, None))
    }

    /// The user agrees on the consent page; the code is bound to the request behind its URL.
    pub fn consent_at(&self, url: &str, consent: Consent) -> String {
        self.with(|_, grants, _| {
            let request =
                grants.authorize_request(url).expect("a consent page that a user was sent to");
            grants.consent(&self.sub, consent, Some(request))
        })
    }

    /// The user agreed long ago, to another system of the same client: the refresh token that it
    /// holds.
    pub fn granted(&self, consent: Consent) -> String {
        self.with(|_, grants, _| grants.granted(&self.sub, consent))
    }

    /// The user takes the grant back in their Google account.
    pub fn revoke_grant(&self) {
        self.with(|_, grants, _| {
            grants.end(&self.sub);
            grants.taken_back.insert(self.sub.clone());
        });
    }

    /// The refresh tokens end, as by a changed password; the access tokens last out their hour.
    pub fn revoke_refresh_tokens(&self) {
        self.with(|_, grants, _| {
            grants.end_refresh_tokens(&self.sub);
            grants.taken_back.insert(self.sub.clone());
        });
    }

    /// Gmail no longer honours the access tokens that it gave out, though their hour is not over.
    pub fn forget_access_tokens(&self) {
        self.with(|_, grants, _| grants.forget_access_tokens(&self.sub));
    }

    /// Whether any refresh token of this account is good.
    pub fn is_granted(&self) -> bool {
        self.with(|_, grants, _| grants.is_alive(&self.sub))
    }

    /// Whether the user ended the grant and has not consented since.
    pub fn was_taken_back(&self) -> bool {
        self.with(|_, grants, _| grants.taken_back.contains(&self.sub))
    }
}
