//! The sample consumer on DynamoDB and SQS.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use clap::Parser;
use consumer::claims::{Cause, Claim, Claims};
use consumer::consume::{Consumer, Handler};
use consumer::dynamodb::DynamoClaims;
use consumer::event::Fired;
use consumer::polling::Queue;
use consumer::settings::Arguments;
use email_connectors::adapters::aws::SdkConfig;
use serde_json::json;
use tests::consuming::claims_contract;
use tests::schemas::PUBLISHED;

use crate::aws;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(aws::now().millis().try_into().unwrap())
}

async fn claims() -> DynamoClaims {
    let claims = DynamoClaims::new(&aws::config().await, aws::unique("claims"));
    claims.make_table().await.unwrap();
    claims.make_table().await.expect("a table that is there is no fault");
    claims
}

#[tokio::test]
async fn the_consumers_claims_on_dynamodb_keep_their_contract() {
    claims_contract(&claims().await, now()).await;
}

/// Claims expire, so that they do not fill the table; finishing an event extends its claim.
#[tokio::test]
async fn a_claim_is_forgotten_after_thirty_days() {
    let (config, table) = (aws::config().await, aws::unique("claims"));
    let (claims, dynamodb) =
        (DynamoClaims::new(&config, &table), aws_sdk_dynamodb::Client::new(&config));
    claims.make_table().await.unwrap();
    let seconds = || now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let day = 24 * 3600;
    let expires = async || {
        let key = aws_sdk_dynamodb::types::AttributeValue::S("evt_1".into());
        let row = dynamodb
            .get_item()
            .table_name(&table)
            .key("event_id", key)
            .send()
            .await
            .unwrap()
            .item
            .unwrap();
        row["expires_at"].as_n().unwrap().parse::<u64>().unwrap()
    };
    let Claim::Ours(lease) = claims.claim("evt_1", Duration::from_secs(60), now()).await.unwrap()
    else {
        panic!("no other consumer claims it")
    };
    assert!(expires().await.abs_diff(seconds() + 30 * day) < 60);
    assert!(claims.done(&lease, now() + Duration::from_secs(day)).await.unwrap());
    assert!(
        expires().await.abs_diff(seconds() + 31 * day) < 60,
        "thirty days from when it was done"
    );
}

#[derive(Default)]
struct Noting(Mutex<Vec<String>>);

impl Handler for Noting {
    async fn handle(&self, fired: &Fired) -> Result<(), Cause> {
        self.0.lock().unwrap().push(fired.event_id.clone());
        Ok(())
    }
}

/// The parts of the plain program, configured by a stack.json with this queue.
async fn wired(config: &SdkConfig, queue_url: &str) -> (DynamoClaims, Queue) {
    let stack = json!({"aws_endpoint": config.endpoint_url(), "region": config.region().unwrap().as_ref(), "agent_run_queue_url": queue_url});
    let file = std::env::temp_dir().join(aws::unique("stack"));
    std::fs::write(&file, stack.to_string()).unwrap();
    let arguments = Arguments::parse_from([
        "consumer",
        "--table",
        &aws::unique("claims"),
        "--stack-json",
        file.to_str().unwrap(),
    ]);
    let wired = arguments.wire().await;
    std::fs::remove_file(&file).unwrap();
    wired.unwrap()
}

#[tokio::test]
async fn the_consumer_deletes_what_is_done_and_leaves_what_cannot_be_read() {
    let config = aws::config().await;
    let sqs = Client::new(&config);
    let url =
        sqs.create_queue().queue_name(aws::unique("runs")).send().await.unwrap().queue_url.unwrap();
    let examples = &PUBLISHED["TRIGGER_FIRED"]["examples"];
    let bodies = [&examples[0], &examples[1], &examples[0], &json!("poison"), &examples[0]]
        .map(ToString::to_string);
    for body in &bodies {
        sqs.send_message().queue_url(&url).message_body(body).send().await.unwrap();
    }
    let (claims, queue) = wired(&config, &url).await;
    let consumer = Consumer { claims, handler: Noting::default(), lease: Duration::from_secs(60) };
    let (mut received, mut handled) = (0, 0);
    while received < bodies.len() {
        // One message at a time: of two copies in one batch, the second would find the event
        // claimed.
        let messages = queue.receive(1).await.unwrap();
        assert!(!messages.is_empty(), "{received} of {} came", bodies.len());
        received += messages.len();
        handled += queue.consume(&consumer, &messages).await;
    }
    assert_eq!(handled, 2);
    let mut noted = consumer.handler.0.into_inner().unwrap();
    noted.sort();
    let mut expected = [0, 1].map(|index: usize| examples[index]["event_id"].as_str().unwrap());
    expected.sort();
    assert_eq!(noted, expected);
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let request =
        sqs.get_queue_attributes().queue_url(&url).set_attribute_names(Some(names.to_vec()));
    let left = request.send().await.unwrap().attributes.unwrap();
    assert_eq!(
        names.map(|name| left[&name].as_str()),
        ["0", "1"],
        "an unreadable message comes again"
    );
}
