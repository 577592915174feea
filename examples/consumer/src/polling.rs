//! The queue without Lambda: receive, consume, delete what is done, again and again.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use futures_util::future::join_all;

use crate::claims::{Cause, Claims};
use crate::consume::{Consumed, Consumer, Handler, causes};

/// The longest that SQS lets a request wait, which is also the cheapest.
const WAIT_SECONDS: i32 = 20;
const MOST_AT_ONCE: usize = 10;

pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    pub fn new(config: &SdkConfig, url: impl Into<String>) -> Self {
        Self { client: Client::new(config), url: url.into() }
    }

    /// Waits for messages, `most` of them at most; after a while there may be none.
    pub async fn receive(&self, most: usize) -> Result<Vec<Message>, Cause> {
        let most = i32::try_from(most.clamp(1, MOST_AT_ONCE))?;
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .wait_time_seconds(WAIT_SECONDS)
            .max_number_of_messages(most);
        Ok(request.send().await?.messages.unwrap_or_default())
    }

    /// Answers how many were handled. What was not will come again.
    pub async fn consume<C: Claims, H: Handler>(
        &self,
        consumer: &Consumer<C, H>,
        messages: &[Message],
    ) -> usize {
        let now = now();
        let taken =
            join_all(messages.iter().map(|message| self.take(consumer, message, now))).await;
        taken.into_iter().flatten().filter(|consumed| *consumed == Consumed::Handled).count()
    }

    async fn take<C: Claims, H: Handler>(
        &self,
        consumer: &Consumer<C, H>,
        message: &Message,
        now: SystemTime,
    ) -> Option<Consumed> {
        let consumed = match consumer.consume(message.body().unwrap_or_default(), now).await {
            Ok(consumed) => consumed,
            Err(error) => {
                tracing::warn!(
                    message_id = message.message_id(),
                    error = causes(&error),
                    "the message will come again"
                );
                return None;
            }
        };
        let request = self
            .client
            .delete_message()
            .queue_url(&self.url)
            .set_receipt_handle(message.receipt_handle.clone());
        if let Err(error) = request.send().await {
            tracing::warn!(
                message_id = message.message_id(),
                error = causes(&error),
                "not deleted; it will come again and be known"
            );
        }
        Some(consumed)
    }
}

#[expect(clippy::disallowed_methods, reason = "the program's one clock")]
pub fn now() -> SystemTime {
    SystemTime::now()
}
