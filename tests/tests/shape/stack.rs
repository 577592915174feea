//! The template: one role with exact rights for each function, data that outlives the stack,
//! wake-ups FIFO by mailbox.

use std::collections::BTreeSet;

use serde_yaml_ng::Value;

use tests::template;

fn resources(template: &Value, kind: &str) -> Vec<(String, Value)> {
    let all = template["Resources"].as_mapping().unwrap();
    let of_kind = all.iter().filter(|(_, resource)| resource["Type"].as_str() == Some(kind));
    of_kind.map(|(name, resource)| (name.as_str().unwrap().to_string(), resource.clone())).collect()
}

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Sequence(values) => {
            values.iter().map(|value| value.as_str().unwrap_or_default().to_string()).collect()
        }
        value => value.as_str().map(String::from).into_iter().collect(),
    }
}

#[test]
fn seven_functions_have_a_role_each() {
    let template = template::read();
    let functions = resources(&template, "AWS::Serverless::Function");
    assert_eq!(functions.len(), 7);
    let roles: BTreeSet<String> = functions
        .iter()
        .map(|(_, function)| list(&function["Properties"]["Role"]).concat())
        .collect();
    assert_eq!(roles.len(), 7, "a role for each: {roles:?}");
    for (name, function) in functions {
        let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda", "{name}");
        let crate_folder = format!("{}/../functions/{binary}", env!("CARGO_MANIFEST_DIR"));
        assert!(
            std::path::Path::new(&crate_folder).exists(),
            "{name} builds {binary}, which is no function's crate"
        );
    }
}

/// CloudFormation turns numbers into text; other readers of the template do not.
#[test]
fn environment_variables_are_text() {
    for (name, function) in resources(&template::read(), "AWS::Serverless::Function") {
        for (variable, value) in
            function["Properties"]["Environment"]["Variables"].as_mapping().unwrap()
        {
            assert!(
                !value.is_number() && !value.is_bool(),
                "{name}: {variable:?} must stand in quotes"
            );
        }
    }
}

/// The values that a ForAllValues condition allows for a key.
fn conditioned(statement: &Value, key: &str) -> Vec<String> {
    let operators = ["ForAllValues:StringLike", "ForAllValues:StringEquals"];
    operators.iter().flat_map(|operator| list(&statement["Condition"][operator][key])).collect()
}

#[test]
fn no_function_may_do_more_than_it_names() {
    let template = template::read();
    for (role, resource) in resources(&template, "AWS::IAM::Role") {
        for policy in resource["Properties"]["Policies"].as_sequence().unwrap() {
            for statement in policy["PolicyDocument"]["Statement"].as_sequence().unwrap() {
                let actions = list(&statement["Action"]);
                assert!(
                    actions.iter().all(|action| !action.contains('*')),
                    "{role} allows {actions:?}"
                );
                // X-Ray has no resource-level permissions.
                let anywhere = actions.iter().all(|action| action.starts_with("xray:Put"));
                assert!(
                    anywhere || list(&statement["Resource"]).iter().all(|resource| resource != "*"),
                    "{role} allows {actions:?} on everything"
                );
                assert!(actions.iter().all(|action| action != "dynamodb:Scan"), "{role} may scan");
                let uses_table = actions.iter().any(|action| action.starts_with("dynamodb:"));
                let rows = conditioned(statement, "dynamodb:LeadingKeys");
                assert!(!uses_table || !rows.is_empty(), "{role} allows {actions:?} on every row");
                assert!(
                    rows.iter().all(|rows| rows != "*"),
                    "{role} allows {actions:?} on {rows:?}"
                );
                let uses_key = actions.iter().any(|action| action.starts_with("kms:"));
                let contexts = conditioned(statement, "kms:EncryptionContextKeys");
                assert!(
                    !uses_key || !contexts.is_empty(),
                    "{role} may use the key under any encryption context"
                );
                // ForAllValues is true without any key, so a Null condition must require one.
                let none = &statement["Condition"]["Null"]["kms:EncryptionContextKeys"];
                assert!(
                    !uses_key || none == "false",
                    "{role} may use the key without an encryption context"
                );
            }
        }
    }
}

#[test]
fn resources_with_data_outlive_the_stack() {
    let template = template::read();
    for (name, policy) in [
        ("ConnectorsTable", "Retain"),
        ("MailBucket", "RetainExceptOnCreate"),
        ("SecretsKey", "RetainExceptOnCreate"),
        ("EventBus", "RetainExceptOnCreate"),
        ("EventArchive", "RetainExceptOnCreate"),
    ] {
        assert_eq!(template["Resources"][name]["DeletionPolicy"], policy, "{name}");
        assert_eq!(template["Resources"][name]["UpdateReplacePolicy"], "Retain", "{name}");
    }
    let table = &template["Resources"]["ConnectorsTable"]["Properties"];
    assert_eq!(table["DeletionProtectionEnabled"], true);
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["TimeToLiveSpecification"]["AttributeName"], "expires_at");
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["SSESpecification"]["SSEType"], "KMS");
    assert_eq!(template["Resources"]["SecretsKey"]["Properties"]["EnableKeyRotation"], true);
}

/// Nobody reads the bucket but with a URL that one function signed, and nothing stays in it.
#[test]
fn the_bucket_is_closed_and_empties_itself() {
    let template = template::read();
    let bucket = &template["Resources"]["MailBucket"]["Properties"];
    let blocked = bucket["PublicAccessBlockConfiguration"].as_mapping().unwrap();
    assert!(blocked.len() == 4 && blocked.values().all(|blocked| *blocked == true));
    assert_eq!(bucket["OwnershipControls"]["Rules"][0]["ObjectOwnership"], "BucketOwnerEnforced");
    let rule = &bucket["LifecycleConfiguration"]["Rules"][0];
    assert_eq!(rule["Status"], "Enabled");
    assert!(rule["Prefix"].is_null() && rule["TagFilters"].is_null(), "of everything");
    assert_eq!(rule["ExpirationInDays"], 1);
    assert_eq!(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"], 1);
    assert!(bucket["VersioningConfiguration"].is_null(), "what is deleted is gone");
    assert_eq!(bucket["CorsConfiguration"]["CorsRules"][0]["AllowedOrigins"], "AllowedOrigins");
    let policy = &template["Resources"]["MailBucketPolicy"]["Properties"]["PolicyDocument"];
    let statement = &policy["Statement"][0];
    assert_eq!(
        (&statement["Effect"], &statement["Condition"]["Bool"]["aws:SecureTransport"]),
        (&Value::from("Deny"), &Value::from("false"))
    );
    for (role, resource) in resources(&template, "AWS::IAM::Role") {
        let text = serde_yaml_ng::to_string(&resource).unwrap();
        assert_eq!(text.contains("s3:"), role == "ConnectorsApiRole", "{role}");
    }
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let variables = &function["Properties"]["Environment"]["Variables"];
        assert_eq!(!variables["MAIL_BUCKET"].is_null(), name == "ConnectorsApiFunction", "{name}");
    }
}

#[test]
fn wake_ups_are_in_order_for_each_mailbox_and_failures_come_back() {
    let template = template::read();
    let queue = &template["Resources"]["NotificationQueue"]["Properties"];
    assert_eq!(queue["FifoQueue"], true);
    assert_eq!(queue["DeduplicationScope"], "messageGroup");
    assert_eq!(queue["FifoThroughputLimit"], "perMessageGroupId");
    assert!(queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap() >= 5);
    let events = template["Resources"]["HistoryProcessorFunction"]["Properties"]["Events"]
        .as_mapping()
        .unwrap()
        .clone();
    let mapping = events.values().find(|event| event["Type"] == "SQS").unwrap();
    assert_eq!(list(&mapping["Properties"]["FunctionResponseTypes"]), ["ReportBatchItemFailures"]);
    let default = |name: &str| template["Parameters"][name]["Default"].as_u64().unwrap();
    assert!(
        default("VisibilityTimeout") >= 6 * default("ProcessorTimeout"),
        "AWS asks for six times the function's timeout"
    );
}

#[test]
fn a_rule_hands_the_events_detail_to_the_agents_queue() {
    let template = template::read();
    let rule = &template["Resources"]["AgentRunRule"]["Properties"];
    let target = &rule["Targets"][0];
    assert_eq!(target["InputPath"], "$.detail");
    assert!(!target["DeadLetterConfig"].is_null());
    assert_eq!(
        list(&rule["EventPattern"]["detail-type"]),
        [email_connectors::domain::event::DetailType::TriggerFired.as_str()]
    );
    assert_eq!(
        list(&rule["EventPattern"]["source"]),
        [email_connectors::domain::event::EVENT_SOURCE]
    );
}

/// Plain HTTP is allowed only to this machine; `http://localhost:@elsewhere` is another host.
#[test]
fn a_url_among_the_parameters_is_https_or_of_this_machine() {
    let loopback = r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?";
    let mut urls = 0;
    for (name, parameter) in template::read()["Parameters"].as_mapping().unwrap() {
        let Some(pattern) =
            parameter["AllowedPattern"].as_str().filter(|pattern| pattern.contains("http"))
        else {
            continue;
        };
        urls += 1;
        let rest = pattern.replacen("https://", "", 1).replacen(loopback, "", 1);
        assert!(!rest.contains("http"), "{name:?} allows {pattern}");
        assert!(
            pattern.starts_with("^(") && (pattern.ends_with(")$") || pattern.ends_with(")?$")),
            "{name:?}: {pattern}"
        );
    }
    assert_eq!(urls, 15);
}

#[test]
fn every_parameter_explains_itself_and_secrets_are_not_echoed() {
    let template = template::read();
    for (name, parameter) in template["Parameters"].as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        assert!(
            parameter["Description"].as_str().is_some_and(|text| text.ends_with('.')),
            "{name} has no description"
        );
        let secret = name.contains("Secret") || name.ends_with("Token") || name.ends_with("Key");
        assert_eq!(parameter["NoEcho"] == true, secret, "{name}");
    }
}

#[test]
fn the_runbook_of_throttling_names_every_parameter_that_binds() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md"))
            .unwrap();
    let runbook = page
        .split("\n## ")
        .find(|section| section.starts_with("Throttling\n"))
        .expect("there is a runbook");
    let template = template::read();
    let names = template["Parameters"].as_mapping().unwrap().keys().filter_map(Value::as_str);
    let bounds: Vec<&str> =
        names.filter(|name| name.ends_with("Concurrency") || name.ends_with("PerSecond")).collect();
    assert_eq!(bounds.len(), 5, "{bounds:?}");
    for name in bounds {
        assert!(
            runbook.contains(&format!("`{name}`")),
            "{name} binds, and the runbook does not say so"
        );
    }
}

/// The sample's template, against the connectors' template, which has the queue that the sample
/// reads.
#[test]
fn the_sample_consumer_may_do_what_it_does_and_has_the_time_for_it() {
    let (connectors, sample) =
        (template::read(), template::read_from("examples/consumer/template.yaml"));
    let of = |name: &str| &sample["Resources"][name]["Properties"];
    let statements =
        of("ConsumerRole")["Policies"][0]["PolicyDocument"]["Statement"].as_sequence().unwrap();
    let allowed: BTreeSet<String> =
        statements.iter().flat_map(|statement| list(&statement["Action"])).collect();
    let needed = [
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    ];
    let needed = needed.into_iter().chain([
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
    ]);
    assert_eq!(allowed, needed.map(String::from).collect());
    assert!(statements.iter().all(|statement| statement["Resource"] != "*"));

    let mapping = &of("ConsumerFunction")["Events"]["AgentRuns"]["Properties"];
    assert_eq!(list(&mapping["FunctionResponseTypes"]), ["ReportBatchItemFailures"]);
    let hidden = connectors["Resources"]["AgentRunQueue"]["Properties"]["VisibilityTimeout"]
        .as_u64()
        .unwrap();
    let time = of("ConsumerFunction")["Timeout"].as_u64().unwrap();
    let lease: u64 = of("ConsumerFunction")["Environment"]["Variables"]["LEASE_SECONDS"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        lease < time && 6 * time <= hidden,
        "a lease of {lease} s in {time} s, of {hidden} s that a message is hidden"
    );

    assert_eq!(of("ClaimsTable")["KeySchema"][0]["AttributeName"], "event_id");
    assert_eq!(of("ClaimsTable")["TimeToLiveSpecification"]["AttributeName"], "expires_at");
    assert_eq!(connectors["Outputs"]["AgentRunQueueArn"]["Value"], "AgentRunQueue.Arn");
    let named = sample["Resources"]["ConsumerFunction"]["Metadata"]["BuildProperties"]["Binary"]
        .as_str()
        .unwrap();
    let source = format!("{}/../examples/consumer/src/bin/{named}.rs", env!("CARGO_MANIFEST_DIR"));
    assert!(std::path::Path::new(&source).exists(), "{named} is no binary of the sample");
}
