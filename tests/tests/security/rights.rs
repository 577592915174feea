//! Least privilege: a user with the least role, and each function's IAM role and settings.

use std::collections::BTreeSet;

use email_connectors::domain::event::{DetailType, EVENT_SOURCE};
use reqwest::{Method, StatusCode};
use serde_json::json;
use serde_yaml_ng::Value as Yaml;
use tests::deployed::{User, read, token_with};
use tests::template;

use crate::security::case::Case;
use crate::security::forge::unique;
use crate::security::target::Target;

#[tokio::test]
async fn case_65_what_a_viewer_sees_of_firings() {
    let mut case =
        Case::new(65, "API: a viewer sees ids and times of firings, not what the mail says");
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "viewed").await);
        let words = unique();
        let message =
            user.receive(&target.stack, json!({"subject": format!("invoice {words}"), "from": format!("{words}@shop.example")})).await;
        target.fired(&user.owner, 1).await;
        let path = format!("/api/triggers/{}/firings", user.trigger);
        for (role, reads) in [("viewer", false), ("operator", true), ("admin", true)] {
            let token =
                token_with(&target.stack, json!({"sub": user.owner, "claims": {"role": role}}))
                    .await;
            let listed = read(
                target.stack.api(Method::GET, &path, Some(&token), None).await,
                StatusCode::OK,
            )
            .await;
            let firing = &listed["firings"][0];
            case.check(
                format!("{name}: {role}, the message's id"),
                json!(message),
                firing["message_id"].clone(),
            );
            case.check(
                format!("{name}: {role}, the event's id"),
                json!(user.event_id(&message)),
                firing["event_id"].clone(),
            );
            case.check(
                format!("{name}: {role}, when it was decided"),
                true,
                firing["decided_at"].is_string(),
            );
            case.check(
                format!("{name}: {role}, subject and sender"),
                reads,
                listed.to_string().contains(&words),
            );
        }
    }
}

/// Each function's binary and properties.
fn functions(template: &Yaml) -> Vec<(String, Yaml)> {
    let resources = template["Resources"].as_mapping().unwrap().values();
    let functions = resources.filter(|resource| resource["Type"] == "AWS::Serverless::Function");
    functions
        .map(|function| {
            (
                function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap().to_string(),
                function["Properties"].clone(),
            )
        })
        .collect()
}

fn statements(template: &Yaml, function: &Yaml) -> Vec<Yaml> {
    let role = function["Role"].as_str().unwrap().strip_suffix(".Arn").unwrap();
    let policies = template["Resources"][role]["Properties"]["Policies"].as_sequence().unwrap();
    policies
        .iter()
        .flat_map(|policy| policy["PolicyDocument"]["Statement"].as_sequence().cloned().unwrap())
        .collect()
}

fn texts(value: &Yaml) -> BTreeSet<String> {
    match value {
        Yaml::Sequence(values) => {
            values.iter().filter_map(Yaml::as_str).map(String::from).collect()
        }
        one => one.as_str().map(String::from).into_iter().collect(),
    }
}

#[tokio::test]
async fn case_80_secrets_in_settings() {
    let mut case = Case::new(
        80,
        "settings: a secret among a function's variables is encrypted under the stack's key",
    );
    let template = template::read();
    let parameters = template["Parameters"].as_mapping().unwrap();
    let secret: BTreeSet<&str> = parameters
        .iter()
        .filter(|(_, parameter)| parameter["NoEcho"] == true)
        .filter_map(|(name, _)| name.as_str())
        .collect();
    let named = parameters.keys().filter_map(Yaml::as_str).filter(|name| {
        name.ends_with("Secret") || name.ends_with("WebhookToken") || name.ends_with("Key")
    });
    for name in named {
        case.check(format!("{name} has NoEcho"), true, secret.contains(name));
    }
    let mut count = 0;
    for (binary, properties) in functions(&template) {
        let variables =
            properties["Environment"]["Variables"].as_mapping().cloned().unwrap_or_default();
        let secrets: Vec<_> = variables
            .values()
            .filter_map(Yaml::as_str)
            .filter(|value| secret.contains(value))
            .map(String::from)
            .collect();
        count += secrets.len();
        let key = properties["KmsKeyArn"].as_str().unwrap_or("Lambda's own key").to_string();
        for name in secrets {
            case.check(format!("{binary}: {name}"), "SecretsKey.Arn".to_string(), key.clone());
        }
    }
    case.check("secrets among variables", 12, count);
}

#[tokio::test]
async fn case_81_events_in_anothers_name() {
    use DetailType::{
        ConnectorConnected, ConnectorDisconnected, ConnectorNeedsReauth, ConnectorRecovered,
        TriggerFired,
    };
    let mut case =
        Case::new(81, "roles: a function publishes under our source, and only its own event types");
    let expected: [(&str, Vec<DetailType>); 3] = [
        (
            "oauth-connect",
            vec![
                ConnectorConnected,
                ConnectorRecovered,
                ConnectorDisconnected,
                ConnectorNeedsReauth,
            ],
        ),
        ("connectors-api", vec![TriggerFired, ConnectorDisconnected]),
        // Also the pending events of other functions.
        ("history-processor", DetailType::ALL.to_vec()),
    ];
    let template = template::read();
    for (binary, properties) in functions(&template) {
        let all = statements(&template, &properties);
        let publishing: Vec<&Yaml> = all
            .iter()
            .filter(|statement| texts(&statement["Action"]).contains("events:PutEvents"))
            .collect();
        let types = expected.iter().find(|(of, _)| *of == binary).map(|(_, types)| types);
        case.check(
            format!("{binary}: statements that allow publishing"),
            usize::from(types.is_some()),
            publishing.len(),
        );
        let (Some(types), Some(statement)) = (types, publishing.first()) else { continue };
        let fits = &statement["Condition"]["ForAllValues:StringEquals"];
        let there = &statement["Condition"]["Null"];
        let types: BTreeSet<String> = types.iter().map(|one| one.as_str().to_string()).collect();
        case.check(
            format!("{binary}: source"),
            EVENT_SOURCE.to_string(),
            texts(&fits["events:source"]).into_iter().collect::<Vec<_>>().join(" "),
        );
        case.check(
            format!("{binary}: types"),
            format!("{types:?}"),
            format!("{:?}", texts(&fits["events:detail-type"])),
        );
        for key in ["events:source", "events:detail-type"] {
            case.check(
                format!("{binary}: an entry without {key}"),
                "false",
                there[key].as_str().unwrap_or("allowed"),
            );
        }
    }
}

#[tokio::test]
async fn case_82_a_request_without_the_key() {
    let mut case =
        Case::new(82, "roles: a ForAllValues condition does not pass when the key is absent");
    let template = template::read();
    let mut conditions = 0;
    for (binary, properties) in functions(&template) {
        for statement in statements(&template, &properties) {
            let given = statement["Condition"].as_mapping().cloned().unwrap_or_default();
            for (operator, keys) in &given {
                if !operator.as_str().is_some_and(|operator| operator.starts_with("ForAllValues:"))
                {
                    continue;
                }
                for key in keys.as_mapping().unwrap().keys().filter_map(Yaml::as_str) {
                    conditions += 1;
                    let (actions, there) = (
                        texts(&statement["Action"]),
                        statement["Condition"]["Null"][key].as_str().unwrap_or("allowed"),
                    );
                    case.check(
                        format!("{binary}: {actions:?} on {:?}, {key}", statement["Resource"]),
                        "false",
                        there,
                    );
                }
            }
        }
    }
    case.note("conditions", "at least 40", conditions, conditions >= 40);
}

#[tokio::test]
async fn case_83_the_key_through_another_table() {
    let mut case =
        Case::new(83, "key policy: whoever may use another table cannot use this key through it");
    let template = template::read();
    let policy = &template["Resources"]["SecretsKey"]["Properties"]["KeyPolicy"]["Statement"];
    let anybody: Vec<&Yaml> = policy
        .as_sequence()
        .unwrap()
        .iter()
        .filter(|statement| statement["Principal"]["AWS"] == "*")
        .collect();
    case.note(
        "statements for everybody in the account",
        "at least 1",
        anybody.len(),
        !anybody.is_empty(),
    );
    for statement in anybody {
        let (sid, condition) = (statement["Sid"].as_str().unwrap(), &statement["Condition"]);
        let within = ["kms:CallerAccount", "kms:ViaService"]
            .map(|key| condition["StringEquals"][key].is_string());
        case.check(
            format!("{sid}: within the account, through DynamoDB"),
            format!("{:?}", [true, true]),
            format!("{within:?}"),
        );
        let actions = texts(&statement["Action"]);
        // DescribeKey and CreateGrant have no encryption context.
        let opens = actions
            .iter()
            .any(|action| !["kms:DescribeKey", "kms:CreateGrant"].contains(&action.as_str()));
        let tables =
            texts(&condition["StringLike"]["kms:EncryptionContext:aws:dynamodb:tableName"]);
        let bound = !tables.is_empty()
            && tables.iter().all(|table| table.starts_with("${AWS::StackName}-"));
        case.check(format!("{sid}: bound to this stack's table"), opens, bound);
        if actions.contains("kms:CreateGrant") {
            case.check(
                format!("{sid}: only for AWS resources"),
                true,
                condition["Bool"]["kms:GrantIsForAWSResource"] == true,
            );
        }
    }
}
