//! The watch of a mailbox: made, renewed, made anew, ended.

use email_connectors::adapters::hmac::HmacSha256;
use email_connectors::adapters::https;
use email_connectors::adapters::outlook::Outlook;
use email_connectors::config::MicrosoftSettings;
use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::domain::provider::outlook::client_state::ClientState;
use email_connectors::domain::watch::{Ending, Watching};
use email_connectors::ports::{EmailProvider, Grant, ProviderError, Signatures, WatchRequest};
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

    fn ids(&self) -> Vec<String> {
        self.subscriptions().into_iter().map(|one| one.id).collect()
    }

    async fn watch(&self, grant: &Grant, current: Option<&str>) -> Watching {
        let request = WatchRequest { mailbox: &mailbox(), current };
        self.outlook.watch(&grant.access_token, &request).await.unwrap()
    }

    async fn stop(&self, grant: &Grant, ending: Ending<'_>) {
        self.outlook.stop(&grant.access_token, ending).await.unwrap();
    }

    /// The same stack under other settings.
    fn with(&self, change: impl FnOnce(&mut MicrosoftSettings)) -> Outlook {
        let mut settings = self.settings.clone();
        change(&mut settings);
        Outlook::new(https::client().unwrap(), settings)
    }

    /// Calls of subscriptions since, by the fake's names of them, in the alphabet's order.
    fn subscribing(&self, from: usize) -> Vec<String> {
        let calls = self.fake.admin.calls(None).into_iter().skip(from);
        let mut names: Vec<String> = calls.map(|call| call.name).collect();
        names.retain(|name| name.starts_with("subscriptions."));
        names.sort_unstable();
        names
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
    let watch = async |current: Option<&str>| microsoft.watch(&grant, current).await.id.unwrap();
    let first = watch(None).await;
    assert_eq!(watch(Some(&first)).await, first);
    assert_eq!(microsoft.calls("subscriptions.create"), 1);
    microsoft.fake.admin.remove_subscription(&id(&first), false).unwrap();
    let second = watch(Some(&first)).await;
    assert_ne!(second, first);
    // An id that was lost: its subscription is needless when the next one is made.
    microsoft.fake.admin.shorten_subscription(&id(&second), 60).unwrap();
    let third = microsoft.watch(&grant, None).await;
    assert_eq!(third.needless, [id(&second)]);
    assert_eq!(microsoft.subscriptions().len(), 2, "the recorded one may still be the other");
    for _ in 0..2 {
        microsoft.stop(&grant, Ending::These(&third.needless)).await;
    }
    let third = third.id.unwrap();
    assert_eq!(microsoft.ids(), [id(&third)]);
    microsoft.stop(&grant, Ending::These(&[third])).await;
    assert!(microsoft.subscriptions().is_empty());
    microsoft.end();
}

/// Two that are made at once may each see the other, and one of them must be left.
#[tokio::test]
async fn a_watch_that_ends_later_is_not_needless() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let first = microsoft.watch(&grant, None).await.id.unwrap();
    let earlier = [(-60, false), (120, true)];
    for (seconds, is_needless) in earlier {
        microsoft.fake.admin.shorten_subscription(&id(&first), seconds).unwrap();
        let next = microsoft.watch(&grant, None).await;
        assert_eq!(next.needless.contains(&id(&first)), is_needless, "ends {seconds} s earlier");
        microsoft.stop(&grant, Ending::These(&[next.id.unwrap()])).await;
    }
    microsoft.end();
}

#[tokio::test]
async fn at_the_end_every_watch_ends_also_what_is_not_known() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let elsewhere = handshakes().await;
    let moved = microsoft.with(|settings| settings.notification_url = elsewhere);
    let request = WatchRequest { mailbox: &mailbox(), current: None };
    let known = moved.watch(&grant.access_token, &request).await.unwrap().id;
    let lost = microsoft.watch(&grant, None).await;
    assert_eq!(lost.needless, Vec::<String>::new(), "the other one is to another URL");
    assert_eq!(microsoft.ids().len(), 2);
    for known in [known.as_deref(), known.as_deref(), None] {
        microsoft.stop(&grant, Ending::All { known }).await;
        assert_eq!(microsoft.ids(), Vec::<String>::new());
    }
    microsoft.end();
}

/// Otherwise a connector would go while its mailbox is still told of.
#[tokio::test]
async fn an_end_that_fails_is_told() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let known = microsoft.watch(&grant, None).await.id;
    for call in ["subscriptions.list", "subscriptions.delete"] {
        microsoft.fail(call, 3, 503);
        let ending = Ending::All { known: known.as_deref() };
        let ended = microsoft.outlook.stop(&grant.access_token, ending).await;
        assert!(matches!(ended, Err(ProviderError::Unavailable { .. })), "{call}: {ended:?}");
        microsoft.watch(&grant, None).await;
    }
    microsoft.end();
}

/// Which calls of subscriptions take the place of one.
fn made_by(same_subscription_conflicts: bool) -> Vec<String> {
    let names: &[&str] = match same_subscription_conflicts {
        false => &["create", "delete", "list"],
        true => &["create", "create", "delete", "delete", "list", "list", "list"],
    };
    names.iter().map(|name| format!("subscriptions.{name}")).collect()
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
        let access = &grant.access_token;
        let watch = async |outlook: &Outlook, current: Option<&str>| {
            let request = WatchRequest { mailbox: &mailbox, current };
            let watching = match outlook.watch(access, &request).await {
                Err(ProviderError::WatchTaken) if same_subscription_conflicts => {
                    outlook.stop(access, Ending::All { known: current }).await.unwrap();
                    outlook.watch(access, &request).await.unwrap()
                }
                made => made.unwrap(),
            };
            let living =
                1 + watching.needless.iter().filter(|_| !same_subscription_conflicts).count();
            assert_eq!(microsoft.ids().len(), living, "the old one goes on until it is not needed");
            outlook.stop(access, Ending::These(&watching.needless)).await.unwrap();
            watching.id.unwrap()
        };
        let first = watch(&microsoft.outlook, None).await;
        let rotated =
            microsoft.with(|settings| settings.notification_keys.insert(0, NEW_KEY.into()));
        let elsewhere = handshakes().await;
        let moved = microsoft.with(|settings| {
            settings.notification_keys = vec![NEW_KEY.into()];
            settings.notification_url = elsewhere.clone();
        });
        let mut current = first;
        for (settings, url) in
            [(&rotated, &microsoft.settings.notification_url), (&moved, &elsewhere)]
        {
            let before = microsoft.fake.admin.calls(None).len();
            let next = watch(settings, Some(&current)).await;
            assert_ne!(id(&next), id(&current));
            assert_eq!(microsoft.subscribing(before), made_by(same_subscription_conflicts));
            let [made] = &microsoft.subscriptions()[..] else { panic!("one is left") };
            assert_eq!((&made.id, &made.notification_url), (&id(&next), url));
            assert!(is_signed_under(NEW_KEY, made) && !is_signed_under(KEY, made));
            assert_eq!(watch(settings, Some(&next)).await, next, "it is renewed from now on");
            current = next;
        }
        // One that was stored before there were fingerprints.
        let next = watch(&moved, Some(&id(&current))).await;
        assert_ne!(id(&next), id(&current));
        assert_eq!(microsoft.ids(), [id(&next)]);
        microsoft.end();
    }
}
