//! What Graph posts to the notification URL: notifications of changes and of a subscription's life,
//! of several subscriptions and tenants in one POST, each judged by itself
//! (<https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks>,
//! <https://learn.microsoft.com/en-us/graph/change-notifications-lifecycle-events>).

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::client_state::ClientState;

/// Of a validation token, in bytes once it is decoded. Graph's are about 200.
const LONGEST_TOKEN: usize = 1024;
/// Graph sends at most a thousand in one POST.
pub const MOST_ITEMS: usize = 1000;

/// A subscription's id is a GUID; it is kept for the log alone.
const LONGEST_ID: usize = 64;

/// Why a mailbox is to be looked at; the later one asks for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Something was created or changed.
    Changed,
    /// Notifications were lost: look.
    Missed,
    /// The subscription has to be authorized again.
    ReauthorizationRequired,
    /// The subscription is gone: make a new one, and look.
    SubscriptionRemoved,
}

impl Kind {
    /// Whether the subscription has to be renewed before its time.
    pub const fn ends_watch(self) -> bool {
        matches!(self, Self::SubscriptionRemoved | Self::ReauthorizationRequired)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::SubscriptionRemoved => "subscription_removed",
            Self::ReauthorizationRequired => "reauthorization_required",
            Self::Missed => "missed",
        }
    }
}

/// A notification of the right form. Whether its clientState is ours is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub kind: Kind,
    pub client_state: ClientState,
    pub subscription: String,
}

/// Why an item is dropped; its text is a metric's dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// No item of Graph's.
    Unreadable,
    /// Without a clientState of our form.
    ClientState,
    /// Of another kind than those that we asked for.
    Kind,
}

impl Dropped {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::ClientState => "client_state",
            Self::Kind => "kind",
        }
    }
}

#[derive(Deserialize)]
struct Post<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Item {
    client_state: Value,
    subscription_id: Value,
    change_type: Value,
    lifecycle_event: Value,
}

/// The items of a POST, each judged by itself; `None` if it is no POST of Graph's at all. Beyond
/// `MOST_ITEMS` none is read.
pub fn items(body: &[u8]) -> Option<Vec<Result<Notification, Dropped>>> {
    let post: Post<'_> = serde_json::from_slice(body).ok()?;
    Some(post.value.into_iter().take(MOST_ITEMS).map(|item| judged(item.get())).collect())
}

fn judged(item: &str) -> Result<Notification, Dropped> {
    let item: Item = serde_json::from_str(item).map_err(|_| Dropped::Unreadable)?;
    let kind = match (item.lifecycle_event.as_str(), item.change_type.as_str()) {
        (Some("subscriptionRemoved"), _) => Kind::SubscriptionRemoved,
        (Some("reauthorizationRequired"), _) => Kind::ReauthorizationRequired,
        (Some("missed"), _) => Kind::Missed,
        (Some(_), _) => return Err(Dropped::Kind),
        (None, Some("created" | "updated" | "deleted")) => Kind::Changed,
        (None, _) => return Err(Dropped::Kind),
    };
    let client_state = item.client_state.as_str().and_then(ClientState::parse);
    let subscription = item.subscription_id.as_str().unwrap_or_default();
    let plain = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
    Ok(Notification {
        kind,
        client_state: client_state.ok_or(Dropped::ClientState)?,
        subscription: subscription.chars().filter(plain).take(LONGEST_ID).collect(),
    })
}

/// The text to answer to `validationToken`, which was URL-decoded: a stranger's text is repeated only
/// if it is short and has no sign that a browser could take for more than text.
pub fn echo(token: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" -_.:;,=+/~!*@$%".contains(&byte);
    ((1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(plain)).then_some(token)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::client_state;
    use super::*;
    use crate::domain::mailbox_key::MailboxKey;

    fn mailbox() -> MailboxKey {
        MailboxKey::parse("outlook:0123456789abcdef0123456789abcdef").unwrap()
    }

    fn state() -> String {
        client_state::written(&mailbox(), &[1; 32]).unwrap()
    }

    fn read(items: Value) -> Vec<Result<Kind, Dropped>> {
        let body = json!({"value": items}).to_string();
        let read = super::items(body.as_bytes()).unwrap();
        read.into_iter().map(|item| item.map(|item| item.kind)).collect()
    }

    #[test]
    fn every_item_is_judged_by_itself() {
        let state = state();
        let items = json!([
            {"subscriptionId": "s", "clientState": state, "changeType": "created", "resource": "Users/1/Messages/2", "resourceData": {"id": "2"}},
            {"subscriptionId": "s", "clientState": "x", "changeType": "created"},
            {"subscriptionId": "s", "changeType": "updated"},
            {"subscriptionId": "s", "clientState": state, "lifecycleEvent": "missed"},
            {"clientState": state, "lifecycleEvent": "subscriptionRemoved", "changeType": "created"},
            {"clientState": state, "lifecycleEvent": "reauthorizationRequired"},
            {"clientState": state, "lifecycleEvent": "more"},
            {"clientState": state},
            {"clientState": 7, "changeType": 8},
            7,
            null,
        ]);
        let expected = [
            Ok(Kind::Changed),
            Err(Dropped::ClientState),
            Err(Dropped::ClientState),
            Ok(Kind::Missed),
            Ok(Kind::SubscriptionRemoved),
            Ok(Kind::ReauthorizationRequired),
            Err(Dropped::Kind),
            Err(Dropped::Kind),
            Err(Dropped::Kind),
            Err(Dropped::Unreadable),
            Err(Dropped::Unreadable),
        ];
        assert_eq!(read(items), expected);
    }

    #[test]
    fn a_notification_names_its_mailbox_by_client_state_alone() {
        let item = json!({"value": [{"subscriptionId": "a-1\n", "clientState": state(), "changeType": "created"}]});
        let items = items(item.to_string().as_bytes()).unwrap();
        let Ok(notification) = &items[0] else { panic!() };
        assert_eq!(notification.client_state.mailbox(), &mailbox());
        assert_eq!(notification.subscription, "a-1");
    }

    #[test]
    fn what_is_no_post_of_graphs_has_no_items() {
        for body in ["", "{}", "[]", "{\"value\":7}", "{\"value\":{}}", "{\"value\":[", "null"] {
            assert!(items(body.as_bytes()).is_none(), "{body}");
        }
        assert!(items(b"{\"value\":[]}").unwrap().is_empty());
        let many = format!("{{\"value\":[{}]}}", vec!["{}"; MOST_ITEMS + 1].join(","));
        assert_eq!(items(many.as_bytes()).unwrap().len(), MOST_ITEMS);
    }

    #[test]
    fn only_plain_and_short_text_is_repeated() {
        let good = "Validation: Testing client application reachability for subscription Request-Id: 1a-2b";
        assert_eq!(echo(good), Some(good));
        for bad in ["", "<script>", "a\nb", "a\u{0}", "ü", "\"", "a&b", &"a".repeat(1025)] {
            assert_eq!(echo(bad), None, "{bad}");
        }
    }
}
