//! DynamoDB: one table, strongly consistent reads, conditional writes. The store itself is in `store.rs`.

mod change;
mod keys;
mod rows;
mod store;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TransactWriteItem};
use futures_util::future::try_join_all;

use self::change::Change;
use self::keys::{Item, Key};
use self::rows::text;
use crate::ports::StoreError;

/// DynamoDB's bound on one BatchGetItem.
const MOST_KEYS: usize = 100;

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
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes())).consistent_read(true);
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

    /// The rows that are there, in any order; only the named attributes, if any are named.
    async fn get_all(&self, keys: Vec<Key>, only: Option<&str>) -> Result<Vec<Item>, StoreError> {
        let batches = keys.chunks(MOST_KEYS).map(|keys| self.get_batch(keys, only));
        Ok(try_join_all(batches).await?.into_iter().flatten().collect())
    }

    async fn get_batch(&self, keys: &[Key], only: Option<&str>) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        let mut asked = keys.iter().map(Key::attributes).collect::<Vec<_>>();
        // DynamoDB answers what fits and names the rest; a throttled table may need several rounds.
        for _ in 0..10 {
            let wanted =
                KeysAndAttributes::builder().set_keys(Some(asked)).consistent_read(true).set_projection_expression(only.map(String::from));
            let wanted = wanted.build().map_err(|error| StoreError::Unavailable(error.into()))?;
            let answer = self.client.batch_get_item().request_items(&self.table, wanted).send().await.map_err(unavailable)?;
            found.extend(answer.responses.into_iter().flat_map(HashMap::into_values).flatten());
            match answer.unprocessed_keys.unwrap_or_default().remove(&self.table) {
                Some(rest) => asked = rest.keys,
                None => return Ok(found),
            }
        }
        Err(StoreError::Unavailable("BatchGetItem leaves keys unprocessed".into()))
    }

    async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<(), StoreError> {
        self.client.transact_write_items().set_transact_items(Some(writes)).send().await.map_err(transaction_error)?;
        Ok(())
    }

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
        match request.send().await {
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Err(StoreError::Conflict),
            answer => answer.map(|_| ()).map_err(unavailable),
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

/// A transaction fails for a condition or because another one holds a row: either way somebody was first.
fn transaction_error<R>(error: SdkError<TransactWriteItemsError, R>) -> StoreError
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let lost_race = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled
            .cancellation_reasons()
            .iter()
            .any(|reason| matches!(reason.code(), Some("ConditionalCheckFailed" | "TransactionConflict"))),
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => true,
        _ => false,
    };
    if lost_race { StoreError::Conflict } else { unavailable(error) }
}
