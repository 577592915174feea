//! The AWS configuration that every AWS adapter is built from, loaded once for each cold start.

use aws_config::BehaviorVersion;
pub use aws_config::SdkConfig;

pub async fn load() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).load().await
}
