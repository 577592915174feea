//! The world's own store keeps the contract that DynamoDB is held to.

use tests::contract::store_contract;
use tests::world::World;

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    store_contract(&World::new().store(), "memory").await;
}
