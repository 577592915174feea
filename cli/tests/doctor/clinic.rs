//! The deployed stack made ill and well again, and the real binary that looks at it.

use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    PointInTimeRecoverySpecification, TimeToLiveSpecification, TimeToLiveStatus,
};
use aws_sdk_sqs::types::QueueAttributeName;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{Stack, User, read};
use tokio::process::Command;

pub struct Clinic {
    pub stack: Stack,
    user: User,
    file: PathBuf,
    /// The redrive policy of the agent-run queue, to be put back.
    redrive: String,
    key: String,
}

impl Clinic {
    /// With a connected mailbox, whose watch the first notification has proven.
    pub async fn open() -> Self {
        let stack = Stack::at_rest().await;
        let file = std::env::var("STACK_JSON").unwrap_or_else(|_| {
            concat!(env!("CARGO_MANIFEST_DIR"), "/../.local/stack.json").into()
        });
        let contents: Value =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let user = User::connected(&stack, "doctor").await;
        stack
            .until("a proven watch", async || {
                user.connector(&stack).await["watch"]["verified_at"].is_string().then_some(())
            })
            .await;
        let attributes =
            stack.sqs().await.get_queue_attributes().queue_url(&stack.agent_run_queue_url);
        let attributes = attributes
            .attribute_names(QueueAttributeName::RedrivePolicy)
            .send()
            .await
            .unwrap()
            .attributes
            .unwrap();
        let redrive = attributes[&QueueAttributeName::RedrivePolicy].clone();
        Self {
            stack,
            user,
            file: file.into(),
            redrive,
            key: contents["secrets_key_id"].as_str().unwrap().into(),
        }
    }

    /// The findings, and whether the exit code agrees with them.
    async fn examine(&self, user: &User, arguments: &[&str]) -> Result<Vec<Value>, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_connectors"));
        command
            .env_clear()
            .env("CONNECTORS_TOKEN", &user.token)
            .args(["doctor", "--json"])
            .args(arguments);
        // A token of the environment comes before that of a file that the environment names.
        let output = command.env("CONNECTORS_STACK_JSON", &self.file).output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let transcript =
            format!("{arguments:?}: {text} {}", String::from_utf8_lossy(&output.stderr));
        assert!(
            !transcript.contains(&user.token) && !transcript.contains("local-secret"),
            "a secret was printed"
        );
        let document: Value =
            serde_json::from_str(&text).map_err(|error| format!("{error}: {transcript}"))?;
        let (code, well) = (output.status.code(), &document["well"]);
        match (code, well) {
            (Some(0), Value::Bool(true)) | (Some(1), Value::Bool(false)) => {
                Ok(document["findings"].as_array().unwrap().clone())
            }
            _ => Err(format!("exit code {code:?}, well is {well}: {transcript}")),
        }
    }

    pub async fn is_well(&self) {
        let findings =
            self.examine(&self.user, &["--connector", &self.user.connector]).await.unwrap();
        // Nobody has a token for Microsoft's directory, which the fake does not have.
        let is_known = |finding: &&Value| {
            !finding["found"]
                .as_str()
                .is_some_and(|found| found.contains("--microsoft-token-command"))
        };
        let ill: Vec<&Value> =
            findings.iter().filter(|one| one["verdict"] != "ok").filter(is_known).collect();
        assert!(ill.is_empty() && findings.len() > 50, "{ill:#?}");
    }

    /// Whether the doctor names it with this verdict; else what it found.
    pub async fn names(&self, id: &str, verdict: &str, arguments: &[&str]) -> Result<(), String> {
        self.names_to(&self.user, id, verdict, arguments).await
    }

    pub async fn names_to(
        &self,
        user: &User,
        id: &str,
        verdict: &str,
        arguments: &[&str],
    ) -> Result<(), String> {
        let findings = self.examine(user, arguments).await?;
        let found = findings.iter().find(|finding| finding["id"] == id);
        let advised = found.is_some_and(|found| {
            verdict == "not_checked" || (found["cause"].is_string() && found["fix"].is_string())
        });
        match found {
            Some(found) if found["verdict"] == verdict && advised => {
                println!("{verdict:<12} {id:<24} {}", found["found"].as_str().unwrap());
                Ok(())
            }
            found => Err(format!("{id} should be {verdict}: {found:?}")),
        }
    }

    pub async fn heal(&self) {
        self.change_pubsub(json!({})).await;
        self.disarm().await;
        self.change_microsoft(json!({})).await;
        self.lead_microsoft_to(&self.stack.api_url).await;
        self.enable_key(true).await;
        self.rotate(true).await;
        self.keep_table(true).await;
        self.take_wake_ups(true).await;
        let sqs = self.stack.sqs().await;
        for queue in [&self.stack.dead_letter_queue_url, &self.stack.quarantine_queue_url] {
            sqs.purge_queue().queue_url(queue).send().await.unwrap();
        }
        let queue = sqs.set_queue_attributes().queue_url(&self.stack.agent_run_queue_url);
        queue.attributes(QueueAttributeName::RedrivePolicy, &self.redrive).send().await.unwrap();
    }

    pub async fn change_pubsub(&self, change: Value) {
        self.stack.google(Method::PUT, "/admin/pubsub", change).await;
    }

    pub async fn arm(&self, fault: Value) {
        self.stack.google(Method::POST, "/admin/faults", fault).await;
    }

    pub async fn disarm(&self) {
        self.stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
    }

    /// Replaces the settings of the fake Microsoft's token endpoint.
    pub async fn change_microsoft(&self, settings: Value) {
        self.stack.microsoft(Method::PUT, "/admin/oauth", settings).await;
    }

    /// Where the fake Microsoft's address of the stack leads.
    pub async fn lead_microsoft_to(&self, url: &str) {
        self.stack.microsoft(Method::PUT, "/admin/front", json!({ "to": url })).await;
    }

    pub async fn leave_in(&self, queue: &str) {
        let mut message =
            self.stack.sqs().await.send_message().queue_url(queue).message_body("left by a test");
        if queue.ends_with(".fifo") {
            message = message.message_group_id("test").message_deduplication_id(&self.user.owner);
        }
        message.send().await.unwrap();
    }

    pub async fn give_nothing_up(&self) {
        let queue = self
            .stack
            .sqs()
            .await
            .set_queue_attributes()
            .queue_url(&self.stack.agent_run_queue_url);
        queue.attributes(QueueAttributeName::RedrivePolicy, "").send().await.unwrap();
    }

    pub async fn enable_key(&self, on: bool) {
        let kms = aws_sdk_kms::Client::new(&self.stack.config().await);
        match on {
            true => drop(kms.enable_key().key_id(&self.key).send().await.unwrap()),
            false => drop(kms.disable_key().key_id(&self.key).send().await.unwrap()),
        }
    }

    pub async fn rotate(&self, on: bool) {
        let kms = aws_sdk_kms::Client::new(&self.stack.config().await);
        match on {
            true => drop(kms.enable_key_rotation().key_id(&self.key).send().await.unwrap()),
            false => drop(kms.disable_key_rotation().key_id(&self.key).send().await.unwrap()),
        }
    }

    pub async fn keep_table(&self, on: bool) {
        let dynamodb = aws_sdk_dynamodb::Client::new(&self.stack.config().await);
        let recovery = PointInTimeRecoverySpecification::builder()
            .point_in_time_recovery_enabled(on)
            .build()
            .unwrap();
        let backups = dynamodb.update_continuous_backups().table_name(&self.stack.table);
        backups.point_in_time_recovery_specification(recovery).send().await.unwrap();
        dynamodb
            .update_table()
            .table_name(&self.stack.table)
            .deletion_protection_enabled(on)
            .send()
            .await
            .unwrap();
        let expiry = TimeToLiveSpecification::builder()
            .enabled(on)
            .attribute_name("expires_at")
            .build()
            .unwrap();
        let answer =
            dynamodb.describe_time_to_live().table_name(&self.stack.table).send().await.unwrap();
        let is_on = answer.time_to_live_description.is_some_and(|description| {
            description.time_to_live_status == Some(TimeToLiveStatus::Enabled)
        });
        if is_on != on {
            dynamodb
                .update_time_to_live()
                .table_name(&self.stack.table)
                .time_to_live_specification(expiry)
                .send()
                .await
                .unwrap();
        }
    }

    /// Turns the delivery of wake-ups to the processor on or off.
    pub async fn take_wake_ups(&self, on: bool) {
        let lambda = aws_sdk_lambda::Client::new(&self.stack.config().await);
        let mappings = lambda
            .list_event_source_mappings()
            .send()
            .await
            .unwrap()
            .event_source_mappings
            .unwrap();
        let ours = |mapping: &&aws_sdk_lambda::types::EventSourceMappingConfiguration| {
            mapping
                .function_arn
                .as_deref()
                .is_some_and(|function| function.contains("HistoryProcessor"))
        };
        let uuid = mappings.iter().find(ours).unwrap().uuid.clone().unwrap();
        lambda.update_event_source_mapping().uuid(uuid).enabled(on).send().await.unwrap();
    }

    /// The user takes the grant back at Google, and the next look finds out.
    pub async fn revoke(&self, user: &User) {
        self.stack.google(Method::POST, "/admin/grants/revoke", json!({"email": user.email})).await;
        let path = format!("/api/connectors/{}/sync", user.connector);
        read(
            self.stack.api(Method::POST, &path, Some(&user.token), None).await,
            StatusCode::ACCEPTED,
        )
        .await;
        let found_out =
            async || (user.connector(&self.stack).await["status"] == "needs_reauth").then_some(());
        self.stack
            .until_within(Duration::from_secs(60), "a connector that waits for its user", found_out)
            .await;
    }
}
