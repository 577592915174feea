//! Wake-ups and quarantine on SQS.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use email_connectors::adapters::aws::SdkConfig;
use email_connectors::adapters::sqs::{QueueUrls, SqsDepths, SqsQuarantine, SqsWakeUps};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::mark::Mark;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use email_connectors::ports::{Counted, Depths, Quarantine, WakeUps};

use crate::aws;

async fn fifo(config: &SdkConfig) -> String {
    let request =
        Client::new(config).create_queue().queue_name(format!("{}.fifo", aws::unique("queue")));
    let request = request
        .attributes(QueueAttributeName::FifoQueue, "true")
        .attributes(QueueAttributeName::DeduplicationScope, "messageGroup");
    request
        .attributes(QueueAttributeName::FifoThroughputLimit, "perMessageGroupId")
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap()
}

async fn drain(config: &SdkConfig, queue: &str) -> Vec<Message> {
    let client = Client::new(config);
    let mut all = Vec::new();
    loop {
        let request = client
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(10)
            .message_attribute_names("All");
        let messages = request
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .unwrap()
            .messages
            .unwrap_or_default();
        if messages.is_empty() {
            return all;
        }
        for message in &messages {
            client
                .delete_message()
                .queue_url(queue)
                .receipt_handle(message.receipt_handle().unwrap())
                .send()
                .await
                .unwrap();
        }
        all.extend(messages);
    }
}

fn group(message: &Message) -> &str {
    message.attributes().unwrap().get(&MessageSystemAttributeName::MessageGroupId).unwrap()
}

fn push(mailbox: &str, history_id: u64) -> WakeUp {
    WakeUp::push(
        EmailAddress::parse(mailbox).unwrap(),
        Mark::new(history_id),
        Some("7".into()),
        aws::now(),
    )
}

#[tokio::test]
async fn a_wake_up_goes_to_the_group_of_its_mailbox_once_for_each_push() {
    let config = aws::config().await;
    let queue = fifo(&config).await;
    let wake_ups = SqsWakeUps::new(&config, &queue);
    let ada = push("ada@example.com", u64::MAX);
    wake_ups.send(&ada, Some("push-1")).await.unwrap();
    wake_ups.send(&ada, Some("push-1")).await.unwrap();
    wake_ups.send(&push("bob@example.com", 5), Some("push-2")).await.unwrap();

    let messages = drain(&config, &queue).await;
    let read: Vec<WakeUp> = messages
        .iter()
        .map(|message| serde_json::from_str(message.body().unwrap()).unwrap())
        .collect();
    assert_eq!(
        read.iter().filter(|wake_up| **wake_up == ada).count(),
        1,
        "a doubled push is one wake-up, exact to the last digit"
    );
    assert_eq!(messages.len(), 2);
    assert_ne!(group(&messages[0]), group(&messages[1]), "two mailboxes share a group");
    for (message, wake_up) in messages.iter().zip(&read) {
        assert_eq!(group(message), wake_up.group());
    }
}

#[tokio::test]
async fn our_own_wake_ups_are_never_taken_for_one_another() {
    let config = aws::config().await;
    let queue = fifo(&config).await;
    let wake_ups = SqsWakeUps::new(&config, &queue);
    let due = WakeUp::own(Kind::Due, EmailAddress::parse("ada@example.com").unwrap(), aws::now());
    wake_ups.send(&due, None).await.unwrap();
    wake_ups.send(&due, None).await.unwrap();
    assert_eq!(drain(&config, &queue).await.len(), 2);
}

#[tokio::test]
async fn an_odd_deduplication_id_is_accepted_and_stays_unique() {
    let config = aws::config().await;
    let queue = fifo(&config).await;
    let wake_ups = SqsWakeUps::new(&config, &queue);
    for id in ["with space", "with space", "", &"x".repeat(300)] {
        wake_ups.send(&push("ada@example.com", 5), Some(id)).await.unwrap();
    }
    assert_eq!(drain(&config, &queue).await.len(), 3);
}

#[tokio::test]
async fn whatever_cannot_be_read_can_be_quarantined() {
    let config = aws::config().await;
    let queue = Client::new(&config)
        .create_queue()
        .queue_name(aws::unique("quarantine"))
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let quarantine = SqsQuarantine::new(&config, &queue);
    for body in ["not json", "", "nul \u{0} inside", &"é".repeat(200_000)] {
        quarantine.keep(body, "why").await.unwrap();
    }
    let messages = drain(&config, &queue).await;
    assert_eq!(messages.len(), 4);
    for message in &messages {
        assert_eq!(message.message_attributes().unwrap()["reason"].string_value(), Some("why"));
    }
}

#[tokio::test]
async fn what_lies_in_each_queue_is_counted_and_a_queue_that_is_not_there_does_not_answer() {
    let config = aws::config().await;
    let client = Client::new(&config);
    let quarantine = client
        .create_queue()
        .queue_name(aws::unique("quarantine"))
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let urls = QueueUrls {
        wake_ups: fifo(&config).await,
        dead_letters: format!("{quarantine}-gone"),
        quarantine,
    };
    SqsWakeUps::new(&config, &urls.wake_ups).send(&push("ada@example.com", 5), None).await.unwrap();
    for _ in 0..2 {
        SqsQuarantine::new(&config, &urls.quarantine).keep("not json", "why").await.unwrap();
    }
    let depths = SqsDepths::new(&config, urls);
    assert_eq!(
        (
            depths.depth(Counted::WakeUps).await.unwrap(),
            depths.depth(Counted::Quarantine).await.unwrap()
        ),
        (1, 2)
    );
    assert!(depths.depth(Counted::DeadLetters).await.is_err());
}
