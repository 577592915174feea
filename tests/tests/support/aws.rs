//! The local AWS of these tests, and unique names.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use email_connectors::adapters::aws::SdkConfig;
use email_connectors::adapters::system::System;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{Clock, Entropy};
use serde_yaml_ng::Value;

use tests::template;

pub async fn config() -> SdkConfig {
    let config = email_connectors::adapters::aws::load().await;
    // Longer sweep_times: a busy machine must not look like an AWS outage, which other tests cover.
    let patient = config.timeout_config().cloned().map(|sweep_times| {
        let minute = std::time::Duration::from_secs(60);
        sweep_times
            .into_builder()
            .operation_attempt_timeout(minute)
            .operation_timeout(2 * minute)
            .build()
    });
    let mut config = config.into_builder();
    config.set_timeout_config(patient);
    let config = config.build();
    let local = config.endpoint_url().is_some_and(|url| url.starts_with("http://127.0.0.1"));
    assert!(
        local,
        "AWS_ENDPOINT_URL names no local AWS; run these tests through `make test`, or `tests/local/stack.py with-ministack -- …`"
    );
    config
}

pub fn now() -> Timestamp {
    System.now()
}

pub fn unique(name: &str) -> String {
    format!("{name}-{}", System.uuid(now()).simple())
}

/// A new table with the template's keys and indexes.
pub async fn table(config: &SdkConfig) -> String {
    let template = template::read();
    let properties = &template["Resources"]["ConnectorsTable"]["Properties"];
    let name = unique("table");
    let indexes = properties["GlobalSecondaryIndexes"].as_sequence().unwrap().iter().map(|index| {
        GlobalSecondaryIndex::builder()
            .index_name(text(&index["IndexName"]))
            .set_key_schema(Some(key_schema(&index["KeySchema"])))
            .projection(
                Projection::builder()
                    .projection_type(ProjectionType::from(text(
                        &index["Projection"]["ProjectionType"],
                    )))
                    .build(),
            )
            .build()
            .unwrap()
    });
    let attributes =
        properties["AttributeDefinitions"].as_sequence().unwrap().iter().map(|attribute| {
            AttributeDefinition::builder()
                .attribute_name(text(&attribute["AttributeName"]))
                .attribute_type(ScalarAttributeType::from(text(&attribute["AttributeType"])))
                .build()
                .unwrap()
        });
    let request = aws_sdk_dynamodb::Client::new(config)
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest);
    let request = request
        .set_attribute_definitions(Some(attributes.collect()))
        .set_key_schema(Some(key_schema(&properties["KeySchema"])));
    request.set_global_secondary_indexes(Some(indexes.collect())).send().await.unwrap();
    name
}

fn key_schema(keys: &Value) -> Vec<KeySchemaElement> {
    let element = |key: &Value| {
        let builder = KeySchemaElement::builder().attribute_name(text(&key["AttributeName"]));
        builder.key_type(KeyType::from(text(&key["KeyType"]))).build().unwrap()
    };
    keys.as_sequence().unwrap().iter().map(element).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
