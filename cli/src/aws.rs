//! AWS, for operators: the same configuration as the functions', or the local stack's emulator, and
//! the two queues.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use email_connectors::adapters::aws::{SdkConfig, load};
use email_connectors::web::causes;

use crate::failure::Failure;

/// What is received stays hidden for so long; moving ten takes a second.
const HIDDEN_SECONDS: i32 = 60;
/// With a wait SQS queries all its servers before it reports an empty queue.
const LONG_POLL_SECONDS: i32 = 1;

/// The functions' own configuration, or that of the local stack's emulator at this endpoint and
/// region.
pub async fn config(emulator: Option<(&str, &str)>) -> SdkConfig {
    let Some((endpoint, region)) = emulator else { return load().await };
    // The emulator takes any credentials, and must not be shown real ones.
    let credentials =
        SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "local stack"));
    let builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_string()));
    builder.endpoint_url(endpoint).credentials_provider(credentials).build()
}

/// An error of AWS with its causes.
pub fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error)
}

pub struct Queues {
    client: Client,
    queue: String,
    dead: String,
}

/// A wake-up that was given up.
pub struct Letter {
    body: String,
    group: String,
    deduplication_id: String,
    receipt: String,
}

impl Queues {
    pub fn new(config: &SdkConfig, queue: String, dead: String) -> Self {
        Self { client: Client::new(config), queue, dead }
    }

    /// The approximate number of dead letters.
    pub async fn waiting(&self) -> Result<u64, Failure> {
        let counted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let request = self
            .client
            .get_queue_attributes()
            .queue_url(&self.dead)
            .set_attribute_names(Some(counted.to_vec()));
        let answer = request
            .send()
            .await
            .map_err(|error| failed("the dead letters cannot be counted", &error))?;
        let count = |name: &QueueAttributeName| {
            answer.attributes().and_then(|all| all.get(name)?.parse::<u64>().ok())
        };
        counted
            .iter()
            .map(count)
            .sum::<Option<u64>>()
            .ok_or_else(|| Failure::Aws("the queue does not say how much it holds".into()))
    }

    pub async fn receive(&self, most: u64) -> Result<Vec<Letter>, Failure> {
        let most = i32::try_from(most.min(10)).unwrap_or(10);
        let request =
            self.client.receive_message().queue_url(&self.dead).max_number_of_messages(most);
        let request =
            request.wait_time_seconds(LONG_POLL_SECONDS).visibility_timeout(HIDDEN_SECONDS);
        let request =
            request.message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
        let answer = request
            .send()
            .await
            .map_err(|error| failed("the dead letters cannot be read", &error))?;
        answer.messages.unwrap_or_default().into_iter().map(letter).collect()
    }

    /// Sent, then deleted: between the two it may lie in both, and a wake-up that comes twice does
    /// no harm.
    pub async fn put_back(&self, letter: Letter) -> Result<(), Failure> {
        let send = self.client.send_message().queue_url(&self.queue).message_body(letter.body);
        let send =
            send.message_group_id(letter.group).message_deduplication_id(letter.deduplication_id);
        send.send().await.map_err(|error| {
            failed("a wake-up cannot be put back; it stays where it was", &error)
        })?;
        let delete =
            self.client.delete_message().queue_url(&self.dead).receipt_handle(letter.receipt);
        delete.send().await.map_err(|error| {
            failed("a wake-up that was put back cannot be deleted; it is there twice", &error)
        })?;
        Ok(())
    }
}

fn letter(message: Message) -> Result<Letter, Failure> {
    let group = message
        .attributes()
        .and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId))
        .cloned();
    let (Some(group), Some(body), Some(id), Some(receipt)) =
        (group, message.body, message.message_id, message.receipt_handle)
    else {
        return Err(Failure::Aws(
            "a dead letter has no group, so it did not come from the queue of wake-ups".into(),
        ));
    };
    // Derived from the letter: what is put back twice within minutes is queued once.
    Ok(Letter { body, group, deduplication_id: format!("replay-{id}"), receipt })
}

fn failed(what: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::Aws(format!("{what}: {}", describe(error)))
}
