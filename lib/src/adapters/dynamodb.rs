//! DynamoDB: one table, strongly consistent reads, conditional writes. The store itself is in
//! `store.rs`.

mod change;
mod hook_row;
mod indexes;
mod keys;
mod members;
mod requests;
pub mod restore;
mod rows;
pub mod scan;
mod store;
mod writes;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, DeleteRequest, KeysAndAttributes, TransactWriteItem, WriteRequest,
};
use futures_util::future::try_join_all;

use self::change::Change;
use self::keys::{Item, Key};
use self::rows::text;
use crate::ports::StoreError;

/// How often a write that meets another writer's transaction is tried.
const MOST_ATTEMPTS: u32 = 5;
/// DynamoDB's bounds on one BatchGetItem and one BatchWriteItem.
const MOST_KEYS: usize = 100;
const MOST_DELETIONS: usize = 25;
/// How often unprocessed keys are sent again: DynamoDB does what fits, and a throttled table may
/// need several rounds.
const MOST_ROUNDS: u32 = 10;

#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
}

impl DynamoStore {
    pub fn new(config: &aws_config::SdkConfig, table: impl Into<String>) -> Self {
        Self { client: Client::new(config), table: table.into() }
    }

    async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .consistent_read(true);
        Ok(request.send().await.map_err(unavailable)?.item)
    }

    async fn query(&self, pk: String, sk_prefix: &str) -> Result<Vec<Item>, StoreError> {
        let pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":prefix", text(sk_prefix))
            .into_paginator()
            .items()
            .send();
        pages.collect::<Result<Vec<_>, _>>().await.map_err(unavailable)
    }

    /// The existing rows, in any order; only the named attributes, if any are named.
    async fn get_all(&self, keys: Vec<Key>, only: Option<&str>) -> Result<Vec<Item>, StoreError> {
        let batches = keys.chunks(MOST_KEYS).map(|keys| self.get_batch(keys, only));
        Ok(try_join_all(batches).await?.into_iter().flatten().collect())
    }

    async fn get_batch(&self, keys: &[Key], only: Option<&str>) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        let mut pending = keys.iter().map(Key::attributes).collect::<Vec<_>>();
        for _ in 0..MOST_ROUNDS {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(pending))
                .consistent_read(true)
                .set_projection_expression(only.map(String::from));
            let request = request.build().map_err(|error| StoreError::Unavailable(error.into()))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(unavailable)?;
            found.extend(answer.responses.into_iter().flat_map(HashMap::into_values).flatten());
            match answer.unprocessed_keys.unwrap_or_default().remove(&self.table) {
                Some(rest) => pending = rest.keys,
                None => return Ok(found),
            }
        }
        Err(StoreError::Unavailable("BatchGetItem leaves keys unprocessed".into()))
    }

    /// Deletes rows, whether they exist or not.
    async fn delete_all(&self, keys: Vec<Key>) -> Result<(), StoreError> {
        let batches = keys.chunks(MOST_DELETIONS).map(|keys| self.delete_batch(keys));
        try_join_all(batches).await.map(drop)
    }

    async fn delete_batch(&self, keys: &[Key]) -> Result<(), StoreError> {
        let delete = |key: &Key| {
            let delete = DeleteRequest::builder().set_key(Some(key.attributes())).build();
            delete.map(|delete| WriteRequest::builder().delete_request(delete).build())
        };
        let mut pending = keys
            .iter()
            .map(delete)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| StoreError::Unavailable(error.into()))?;
        for _ in 0..MOST_ROUNDS {
            let answer = self
                .client
                .batch_write_item()
                .request_items(&self.table, pending)
                .send()
                .await
                .map_err(unavailable)?;
            match answer.unprocessed_items.unwrap_or_default().remove(&self.table) {
                Some(rest) if !rest.is_empty() => pending = rest,
                _ => return Ok(()),
            }
        }
        Err(StoreError::Unavailable("BatchWriteItem leaves rows undeleted".into()))
    }

    /// Deletes a row and returns it: of several concurrent callers, one gets it. The client repeats
    /// a request whose answer was lost. A `DeleteItem` that returns the row would then find none;
    /// DynamoDB knows a repeated transaction by its token, and answers as it did.
    async fn take(&self, key: Key) -> Result<Option<Item>, StoreError> {
        let Some(item) = self.get(key.clone()).await? else { return Ok(None) };
        match self.transact(vec![Change::of(key).if_exists().into_deletion(&self.table)]).await {
            Ok(()) => Ok(Some(item)),
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A conflict with another transaction is retried; a failed condition is final.
    async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<(), StoreError> {
        let mut attempt = 1;
        loop {
            let request =
                self.client.transact_write_items().set_transact_items(Some(writes.clone()));
            match request.send().await {
                Ok(_) => return Ok(()),
                Err(error) if is_contention(&error) && attempt < MOST_ATTEMPTS => {
                    pause(attempt).await
                }
                Err(error) if lost_race(&error) => return Err(StoreError::Conflict),
                Err(error) => return Err(unavailable(error)),
            }
            attempt += 1;
        }
    }

    /// Costs half of a transaction. The client repeats a request whose answer was lost: this is only
    /// for a change that may happen twice, or whose caller bears a conflict with itself.
    async fn update(&self, change: Change) -> Result<(), StoreError> {
        let update = change.into_update(&self.table);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values);
        let mut attempt = 1;
        loop {
            match request.clone().send().await {
                Ok(_) => return Ok(()),
                Err(error)
                    if error.code() == Some("TransactionConflictException")
                        && attempt < MOST_ATTEMPTS =>
                {
                    pause(attempt).await
                }
                Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
                    return Err(StoreError::Conflict);
                }
                Err(error) => return Err(unavailable(error)),
            }
            attempt += 1;
        }
    }
}

fn unavailable<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    StoreError::Unavailable(error.into())
}

/// What a cancelled transaction was cancelled for.
fn cancelled_for<R>(error: &SdkError<TransactWriteItemsError, R>) -> impl Iterator<Item = &str> {
    let reasons = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons()
        }
        _ => &[],
    };
    reasons.iter().filter_map(|reason| reason.code())
}

/// No condition failed; another transaction is using a row just now.
fn is_contention<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    cancelled_for(error).any(|code| code == "TransactionConflict")
        && !cancelled_for(error).any(|code| code == "ConditionalCheckFailed")
}

fn lost_race<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    cancelled_for(error)
        .any(|code| matches!(code, "ConditionalCheckFailed" | "TransactionConflict"))
}

#[expect(clippy::disallowed_methods, reason = "a transaction of another writer takes milliseconds")]
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(10 << attempt)).await;
}
