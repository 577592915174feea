//! What AWS says of the stack's resources, with the operator's credentials.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Debug;

use aws_sdk_dynamodb::types::{PointInTimeRecoveryStatus, TimeToLiveStatus};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_sqs::types::QueueAttributeName;
use email_connectors::adapters::aws::SdkConfig;
use email_connectors::config::Environment;
use serde_json::Value;

use crate::aws::describe;
use crate::deployed::{Deployed, VARIABLES};
use crate::doctor::fact::Fact;
use crate::doctor::facts::{Function, Key, Mapping, Queue, Table};

/// The functions, and how the template names them.
pub const FUNCTIONS: [(&str, &str); 7] = [
    ("audit-keeper", "AuditKeeperFunction"),
    ("connectors-api", "ConnectorsApiFunction"),
    (CONSOLE, "ConsoleFunction"),
    ("history-processor", PROCESSOR),
    ("oauth-connect", "OauthConnectFunction"),
    ("pubsub-webhook", "PubsubWebhookFunction"),
    ("watch-renewer", "WatchRenewerFunction"),
];
/// Part of the stack only if the console has a client at the issuer.
pub const CONSOLE: &str = "console";
const PROCESSOR: &str = "HistoryProcessorFunction";
const WAKE_UPS: &str = "HistoryProcessorFunctionWakeUps";
const SWEEP: &str = "WatchRenewerFunctionSweep";
const QUEUES: [(&str, &str); 5] = [
    ("notifications", "NotificationQueueUrl"),
    ("dead-letters", "NotificationDeadLetterQueueUrl"),
    ("quarantine", "QuarantineQueueUrl"),
    ("agent-runs", "AgentRunQueueUrl"),
    ("agent-dead-letters", "AgentRunDeadLetterQueueUrl"),
];

pub struct Aws<'a> {
    config: &'a SdkConfig,
    deployed: &'a Deployed,
}

impl<'a> Aws<'a> {
    pub fn new(config: &'a SdkConfig, deployed: &'a Deployed) -> Self {
        Self { config, deployed }
    }

    fn output(&self, name: &str) -> Fact<&str> {
        self.deployed
            .outputs
            .get(name)
            .map_or(Fact::Unreachable(format!("the stack has no output {name}")), |value| {
                Fact::Known(value)
            })
    }

    fn resource(&self, name: &str) -> Fact<&str> {
        self.deployed
            .resources
            .get(name)
            .map_or(Fact::Unreachable(format!("the stack has no {name}")), |value| {
                Fact::Known(value)
            })
    }

    /// The function's state, and its environment, which contains secrets.
    pub async fn function(&self, resource: &str) -> Fact<(Function, Environment)> {
        let id = match self.resource(resource) {
            Fact::Known(id) => id,
            other => return other.clone_unknown(),
        };
        let request =
            aws_sdk_lambda::Client::new(self.config).get_function_configuration().function_name(id);
        let answer = fact(request.send().await, "lambda:GetFunctionConfiguration");
        // The variables are encrypted under the stack's key: without the right to use it AWS
        // answers the rest.
        let hidden = |answer: &GetFunctionConfigurationOutput| {
            answer.environment.as_ref().is_some_and(|environment| environment.error.is_some())
        };
        let answer = answer.and_then(|answer| {
            if hidden(&answer) { Fact::Denied(VARIABLES.into()) } else { Fact::Known(answer) }
        });
        answer.map(|answer| {
            let (state, last) = (answer.state.as_ref(), answer.last_update_status.as_ref());
            let reason =
                answer.last_update_status_reason.or(answer.state_reason).unwrap_or_default();
            let function = Function {
                state: state.map(|state| state.as_str()).unwrap_or_default().into(),
                last_update: last.map(|status| status.as_str()).unwrap_or_default().into(),
                reason,
                refused: None,
            };
            let variables = answer
                .environment
                .and_then(|environment| environment.variables)
                .unwrap_or_default();
            (function, Environment::new(move |name| variables.get(name).cloned()))
        })
    }

    pub async fn wake_ups(&self) -> Fact<Mapping> {
        let uuid = match self.resource(WAKE_UPS) {
            Fact::Known(uuid) => uuid,
            other => return other.clone_unknown(),
        };
        let answer = aws_sdk_lambda::Client::new(self.config)
            .get_event_source_mapping()
            .uuid(uuid)
            .send()
            .await;
        let state = fact(answer, "lambda:GetEventSourceMapping").map(|mapping| mapping.state);
        state.and_then(|state| match state {
            Some(state) => Fact::Known(Mapping { uuid: uuid.into(), state }),
            None => Fact::Unreachable("the answer has no state".into()),
        })
    }

    pub async fn sweeps(&self) -> Fact<String> {
        let name = match self.resource(SWEEP) {
            Fact::Known(id) => id.rsplit(['/', '|']).next().unwrap_or(id),
            other => return other.clone_unknown(),
        };
        let answer =
            aws_sdk_scheduler::Client::new(self.config).get_schedule().name(name).send().await;
        let state = fact(answer, "scheduler:GetSchedule").map(|schedule| schedule.state);
        state.and_then(|state| {
            state.map_or(Fact::Unreachable("the answer has no state".into()), |state| {
                Fact::Known(state.as_str().into())
            })
        })
    }

    pub async fn bus(&self) -> Fact<()> {
        match self.output("EventBusName") {
            Fact::Known(name) => {
                let answer = aws_sdk_eventbridge::Client::new(self.config)
                    .describe_event_bus()
                    .name(name)
                    .send()
                    .await;
                fact(answer, "events:DescribeEventBus").map(|_| ())
            }
            other => other.clone_unknown(),
        }
    }

    pub async fn key(&self) -> Fact<Key> {
        let id = match self.output("SecretsKeyId") {
            Fact::Known(id) => id,
            other => return other.clone_unknown(),
        };
        let kms = aws_sdk_kms::Client::new(self.config);
        let (key, rotation) = tokio::join!(
            kms.describe_key().key_id(id).send(),
            kms.get_key_rotation_status().key_id(id).send()
        );
        let rotates =
            fact(rotation, "kms:GetKeyRotationStatus").map(|answer| answer.key_rotation_enabled);
        fact(key, "kms:DescribeKey").and_then(|answer| {
            let state = answer
                .key_metadata
                .and_then(|key| key.key_state)
                .map(|state| state.as_str().to_string());
            state.map_or(Fact::Unreachable("the answer has no state".into()), |state| {
                Fact::Known(Key { state, rotates })
            })
        })
    }

    pub async fn table(&self) -> Fact<Table> {
        let name = match self.output("TableName") {
            Fact::Known(name) => name,
            other => return other.clone_unknown(),
        };
        let dynamodb = aws_sdk_dynamodb::Client::new(self.config);
        let (table, backups, expiry) = tokio::join!(
            dynamodb.describe_table().table_name(name).send(),
            dynamodb.describe_continuous_backups().table_name(name).send(),
            dynamodb.describe_time_to_live().table_name(name).send(),
        );
        let restores = fact(backups, "dynamodb:DescribeContinuousBackups").and_then(|answer| {
            let description = answer
                .continuous_backups_description
                .and_then(|description| description.point_in_time_recovery_description);
            let status =
                description.and_then(|description| description.point_in_time_recovery_status);
            let unknown = Fact::Unreachable("the answer has no status".into());
            status
                .map_or(unknown, |status| Fact::Known(status == PointInTimeRecoveryStatus::Enabled))
        });
        let expires_by = fact(expiry, "dynamodb:DescribeTimeToLive").map(|answer| {
            let description = answer.time_to_live_description.filter(|description| {
                matches!(
                    description.time_to_live_status,
                    Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
                )
            });
            description.and_then(|description| description.attribute_name)
        });
        fact(table, "dynamodb:DescribeTable").and_then(|answer| {
            let Some(table) = answer.table else {
                return Fact::Unreachable("the answer has no table".into());
            };
            let index = |index: &aws_sdk_dynamodb::types::GlobalSecondaryIndexDescription| {
                Some((
                    index.index_name.clone()?,
                    index
                        .index_status
                        .as_ref()
                        .map(|status| status.as_str())
                        .unwrap_or_default()
                        .to_string(),
                ))
            };
            Fact::Known(Table {
                status: table
                    .table_status
                    .as_ref()
                    .map(|status| status.as_str())
                    .unwrap_or_default()
                    .into(),
                protected: table.deletion_protection_enabled.unwrap_or(false),
                indexes: table
                    .global_secondary_indexes
                    .unwrap_or_default()
                    .iter()
                    .filter_map(index)
                    .collect(),
                restores,
                expires_by,
            })
        })
    }

    pub async fn queues(&self) -> BTreeMap<&'static str, Fact<Queue>> {
        let mut queues = BTreeMap::new();
        for (name, output) in QUEUES {
            let queue = match self.output(output) {
                Fact::Known(url) => self.queue(url).await,
                other => other.clone_unknown(),
            };
            queues.insert(name, queue);
        }
        queues
    }

    async fn queue(&self, url: &str) -> Fact<Queue> {
        let request = aws_sdk_sqs::Client::new(self.config).get_queue_attributes().queue_url(url);
        let answer = request.attribute_names(QueueAttributeName::All).send().await;
        fact(answer, "sqs:GetQueueAttributes").map(|answer| {
            let attributes = answer.attributes.unwrap_or_default();
            let number = |name| {
                attributes.get(&name).and_then(|value| value.parse::<u64>().ok()).unwrap_or(0)
            };
            let redrive: Value = attributes
                .get(&QueueAttributeName::RedrivePolicy)
                .and_then(|policy| serde_json::from_str(policy).ok())
                .unwrap_or_default();
            Queue {
                url: url.into(),
                waiting: number(QueueAttributeName::ApproximateNumberOfMessages)
                    + number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
                hidden_seconds: number(QueueAttributeName::VisibilityTimeout),
                gives_up_to: redrive["deadLetterTargetArn"].as_str().map(String::from),
            }
        })
    }
}

/// The answer as a fact; an error is read as absent, denied or unreachable.
fn fact<T, E, R>(answer: Result<T, SdkError<E, R>>, right: &str) -> Fact<T>
where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug + 'static,
{
    answer.map_or_else(
        |error| match error.code().unwrap_or_default() {
            code if code.contains("NotFound")
                || code.contains("NonExistentQueue")
                || code.contains("QueueDoesNotExist") =>
            {
                Fact::Absent
            }
            code if code.contains("AccessDenied") || code.contains("Unauthorized") => {
                Fact::Denied(right.into())
            }
            _ => Fact::Unreachable(describe(&error)),
        },
        Fact::Known,
    )
}
