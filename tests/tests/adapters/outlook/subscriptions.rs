//! The watch of a mailbox: made, renewed, made anew, ended.

use email_connectors::adapters::hmac::HmacSha256;
use email_connectors::adapters::https;
use email_connectors::adapters::outlook::Outlook;
use email_connectors::config::MicrosoftSettings;
use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::domain::provider::outlook::client_state::ClientState;
use email_connectors::ports::{EmailProvider, Signatures, WatchRequest};
use fake_microsoft::{NewMessage, NotificationMode, Shapes, SubscriptionView};
use secrecy::SecretString;
use tests::microsoft::handshakes;

use super::{ADA, Microsoft};

fn mailbox() -> MailboxKey {
    MailboxKey::parse("outlook:0123456789abcdef0123456789abcdef").unwrap()
}

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// The subscription that is stored so.
fn id(stored: &str) -> String {
    stored.split('.').next().unwrap_or_default().into()
}

fn is_signed_under(key: &str, made: &SubscriptionView) -> bool {
    let state = ClientState::parse(made.client_state.as_deref().unwrap()).unwrap();
    HmacSha256.is_signed(&SecretString::from(key), &state.signed(), state.mac())
}

impl Microsoft {
    fn subscriptions(&self) -> Vec<SubscriptionView> {
        self.fake.admin.subscriptions(Some(ADA))
    }

    /// The same stack under other settings.
    fn with(&self, change: impl FnOnce(&mut MicrosoftSettings)) -> Outlook {
        let mut settings = self.settings.clone();
        change(&mut settings);
        Outlook::new(https::client().unwrap(), settings)
    }

    /// Calls of subscriptions since, by the fake's names of them.
    fn subscribing(&self, from: usize) -> Vec<String> {
        let calls = self.fake.admin.calls(None).into_iter().skip(from);
        calls.map(|call| call.name).filter(|name| name.starts_with("subscriptions.")).collect()
    }
}

#[tokio::test]
async fn a_watch_is_a_subscription_that_names_its_mailbox() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let paused = NotificationMode { paused: true, ..NotificationMode::default() };
    microsoft.fake.admin.set_notifications(paused);
    let request = WatchRequest { mailbox: &mailbox(), current: None };
    let watching = microsoft.outlook.watch(&grant.access_token, &request).await.unwrap();
    let life = watching.expires.millis() - super::now().millis();
    assert!((6 * 24 * 3600 * 1000..7 * 24 * 3600 * 1000).contains(&life), "{life} ms");
    let made = &microsoft.subscriptions()[0];
    assert_eq!(Some(&made.id), watching.id.as_deref().map(id).as_ref());
    assert!(made.immutable_ids && made.lifecycle_notification_url.is_some());
    let state = ClientState::parse(made.client_state.as_deref().unwrap()).unwrap();
    assert_eq!(state.mailbox(), &mailbox());
    assert!(is_signed_under(KEY, made) && !is_signed_under("another", made));
    microsoft.deliver(NewMessage::of("Hello"));
    let pulled = microsoft.fake.admin.pull_notifications();
    assert!(!pulled.is_empty());
    let body = serde_json::to_value(&pulled).unwrap();
    let posts: Vec<String> = body.as_array().unwrap().iter().map(|one| one.to_string()).collect();
    assert!(!format!("{posts:?}").contains(ADA), "no address is told");
    microsoft.end();
}

#[tokio::test]
async fn a_watch_is_renewed_and_made_anew_where_it_is_gone() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let mailbox = mailbox();
    let watch = async |current: Option<&str>| {
        let request = WatchRequest { mailbox: &mailbox, current };
        microsoft.outlook.watch(&grant.access_token, &request).await.unwrap().id.unwrap()
    };
    let first = watch(None).await;
    assert_eq!(watch(Some(&first)).await, first);
    assert_eq!(microsoft.calls("subscriptions.create"), 1);
    microsoft.fake.admin.remove_subscription(&id(&first), false).unwrap();
    let second = watch(Some(&first)).await;
    assert_ne!(second, first);
    // An id that was lost: its subscription is deleted when the next one is made.
    let third = watch(None).await;
    let left: Vec<String> = microsoft.subscriptions().into_iter().map(|one| one.id).collect();
    assert_eq!(left, [id(&third)]);
    for _ in 0..2 {
        microsoft.outlook.stop(&grant.access_token, Some(&third)).await.unwrap();
    }
    microsoft.outlook.stop(&grant.access_token, None).await.unwrap();
    assert!(microsoft.subscriptions().is_empty());
    microsoft.end();
}

/// A renewal changes neither of the two, so that the old ones would go on until they end.
#[tokio::test]
async fn another_key_or_url_makes_the_watch_anew_before_the_old_one_ends() {
    const NEW_KEY: &str = "fedcba9876543210fedcba9876543210";
    for same_subscription_conflicts in [false, true] {
        let microsoft = Microsoft::start().await;
        microsoft
            .fake
            .admin
            .set_shapes(Shapes { same_subscription_conflicts, ..Shapes::default() });
        let (grant, mailbox) = (microsoft.grant().await, mailbox());
        let watch = async |outlook: &Outlook, current: Option<&str>| {
            let request = WatchRequest { mailbox: &mailbox, current };
            outlook.watch(&grant.access_token, &request).await.unwrap().id.unwrap()
        };
        let first = watch(&microsoft.outlook, None).await;
        let rotated =
            microsoft.with(|settings| settings.notification_keys.insert(0, NEW_KEY.into()));
        let elsewhere = handshakes().await;
        let moved = microsoft.with(|settings| {
            settings.notification_keys = vec![NEW_KEY.into()];
            settings.notification_url = elsewhere.clone();
        });
        let replaced: &[&str] = match same_subscription_conflicts {
            false => &["create", "list", "delete"],
            true => &["create", "list", "delete", "create"],
        };
        let mut current = first;
        for (settings, url) in
            [(&rotated, &microsoft.settings.notification_url), (&moved, &elsewhere)]
        {
            let before = microsoft.fake.admin.calls(None).len();
            let next = watch(settings, Some(&current)).await;
            assert_ne!(id(&next), id(&current));
            let mut calls = microsoft.subscribing(before);
            // The first two are on their way at once.
            calls[..2].sort_unstable();
            assert_eq!(
                calls,
                replaced.iter().map(|name| format!("subscriptions.{name}")).collect::<Vec<_>>()
            );
            let [made] = &microsoft.subscriptions()[..] else { panic!("one is left") };
            assert_eq!((&made.id, &made.notification_url), (&id(&next), url));
            assert!(is_signed_under(NEW_KEY, made) && !is_signed_under(KEY, made));
            assert_eq!(watch(settings, Some(&next)).await, next, "it is renewed from now on");
            current = next;
        }
        // One that was stored before there were fingerprints.
        let next = watch(&moved, Some(&id(&current))).await;
        assert_ne!(id(&next), id(&current));
        assert_eq!(microsoft.subscriptions().len(), 1);
        microsoft.end();
    }
}

/// The deletion fails: the old one goes on until it ends, and the new one is kept.
#[tokio::test]
async fn an_old_watch_that_cannot_be_ended_does_not_stand_in_the_way() {
    let microsoft = Microsoft::start().await;
    let (grant, mailbox) = (microsoft.grant().await, mailbox());
    let watch = async |outlook: &Outlook, current: Option<&str>| {
        let request = WatchRequest { mailbox: &mailbox, current };
        outlook.watch(&grant.access_token, &request).await.unwrap().id.unwrap()
    };
    let first = watch(&microsoft.outlook, None).await;
    let elsewhere = handshakes().await;
    let moved = microsoft.with(|settings| settings.notification_url = elsewhere);
    microsoft.fail("subscriptions.delete", 3, 503);
    let second = watch(&moved, Some(&first)).await;
    let both: Vec<String> = microsoft.subscriptions().into_iter().map(|one| one.id).collect();
    assert_eq!(both, [id(&first), id(&second)]);
    assert_eq!(watch(&moved, Some(&second)).await, second);
    microsoft.end();
}
