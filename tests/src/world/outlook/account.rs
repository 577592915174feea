//! A Microsoft account's mailbox, as a story acts on it from outside. A message is named by its
//! first id.

use std::time::Duration;

use email_connectors::domain::id::MessageId;
use email_connectors::domain::timestamp::Timestamp;

use super::mailbox::Folder;
use super::notifications::Said;
use crate::world::account::Account;

impl Account {
    /// By how many seconds the answering server's clock is ahead from now on.
    pub fn clock_is_off(&self, seconds: i64) {
        self.outlook(|mailbox, _| mailbox.clock_off = seconds);
    }

    /// How many messages fit on a page, whatever is asked for.
    pub fn largest_page(&self, messages: usize) {
        self.outlook(|mailbox, _| mailbox.largest_page = messages);
    }

    /// The user reads, flags or unflags the message; it shows once `late` has passed.
    pub fn flag(&self, message: &MessageId, late: Duration) {
        self.outlook(|mailbox, now| mailbox.flag(message, now, late));
    }

    pub fn categorize(&self, message: &MessageId, category: &str) {
        self.outlook(|mailbox, now| mailbox.categorize(message, category, now));
    }

    pub fn move_to(&self, message: &MessageId, folder: Folder, late: Duration) {
        self.outlook(|mailbox, now| mailbox.move_to(message, folder, now, late));
    }

    /// In Outlook's desktop program: the id changes.
    pub fn drag_to(&self, message: &MessageId, folder: Folder) {
        self.outlook(|mailbox, now| mailbox.drag(message, folder, now));
    }

    /// From the deleted items: the id changes.
    pub fn restore(&self, message: &MessageId) {
        self.outlook(|mailbox, now| mailbox.restore(message, now));
    }

    /// Mail without an `internetMessageId`.
    pub fn without_message_id(&self, message: &MessageId) {
        self.outlook(|mailbox, _| mailbox.without_message_id(message));
    }

    pub fn folder_of(&self, message: &MessageId) -> Folder {
        self.outlook(|mailbox, _| mailbox.item(message).expect("a message").folder)
    }

    /// When the message was changed last, by the server.
    pub fn changed_at(&self, message: &MessageId) -> Timestamp {
        self.outlook(|mailbox, _| mailbox.item(message).expect("a message").modified)
    }

    /// The messages that lie in the folder.
    pub fn within(&self, folder: Folder) -> Vec<MessageId> {
        self.outlook(|mailbox, _| {
            let there = mailbox.items().filter(|(_, item)| item.folder == folder);
            there.map(|(message, _)| message.clone()).collect()
        })
    }

    /// Graph keeps to its documents: one app has one subscription of a kind.
    pub fn only_one_subscription(&self) {
        self.outlook(|mailbox, _| mailbox.subscriptions.only_one = true);
    }

    /// Graph takes the subscriptions away.
    pub fn remove_subscriptions(&self) {
        self.outlook(|mailbox, now| drop(mailbox.remove_subscriptions(now)));
    }

    /// Graph wants each subscription authorized again within that time.
    pub fn require_reauthorization(&self, within: Duration) {
        self.outlook(|mailbox, now| mailbox.subscriptions.require_reauthorization(within, now));
    }

    /// The bodies of Graph's notifications of this moment, one for each living subscription.
    pub fn notifications(&self, said: Said) -> Vec<serde_json::Value> {
        self.outlook(|mailbox, now| mailbox.notifications(said, now))
    }

    /// How many subscriptions live.
    pub fn subscriptions(&self) -> usize {
        self.subscription_ids().len()
    }

    pub fn subscription_ids(&self) -> Vec<String> {
        self.outlook(|mailbox, now| {
            mailbox.subscriptions.living(now).map(|(id, _)| id.clone()).collect()
        })
    }
}
