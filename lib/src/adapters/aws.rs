//! The AWS configuration that every AWS adapter is built from, loaded once for each cold start.

use std::time::Duration;

use aws_config::BehaviorVersion;
pub use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;

/// An environment that was frozen may hold a connection whose other end is gone: without these
/// bounds, one call over it would last as long as the function may.
pub async fn load() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(8));
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts.build()).load().await
}
