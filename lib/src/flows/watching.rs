//! A mailbox is watched: Gmail knows one watch for each mailbox and client, and another topic's must be stopped first.

use crate::domain::secret::AccessToken;
use crate::domain::timestamp::Timestamp;
use crate::ports::{EmailProvider, ProviderError};

/// Watches; answers when the watch ends.
pub async fn watch(provider: &impl EmailProvider, access: &AccessToken) -> Result<Timestamp, ProviderError> {
    match provider.watch(access).await {
        Err(ProviderError::WatchTaken) => {
            provider.stop(access).await?;
            provider.watch(access).await
        }
        answer => answer,
    }
}
