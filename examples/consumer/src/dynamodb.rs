//! Claims in a DynamoDB table of their own: one row for each event, with a lease, and a time to
//! live.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType,
};
use uuid::Uuid;

use crate::claims::{Cause, Claim, Claims, Lease, Unavailable};

/// As long as an event is remembered by what publishes it. A replay of an archive that reaches
/// further back is handled anew.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

pub struct DynamoClaims {
    client: Client,
    table: String,
}

impl DynamoClaims {
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        Self { client: Client::new(config), table: table.into() }
    }

    /// Makes the table unless it is there. In an account of yours the template does, with the time
    /// to live.
    pub async fn make_table(&self) -> Result<(), Unavailable> {
        let key = AttributeDefinition::builder()
            .attribute_name("event_id")
            .attribute_type(ScalarAttributeType::S)
            .build();
        let hash =
            KeySchemaElement::builder().attribute_name("event_id").key_type(KeyType::Hash).build();
        let request = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest);
        let request = request
            .attribute_definitions(key.map_err(unavailable)?)
            .key_schema(hash.map_err(unavailable)?);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateTableError::is_resource_in_use_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(unavailable(error)),
        }
    }
}

impl Claims for DynamoClaims {
    async fn claim(
        &self,
        event_id: &str,
        lease: Duration,
        now: SystemTime,
    ) -> Result<Claim, Unavailable> {
        let claimed = Lease { event_id: event_id.into(), token: token() };
        let unclaimed = "attribute_not_exists(event_id)";
        let abandoned = "(attribute_exists(lease_ends_at) AND lease_ends_at <= :now)";
        let request = self.client.put_item().table_name(&self.table);
        let request = request.item("event_id", text(event_id)).item("token", text(&claimed.token));
        let request = request.item("lease_ends_at", number(since_epoch(now + lease).as_millis()));
        let request = request.item("expires_at", number(since_epoch(now + KEPT).as_secs()));
        let request = request.condition_expression(format!("{unclaimed} OR {abandoned}"));
        let request =
            request.expression_attribute_values(":now", number(since_epoch(now).as_millis()));
        let request = request
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(Claim::Ours(claimed)),
            Err(error) => {
                existing_row(&error).map(|row| claim_of(&row)).ok_or_else(|| unavailable(error))
            }
        }
    }

    async fn done(&self, lease: &Lease, now: SystemTime) -> Result<bool, Unavailable> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("event_id", text(&lease.event_id));
        // A row without an end of its lease is done.
        let request = request.update_expression(
            "SET done_at = :done_at, expires_at = :expires_at REMOVE lease_ends_at, #token",
        );
        let request = request
            .condition_expression("#token = :token")
            .expression_attribute_names("#token", "token");
        let request = request.expression_attribute_values(":token", text(&lease.token));
        let request =
            request.expression_attribute_values(":done_at", number(since_epoch(now).as_millis()));
        let request = request
            .expression_attribute_values(":expires_at", number(since_epoch(now + KEPT).as_secs()));
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn release(&self, lease: &Lease) -> Result<(), Unavailable> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("event_id", text(&lease.event_id));
        let request = request
            .condition_expression("#token = :token")
            .expression_attribute_names("#token", "token");
        match request.expression_attribute_values(":token", text(&lease.token)).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(unavailable(error)),
        }
    }
}

type Row = HashMap<String, AttributeValue>;

/// The row that exists already, if that is why the claim failed.
fn existing_row<R>(error: &SdkError<PutItemError, R>) -> Option<Row> {
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(failed)) => {
            Some(failed.item.clone().unwrap_or_default())
        }
        _ => None,
    }
}

/// A row that DynamoDB does not return counts as another's claim: the message comes again, and
/// nothing is lost.
fn claim_of(row: &Row) -> Claim {
    if row.contains_key("done_at") { Claim::Done } else { Claim::InHand }
}

#[expect(
    clippy::disallowed_methods,
    reason = "that no other claim has the token is this adapter's own promise"
)]
fn token() -> String {
    Uuid::now_v7().simple().to_string()
}

fn since_epoch(moment: SystemTime) -> Duration {
    moment.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn unavailable(cause: impl Into<Cause>) -> Unavailable {
    Unavailable(cause.into())
}
