//! A mailbox is watched: Gmail knows one watch for each mailbox and client, and another topic's must be stopped first.

use crate::domain::quota::price;
use crate::domain::timestamp::Timestamp;
use crate::flows::access::{AccessError, Session};
use crate::ports::{EmailProvider, ProviderError, Store, Vault};

/// Watches; answers when the watch ends.
pub async fn watch<S: Store, V: Vault, P: EmailProvider>(
    provider: &P,
    session: &mut Session<'_, S, V, P>,
) -> Result<Timestamp, AccessError> {
    let watch = |access| async move { provider.watch(&access).await };
    match session.call(price::WATCH, watch).await {
        Err(AccessError::Provider(ProviderError::WatchTaken)) => {
            session.call(price::STOP, |access| async move { provider.stop(&access).await }).await?;
            session.call(price::WATCH, watch).await
        }
        answer => answer,
    }
}
