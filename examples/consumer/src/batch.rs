//! A batch of messages, as SQS hands it to a Lambda function, and back as a partial batch response.

use std::time::SystemTime;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;

use crate::claims::Claims;
use crate::consume::{Consumer, Handler, causes};

/// Only what failed is delivered again.
pub async fn handle<C: Claims, H: Handler>(
    consumer: &Consumer<C, H>,
    batch: SqsEvent,
    now: SystemTime,
) -> SqsBatchResponse {
    let taken = batch.records.into_iter().map(|message| take(consumer, message, now));
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = join_all(taken).await.into_iter().flatten().collect();
    response
}

async fn take<C: Claims, H: Handler>(
    consumer: &Consumer<C, H>,
    message: SqsMessage,
    now: SystemTime,
) -> Option<BatchItemFailure> {
    let error = consumer.consume(message.body.as_deref().unwrap_or_default(), now).await.err()?;
    let mut failure = BatchItemFailure::default();
    // Without an id, SQS delivers the whole batch again: late, but nothing is lost.
    failure.item_identifier = message.message_id.unwrap_or_default();
    tracing::warn!(
        message_id = failure.item_identifier,
        error = causes(&error),
        "the message will come again"
    );
    Some(failure)
}
