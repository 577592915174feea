//! DynamoDB and KMS on loopback, for the requests of the real adapters: each one is counted, and
//! charged as AWS does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use email_connectors::adapters::aws::SdkConfig;
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::kms::KmsVault;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::table::{Table, Tally};

/// How many bytes KMS adds to a plaintext, and how many Google's refresh tokens have.
const WRAPPING: usize = 150;
const REFRESH_TOKEN: usize = 103;

pub struct MeteredAws {
    config: SdkConfig,
    table: Arc<Mutex<Table>>,
    server: JoinHandle<()>,
}

impl MeteredAws {
    pub async fn start() -> std::io::Result<Self> {
        let table = Arc::new(Mutex::new(Table::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        // An answer in two segments would wait for the first one's acknowledgement.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                panic!("loopback takes no option: {error}");
            }
        });
        let app = Router::new().fallback(serve).with_state(table.clone());
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                panic!("the metered AWS cannot serve: {error}");
            }
        });
        let credentials = Credentials::new("local", "local", None, None, "capacity");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(url)
            .build();
        Ok(Self { config, table, server })
    }

    pub fn store(&self) -> DynamoStore {
        DynamoStore::new(&self.config, "connectors")
    }

    /// The vault of a process that has not unwrapped a data key yet.
    pub fn vault(&self) -> KmsVault {
        KmsVault::new(&self.config, "secrets")
    }

    pub fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The requests since the last call.
    pub fn take(&self) -> Tally {
        std::mem::take(&mut self.table().tally)
    }
}

impl Drop for MeteredAws {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    State(table): State<Arc<Mutex<Table>>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let target =
        headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let (service, operation) = target.split_once('.').unwrap_or_default();
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = match service {
        "TrentService" => {
            table.tally.kms += 1;
            sealing(operation, &body)
        }
        _ => table.answer(operation, &body),
    };
    ([(CONTENT_TYPE, "application/x-amz-json-1.0")], answer.to_string()).into_response()
}

/// Seals nothing; only the sizes are KMS's.
fn sealing(operation: &str, body: &Value) -> Value {
    let bytes = |name: &str| {
        BASE64_STANDARD.decode(body[name].as_str().unwrap_or_default()).unwrap_or_default()
    };
    match operation {
        "Decrypt" => {
            let sealed = bytes("CiphertextBlob");
            let length = sealed.first().copied().map_or(0, usize::from);
            json!({"KeyId": "secrets", "Plaintext": BASE64_STANDARD.encode(sealed.get(1..=length).unwrap_or_default())})
        }
        "Encrypt" => {
            json!({"KeyId": "secrets", "CiphertextBlob": sealed(&bytes("Plaintext"), REFRESH_TOKEN)})
        }
        _ => json!({"KeyId": "secrets", "CiphertextBlob": sealed(&[7; 32], 32)}),
    }
}

fn sealed(plaintext: &[u8], at_least: usize) -> String {
    let length = u8::try_from(plaintext.len()).expect("the world's secrets are short");
    let mut blob = vec![length];
    blob.extend_from_slice(plaintext);
    blob.resize(plaintext.len().max(at_least) + WRAPPING, 0);
    BASE64_STANDARD.encode(blob)
}
