//! A Google account and its mailbox, as a story acts on them from outside.

use std::collections::BTreeSet;

use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::{AccountId, MessageId, MessageIdentity};
use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::domain::mark::Mark;
use email_connectors::domain::provider::{Provider, registered};
use email_connectors::domain::timestamp::Timestamp;

use super::World;
use super::consent::Consent;
use super::grants::Grants;
use super::mail::{Delivered, Mail, Poison};
use super::mailbox::Mailbox;
use super::outlook::listing::{identity_of, mark};
use super::outlook::mailbox::{Item, OutlookMailbox};

/// The tenant of every account at Microsoft.
const TENANT: &str = "84bd8158-6d4d-4958-8b9f-9d6445542f95";

#[derive(Clone)]
pub struct Account {
    world: World,
    pub sub: AccountId,
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
        let sub = existing.unwrap_or_else(|| AccountId::new(format!("10000{number}")));
        state.google.mailboxes.entry(sub.clone()).or_insert_with(|| Mailbox::new(address, number));
        Self { world: world.clone(), sub }
    }

    pub(crate) fn of(world: &World, sub: AccountId) -> Self {
        Self { world: world.clone(), sub }
    }

    /// An account at Microsoft.
    pub(crate) fn open_outlook(world: &World, address: &str) -> Self {
        let address = EmailAddress::parse(address).expect("a mailbox address");
        let mut state = world.lock();
        let number = state.google.outlook.len() + 1;
        let existing = state.google.outlook.iter().find(|(_, mailbox)| mailbox.address == address);
        let existing = existing.map(|(sub, _)| sub.clone());
        let sub = existing.unwrap_or_else(|| AccountId::new(format!("{TENANT}.oid-{number}")));
        let mailbox = || OutlookMailbox::new(address, number);
        state.google.grants.rotating.insert(sub.clone());
        state.google.outlook.entry(sub.clone()).or_insert_with(mailbox);
        Self { world: world.clone(), sub }
    }

    pub fn provider(&self) -> Provider {
        if self.is_outlook() { Provider::Outlook } else { Provider::Gmail }
    }

    /// By what its mailbox is known in keys and in the queue.
    pub fn key(&self) -> MailboxKey {
        (registered(self.provider()).mailbox)(&self.address(), &self.sub)
    }

    pub fn is_outlook(&self) -> bool {
        self.world.lock().google.outlook.contains_key(&self.sub)
    }

    /// Only of an account at Microsoft.
    pub(crate) fn outlook<T>(&self, act: impl FnOnce(&mut OutlookMailbox, Timestamp) -> T) -> T {
        let mut guard = self.world.lock();
        let state = &mut *guard;
        let mailbox = state.google.outlook.get_mut(&self.sub).expect("an account at Microsoft");
        act(mailbox, state.now)
    }

    fn grants<T>(&self, act: impl FnOnce(&mut Grants) -> T) -> T {
        act(&mut self.world.lock().google.grants)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Mailbox, &mut Grants, Timestamp) -> T) -> T {
        let mut guard = self.world.lock();
        let state = &mut *guard;
        let mailbox = state.google.mailboxes.get_mut(&self.sub).expect("the account was opened");
        act(mailbox, &mut state.google.grants, state.now)
    }

    pub fn address(&self) -> EmailAddress {
        if self.is_outlook() {
            return self.outlook(|mailbox, _| mailbox.address.clone());
        }
        self.with(|mailbox, _, _| mailbox.address.clone())
    }

    pub fn deliver(&self, mail: Mail) -> Delivered {
        if self.is_outlook() {
            return self.outlook(|mailbox, now| Delivered {
                message: mailbox.deliver(&mail, now),
                history_id: mark(mailbox.date(now)),
            });
        }
        self.with(|mailbox, _, now| mailbox.deliver(mail, now))
    }

    /// The message is gone for good; its history is not.
    pub fn delete(&self, message: &MessageId) {
        if self.is_outlook() {
            return self.outlook(|mailbox, _| mailbox.delete(message));
        }
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

    /// Each use of a refresh token gives another one from now on.
    pub fn rotates_refresh_tokens(&self) {
        self.with(|_, grants, _| grants.rotating.insert(self.sub.clone()));
    }

    /// Pages of changes have the messages of their records from now on.
    pub fn lists_whole(&self) {
        self.with(|mailbox, _, _| mailbox.lists_whole = true);
    }

    /// The message goes on under another id.
    pub fn drag(&self, message: &MessageId) -> MessageId {
        self.with(|mailbox, _, now| mailbox.drag(message, now))
    }

    pub fn rename(&self, address: &str) {
        self.with(|mailbox, _, _| {
            mailbox.address = EmailAddress::parse(address).expect("a mailbox address")
        });
    }

    /// By which the ledger knows the message, whatever its id is now.
    pub fn identity(&self, message: &MessageId) -> MessageIdentity {
        if self.is_outlook() {
            return self.outlook(|mailbox, _| {
                mailbox.item(message).map_or_else(|| MessageIdentity::of(message), identity_of)
            });
        }
        MessageIdentity::of(message)
    }

    /// The mailbox's history id as it stands; of Outlook, the server's time.
    pub fn history_id(&self) -> Mark {
        if self.is_outlook() {
            return self.outlook(|mailbox, now| mark(mailbox.date(now)));
        }
        self.with(|mailbox, _, _| Mark::new(mailbox.history_id))
    }

    /// The history ids of history pages: the allowed values of a cursor.
    pub fn page_history_ids(&self) -> BTreeSet<Mark> {
        if self.is_outlook() {
            return self.outlook(|mailbox, _| mailbox.listed.iter().copied().map(mark).collect());
        }
        self.with(|mailbox, _, _| mailbox.page_history_ids.clone())
    }

    /// The history ids of profiles: the allowed values of a first cursor and of a cursor after a
    /// gap.
    pub fn profile_history_ids(&self) -> BTreeSet<Mark> {
        if self.is_outlook() {
            return self.outlook(|mailbox, _| mailbox.dates.iter().copied().map(mark).collect());
        }
        self.with(|mailbox, _, _| mailbox.profile_history_ids.clone())
    }

    /// Sets the first history id; call it before anything happens in the mailbox.
    pub fn history_begins_at(&self, history_id: u64) {
        self.with(|mailbox, _, _| mailbox.history_id = history_id);
    }

    /// The messages that are there, in the order of their arrival.
    pub fn messages(&self) -> Vec<MessageId> {
        self.arrivals().into_iter().map(|(message, _)| message).collect()
    }

    /// The messages that hold a label.
    pub fn labelled(&self, label: &str) -> Vec<MessageId> {
        self.with(|mailbox, _, _| mailbox.labelled(label))
    }

    /// When each message arrived, by Gmail's `internalDate`.
    pub fn arrivals(&self) -> Vec<(MessageId, Timestamp)> {
        if self.is_outlook() {
            let arrival = |(message, item): (&MessageId, &Item)| (message.clone(), item.received);
            return self.outlook(|mailbox, _| mailbox.items().map(arrival).collect());
        }
        self.with(|mailbox, _, _| mailbox.arrivals().collect())
    }

    /// As `expire_history`, up to that id only.
    pub fn expire_history_up_to(&self, history_id: Mark) {
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
        if self.is_outlook() {
            return self.outlook(|mailbox, now| {
                mailbox.subscriptions.living(now).map(|(_, living)| living.expires).max()
            });
        }
        self.with(|mailbox, _, now| mailbox.watched_until.filter(|end| now < *end))
    }

    /// The user agrees on the consent page that a popup opened; the code that the browser brings
    /// back.
    pub fn consent(&self, consent: Consent) -> String {
        self.grants(|grants| grants.consent(&self.sub, consent, None))
    }

    /// The user agrees on the consent page; the code is bound to the request behind its URL.
    pub fn consent_at(&self, url: &str, consent: Consent) -> String {
        self.grants(|grants| {
            let request =
                grants.authorize_request(url).expect("a consent page that a user was sent to");
            grants.consent(&self.sub, consent, Some(request))
        })
    }

    /// The user agreed long ago, to another system of the same client: the refresh token that it
    /// holds.
    pub fn granted(&self, consent: Consent) -> String {
        self.grants(|grants| grants.granted(&self.sub, consent))
    }

    /// The user takes the grant back in their Google account.
    pub fn revoke_grant(&self) {
        self.grants(|grants| {
            grants.end(&self.sub);
            grants.taken_back.insert(self.sub.clone());
        });
    }

    /// The refresh tokens end, as by a changed password; the access tokens last out their hour.
    pub fn revoke_refresh_tokens(&self) {
        self.grants(|grants| {
            grants.end_refresh_tokens(&self.sub);
            grants.taken_back.insert(self.sub.clone());
        });
    }

    /// The session of the newest refresh token ends, and no other.
    pub fn end_newest_session(&self) {
        self.grants(|grants| grants.end_newest(&self.sub));
    }

    /// Gmail no longer honours the access tokens that it gave out, though their hour is not over.
    pub fn forget_access_tokens(&self) {
        self.grants(|grants| grants.forget_access_tokens(&self.sub));
    }

    /// Whether any refresh token of this account is good.
    pub fn is_granted(&self) -> bool {
        self.grants(|grants| grants.is_alive(&self.sub))
    }

    /// Whether the user ended the grant and has not consented since.
    pub fn was_taken_back(&self) -> bool {
        self.grants(|grants| grants.taken_back.contains(&self.sub))
    }
}
