//! An AWS whose answers a test scripts.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use axum::Router;
use email_connectors::adapters::aws::SdkConfig;

/// A configuration with this router as AWS, for answers that the local AWS never gives.
pub async fn served_by(router: Router) -> SdkConfig {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let credentials =
        SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test"));
    let builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"));
    builder.endpoint_url(url).credentials_provider(credentials).build()
}
