//! The watch of a mailbox: a subscription to changes of its messages
//! (<https://learn.microsoft.com/en-us/graph/api/resources/subscription>).

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::Calling;
use super::client::{Repeat, parse};
use super::client_state::{fingerprint, sign};
use super::errors::Failure;
use super::wire::{Page, Subscription};
use crate::adapters::system::System;
use crate::domain::mailbox_key::MailboxKey;
use crate::domain::provider::outlook::search::moment;
use crate::domain::timestamp::Timestamp;
use crate::domain::watch::Watching;
use crate::ports::{Clock, ProviderError};

/// Of a subscription to mail, less a few minutes for clocks that differ
/// (<https://learn.microsoft.com/en-us/graph/change-notifications-overview#subscription-lifetime>).
const LIFE: Duration = Duration::from_secs((10_080 - 20) * 60);
const RESOURCE: &str = "me/messages";
/// Creating one waits for our answer to its handshakes, of two URLs.
const LONGEST_CREATION: Duration = Duration::from_secs(25);
/// Deleted after one creation; there should be none.
const MOST_ORPHANS: usize = 20;

impl Calling<'_> {
    /// Renews the current subscription, or makes one where there is none any more.
    ///
    /// A renewal changes neither `clientState` nor the URL. So one that was made under other settings
    /// is replaced, and the new one is made before the old one is deleted: there is no moment without
    /// one, and what both tell of is one mailbox, looked at twice.
    pub async fn subscribed(
        &self,
        mailbox: &MailboxKey,
        current: Option<&str>,
    ) -> Result<Watching, ProviderError> {
        let wanted = self.wanted(mailbox)?;
        let current = current.map(Stored::parse);
        if let Some(stored) = &current
            && stored.made_under == Some(wanted.made_under.as_str())
        {
            match self.renewed(stored.id, &wanted).await {
                Err(failure) if failure.is_missing() => {
                    let id = stored.id;
                    tracing::info!(subscription = id, "a subscription is gone; a new one is made");
                }
                renewed => return renewed.map_err(Failure::of_api),
            }
        }
        let old = current.map(|stored| stored.id);
        // What was there before is listed while the new one is made, which waits for our handshake.
        let (made, found) = tokio::join!(self.created(&wanted), self.listed_here());
        match made {
            // By Graph's documents one app has one subscription of a kind; in fact it may have more.
            Err(failure) if failure.effective_status() == Some(409) => {
                self.delete_others(old, None, found).await;
                self.created(&wanted).await.map_err(Failure::of_api)
            }
            made => {
                let made = made.map_err(Failure::of_api)?;
                let own = made.id.as_deref().map(|id| Stored::parse(id).id);
                self.delete_others(old, own, found).await;
                Ok(made)
            }
        }
    }

    async fn renewed(&self, id: &str, wanted: &Wanted) -> Result<Watching, Failure> {
        let body = json!({"expirationDateTime": expiry()});
        let call = self.call(Method::PATCH, &["subscriptions", id])?.json(&body);
        watching(&self.send(call, Repeat::Safely).await?.body, wanted)
    }

    fn wanted(&self, mailbox: &MailboxKey) -> Result<Wanted, ProviderError> {
        let settings = &self.outlook.settings;
        let url = settings.notification_url.as_str();
        let key = settings.notification_keys.first();
        let signed = key.and_then(|key| Some((sign(key, mailbox)?, fingerprint(key, url))));
        let (client_state, made_under) = signed.ok_or_else(|| {
            ProviderError::unavailable(
                "MicrosoftNotificationKey is not set, so nothing can be signed",
            )
        })?;
        if url.is_empty() {
            return Err(ProviderError::unavailable("GraphNotificationUrl is not set"));
        }
        Ok(Wanted { client_state, made_under })
    }

    /// A second one of the same kind does no harm: it is an orphan that is deleted.
    async fn created(&self, wanted: &Wanted) -> Result<Watching, Failure> {
        let url = &self.outlook.settings.notification_url;
        let body = json!({
            "changeType": "created,updated",
            "notificationUrl": url,
            "lifecycleNotificationUrl": url,
            "resource": RESOURCE,
            "expirationDateTime": expiry(),
            "clientState": wanted.client_state,
        });
        let call = self.call(Method::POST, &["subscriptions"])?.json(&body);
        let answered = self.send(call.lasting(LONGEST_CREATION), Repeat::Safely).await?;
        watching(&answered.body, wanted)
    }

    /// Deletes the one that was replaced, and others of this mailbox to our URL, whose ids were lost.
    /// A failure is only logged: they end by themselves.
    async fn delete_others(
        &self,
        replaced: Option<&str>,
        own: Option<&str>,
        found: Result<Vec<Subscription>, Failure>,
    ) {
        let found = found.unwrap_or_else(|failure| {
            tracing::info!(%failure, "the subscriptions of a mailbox could not be listed");
            Vec::new()
        });
        let known = [replaced, own].map(|id| id.map(String::from));
        let lost =
            found.into_iter().map(|one| one.id).filter(|id| !known.contains(&Some(id.clone())));
        for id in known[0].iter().cloned().chain(lost).take(MOST_ORPHANS) {
            if let Err(failure) = self.unsubscribed(&id).await {
                tracing::info!(%failure, "another subscription could not be deleted");
            }
        }
    }

    /// The subscriptions of this mailbox to our URL.
    async fn listed_here(&self) -> Result<Vec<Subscription>, Failure> {
        let page: Page = self.get(&["subscriptions"], &[]).await?;
        let mut all: Vec<Subscription> = page.items()?;
        let url = &self.outlook.settings.notification_url;
        let is_messages = |one: &Subscription| {
            one.resource.trim_start_matches('/').eq_ignore_ascii_case(RESOURCE)
        };
        all.retain(|one| one.notification_url == *url && is_messages(one));
        Ok(all)
    }

    /// Ends the one that is stored so. One that is gone is as good as deleted.
    pub async fn unsubscribed(&self, stored: &str) -> Result<(), Failure> {
        let id = Stored::parse(stored).id;
        let call = self.call(Method::DELETE, &["subscriptions", id])?;
        match self.send(call, Repeat::Safely).await {
            Err(failure) if failure.is_missing() => Ok(()),
            answered => answered.map(drop),
        }
    }
}

fn expiry() -> String {
    moment(System.now().after(LIFE))
}

/// What a subscription of these settings has.
struct Wanted {
    client_state: String,
    /// The fingerprint of the key and the URL.
    made_under: String,
}

/// What is kept of a subscription: its id and, of all but the oldest, under which settings it was
/// made, as `<id>.<fingerprint>`.
struct Stored<'a> {
    id: &'a str,
    made_under: Option<&'a str>,
}

impl<'a> Stored<'a> {
    fn parse(text: &'a str) -> Self {
        match text.split_once('.') {
            Some((id, made_under)) => Self { id, made_under: Some(made_under) },
            None => Self { id: text, made_under: None },
        }
    }
}

fn watching(body: &[u8], wanted: &Wanted) -> Result<Watching, Failure> {
    let answer: Subscription = parse(body)?;
    let expires = Timestamp::parse(&answer.expiration_date_time)
        .ok_or_else(|| Failure::no_answer("a subscription without expirationDateTime"))?;
    Ok(Watching { id: Some(format!("{}.{}", answer.id, wanted.made_under)), expires })
}
