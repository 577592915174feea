//! The list of changes by time, and messages by their arrival.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;

use super::client::{Answered, Call, Repeat, parse};
use super::errors::{Failure, Fault};
use super::wire::{Message, Page, fields};
use super::{Calling, LONGEST_ANSWER};
use crate::domain::gap::Slice;
use crate::domain::id::MessageId;
use crate::domain::provider::outlook::paging::{Listed, Next, PageToken};
use crate::domain::provider::outlook::received::Folders;
use crate::domain::provider::outlook::search::moment;
use crate::domain::timestamp::Timestamp;
use crate::ports::{MessagePage, ProviderError};

/// Messages of a page; where their answer is too large, fewer.
const PAGE_SIZES: [u32; 4] = [100, 25, 5, 1];
/// A page of messages with all their headers takes Graph a while.
const LONGEST_LISTING: Duration = Duration::from_secs(20);
const ARRIVAL_FIELDS: &str = "id,parentFolderId,receivedDateTime";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Newest {
    last_modified_date_time: String,
}

/// A page of the list of changes.
pub struct Changed {
    /// In the order of their change.
    pub messages: Vec<Message>,
    pub folders: Folders,
    pub next: Next,
}

impl Calling<'_> {
    /// A page of what changed since a listing that saw everything up to `settled`.
    pub async fn changed(
        &self,
        settled: Timestamp,
        page_token: Option<&str>,
    ) -> Result<Changed, ProviderError> {
        let token = match page_token {
            Some(text) => PageToken::parse(text).ok_or(ProviderError::PageLost)?,
            None => PageToken::first(settled),
        };
        let page = self.page_of(&token).await.map_err(Failure::of_api)?;
        let messages: Vec<Message> = page.items().map_err(Failure::of_api)?;
        let moments = messages.iter().map(Message::modified).collect::<Result<Vec<_>, _>>();
        let moments = moments.map_err(Failure::of_api)?;
        let listed: Vec<Listed<'_>> = messages
            .iter()
            .zip(moments)
            .map(|(message, modified)| Listed {
                id: &message.id,
                change_key: &message.change_key,
                modified,
            })
            .collect();
        let next = token.after(&listed, page.next_link.is_some());
        let next = next.map_err(ProviderError::unavailable)?;
        let folders = self.folders_of(&messages).await.map_err(Failure::of_api)?;
        Ok(Changed { messages, folders, next })
    }

    /// When the mailbox changed last; `None` if it is empty.
    pub async fn newest(&self) -> Result<Option<Timestamp>, Failure> {
        let query = [
            ("$orderby", "lastModifiedDateTime desc"),
            ("$top", "1"),
            ("$select", "lastModifiedDateTime"),
        ];
        let page: Page = self.get(&["me", "messages"], &query).await?;
        let newest: Vec<Newest> = page.items()?;
        Ok(newest.first().and_then(|newest| Timestamp::parse(&newest.last_modified_date_time)))
    }

    /// The largest page that can be read; of a single message that is too large, its fields without
    /// its headers. What the grant allows to read is found out by reading it.
    async fn page_of(&self, token: &PageToken) -> Result<Page, Failure> {
        let filter = format!("lastModifiedDateTime ge {}", moment(token.from));
        for size in PAGE_SIZES {
            let is_basic = self.mailbox.is_basic();
            let mut answered = self.listed(&filter, token.skip(), size, &fields(is_basic)).await;
            let is_refused = answered.as_ref().is_err_and(|failure| failure.status == Some(403));
            if is_refused && !is_basic {
                answered = self.listed(&filter, token.skip(), size, &fields(true)).await;
                if answered.is_ok() {
                    self.mailbox.note_basic();
                }
            }
            match answered {
                Err(failure) if failure.fault == Some(Fault::TooLarge) => {}
                answered => return parse(&answered?.body),
            }
        }
        let answered = self.listed(&filter, token.skip(), 1, &fields(true)).await?;
        parse(&answered.body)
    }

    async fn listed(
        &self,
        filter: &str,
        skip: u32,
        size: u32,
        fields: &str,
    ) -> Result<Answered, Failure> {
        let (skip, size) = (skip.to_string(), size.to_string());
        let mut query = vec![
            ("$filter", filter),
            ("$orderby", "lastModifiedDateTime"),
            ("$top", &size),
            ("$select", fields),
        ];
        if skip != "0" {
            query.push(("$skip", &skip));
        }
        let url = self.outlook.client.url(&["me", "messages"], &query)?;
        let call = Call::new(Method::GET, url).within(LONGEST_ANSWER).lasting(LONGEST_LISTING);
        self.send(call, Repeat::Safely).await
    }

    /// A page of the messages that arrived in a slice of time, without spam and trash.
    pub async fn arrived(
        &self,
        slice: &Slice,
        page_token: Option<&str>,
    ) -> Result<MessagePage, ProviderError> {
        let skip: u32 =
            page_token.map_or(Ok(0), str::parse).map_err(|_| ProviderError::PageLost)?;
        let mut filter = format!("receivedDateTime ge {}", moment(slice.after));
        if let Some(before) = slice.before {
            // In whole seconds, and the last one too.
            let until = Timestamp::from_seconds(before.seconds().saturating_add(1));
            filter = format!("{filter} and receivedDateTime lt {}", moment(until));
        }
        let (top, text) = (PAGE_SIZES[0].to_string(), skip.to_string());
        let mut query = vec![
            ("$filter", filter.as_str()),
            ("$orderby", "receivedDateTime"),
            ("$top", &top),
            ("$select", ARRIVAL_FIELDS),
        ];
        if skip > 0 {
            query.push(("$skip", &text));
        }
        let page: Page = self.get(&["me", "messages"], &query).await.map_err(Failure::of_api)?;
        let messages: Vec<Message> = page.items().map_err(Failure::of_api)?;
        let folders = self.folders_of(&messages).await.map_err(Failure::of_api)?;
        let length = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        let is_received = |message: &Message| {
            folders.place(&message.parent_folder_id).is_received().unwrap_or(true)
        };
        Ok(MessagePage {
            next_page_token: page
                .next_link
                .filter(|_| length > 0)
                .map(|_| skip.saturating_add(length).to_string()),
            messages: messages
                .into_iter()
                .filter(is_received)
                .map(|message| MessageId::new(message.id))
                .collect(),
        })
    }
}
