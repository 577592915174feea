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
use crate::domain::watch::{Ending, Watching};
use crate::ports::{Clock, ProviderError};

/// Of a subscription to mail, less a few minutes for clocks that differ
/// (<https://learn.microsoft.com/en-us/graph/change-notifications-overview#subscription-lifetime>).
const LIFE: Duration = Duration::from_secs((10_080 - 20) * 60);
const RESOURCE: &str = "me/messages";
/// Creating one waits for our answer to its handshakes, of two URLs.
const LONGEST_CREATION: Duration = Duration::from_secs(25);
/// There should be one or two. The rest is deleted when it is tried again.
const MOST_AT_ONCE: usize = 20;

impl Calling<'_> {
    /// Renews the current subscription, or makes one where there is none any more.
    ///
    /// A renewal changes neither `clientState` nor the URL. So one that was made under other settings
    /// is replaced, and the new one is made before the old one is deleted: there is no moment without
    /// one, and what both tell of is one mailbox, looked at twice.
    ///
    /// Others of this mailbox to our URL are needless: their ids were lost, or another owner's
    /// connector of the mailbox has them and finds all of its mail through the new one. Of two that
    /// are made at once neither may end the other, or none would be left: only what ends earlier is
    /// needless.
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
        // What was there before is listed while the new one is made, which waits for our handshake.
        let (made, found) = tokio::join!(self.created(&wanted), self.listed_here());
        let made = match made {
            // By Graph's documents one app has one subscription of a kind; in fact it may have more.
            Err(failure) if failure.effective_status() == Some(409) => {
                return Err(ProviderError::WatchTaken);
            }
            made => made.map_err(Failure::of_api)?,
        };
        let found = found.unwrap_or_else(|failure| {
            tracing::info!(%failure, "the subscriptions of a mailbox could not be listed");
            Vec::new()
        });
        let replaced = current.map(|stored| stored.id);
        let earlier = found
            .iter()
            .filter(|one| one.ends_before(&made))
            .map(|one| one.id.as_str())
            .filter(|id| Some(*id) != replaced);
        let needless = replaced.into_iter().chain(earlier).map(String::from).collect();
        watching(made, &wanted, needless).map_err(Failure::of_api)
    }

    async fn renewed(&self, id: &str, wanted: &Wanted) -> Result<Watching, Failure> {
        let body = json!({"expirationDateTime": expiry()});
        let call = self.call(Method::PATCH, &["subscriptions", id])?.json(&body);
        let answered = self.send(call, Repeat::Safely).await?;
        watching(parse(&answered.body)?, wanted, Vec::new())
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

    /// A second one of the same kind does no harm: it is needless once the next one is made.
    async fn created(&self, wanted: &Wanted) -> Result<Subscription, Failure> {
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
        parse(&self.send(call.lasting(LONGEST_CREATION), Repeat::Safely).await?.body)
    }

    /// Ends those that are asked for. The recorded one is deleted while the others are listed: its
    /// URL may be an earlier one of ours. An error if any may be left.
    pub async fn ended(&self, ending: Ending<'_>) -> Result<(), Failure> {
        match ending {
            Ending::These(stored) => {
                self.deleted(stored.iter().map(|one| Stored::parse(one).id.into()).collect()).await
            }
            Ending::All { known } => {
                let known: Vec<String> =
                    known.map(|one| Stored::parse(one).id.into()).into_iter().collect();
                let (ended, found) = tokio::join!(self.deleted(known.clone()), self.listed_here());
                let lost = found?.into_iter().map(|one| one.id).filter(|id| !known.contains(id));
                let rest = self.deleted(lost.collect()).await;
                ended.and(rest)
            }
        }
    }

    /// The subscriptions of this mailbox to our URL, on one page: there are few.
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

    /// One that is gone is as good as deleted. The first failure is returned when all were tried.
    async fn deleted(&self, ids: Vec<String>) -> Result<(), Failure> {
        let mut outcome = match ids.len() > MOST_AT_ONCE {
            true => Err(Failure::no_answer("more subscriptions than are deleted at once")),
            false => Ok(()),
        };
        for id in ids.into_iter().take(MOST_AT_ONCE) {
            let call = self.call(Method::DELETE, &["subscriptions", &id])?;
            match self.send(call, Repeat::Safely).await {
                Err(failure) if !failure.is_missing() => outcome = outcome.and(Err(failure)),
                _ => {}
            }
        }
        outcome
    }
}

fn expiry() -> String {
    moment(System.now().after(LIFE))
}

impl Subscription {
    /// Of two that end in the same second one is taken to end before the other by everybody.
    fn ends_before(&self, other: &Self) -> bool {
        let order = |one: &Self| (Timestamp::parse(&one.expiration_date_time), one.id.clone());
        order(self) < order(other)
    }
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

fn watching(
    made: Subscription,
    wanted: &Wanted,
    needless: Vec<String>,
) -> Result<Watching, Failure> {
    let expires = Timestamp::parse(&made.expiration_date_time)
        .ok_or_else(|| Failure::no_answer("a subscription without expirationDateTime"))?;
    Ok(Watching { id: Some(format!("{}.{}", made.id, wanted.made_under)), expires, needless })
}
