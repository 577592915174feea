//! The store on DynamoDB keeps the contract that the store in memory keeps.

use email_connectors::adapters::dynamodb::DynamoStore;

use crate::aws;

#[tokio::test]
async fn the_store_on_dynamodb_keeps_its_contract() {
    let config = aws::config().await;
    let store = DynamoStore::new(&config, aws::table(&config).await);
    tests::contract::store_contract(&store, "dynamodb").await;
}
