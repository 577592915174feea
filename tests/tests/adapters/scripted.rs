//! An AWS whose answers a test scripts, and one to which each write is sent twice.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use email_connectors::adapters::aws::SdkConfig;

const WRITES: [&str; 5] =
    [".PutItem", ".UpdateItem", ".DeleteItem", ".BatchWriteItem", ".TransactWriteItems"];
/// How the updates of a commit without events and of a watch begin.
const BORNE: [&str; 2] = ["SET #version = ", "SET #watch = "];

/// A configuration with this router as AWS, for answers that the local AWS never gives.
pub async fn served_by(router: Router) -> SdkConfig {
    let credentials =
        SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test"));
    let builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"));
    builder.endpoint_url(serve(router).await).credentials_provider(credentials).build()
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Through what and to where requests go on.
type Behind = (reqwest::Client, String);

/// A DynamoDB that answers each write as if its first answer had been lost and the client had sent
/// the request again, but for the two whose conflict the flows bear.
#[expect(clippy::disallowed_methods, reason = "the client behind it has the timeouts")]
pub async fn asked_twice(config: &SdkConfig) -> SdkConfig {
    let behind = config.endpoint_url().unwrap().to_string();
    let client = reqwest::Client::new();
    let send = async |State((client, behind)): State<Behind>, headers: HeaderMap, body: Bytes| {
        let target = headers["x-amz-target"].to_str().unwrap();
        let borne = target.ends_with(".UpdateItem")
            && BORNE.iter().any(|change| String::from_utf8_lossy(&body).contains(change));
        let times =
            if !borne && WRITES.iter().any(|write| target.ends_with(write)) { 2 } else { 1 };
        let mut answers = Vec::new();
        for _ in 0..times {
            let request = client.post(&behind).headers(headers.clone());
            let answer = request.body(body.clone()).send().await.unwrap();
            answers.push((
                answer.status(),
                answer.headers().clone(),
                answer.bytes().await.unwrap(),
            ));
        }
        answers.pop().unwrap()
    };
    // A new one: the one that was loaded prefers the endpoint of the environment.
    let mut builder = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
    builder.set_region(config.region().cloned());
    builder.set_credentials_provider(config.credentials_provider());
    builder.set_timeout_config(config.timeout_config().cloned());
    let url = serve(Router::new().route("/", post(send)).with_state((client, behind))).await;
    builder.endpoint_url(url).build()
}
