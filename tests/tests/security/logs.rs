//! The log groups of the deployed functions, and the metrics in them, in CloudWatch's embedded
//! metric format.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tests::deployed::Stack;

async fn logs_api(stack: &Stack, action: &str, body: Value) -> Value {
    // The emulator reads the service name from the signature, and does not verify it.
    let scope = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=00";
    let client = reqwest::Client::new();
    // Retried as AWS's clients do: the emulator answers 500 if a log stream is created while it
    // lists them.
    for _ in 0..5 {
        let request = client
            .post(&stack.aws_endpoint)
            .header("x-amz-target", format!("Logs_20140328.{action}"));
        let request = request
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", scope);
        let response = request.body(body.to_string()).send().await.unwrap();
        if !response.status().is_server_error() {
            assert!(response.status().is_success(), "{action}: {}", response.status());
            return serde_json::from_str(&response.text().await.unwrap()).unwrap();
        }
    }
    panic!("{action}: the emulator goes on answering with an error of its own")
}

/// Every log line since then.
pub async fn lines(stack: &Stack, since: SystemTime) -> Vec<String> {
    lines_of(stack, "", since).await
}

/// The lines of the log groups whose names contain this.
pub async fn lines_of(stack: &Stack, name: &str, since: SystemTime) -> Vec<String> {
    let start = since.duration_since(UNIX_EPOCH).unwrap().as_millis();
    let mut lines = Vec::new();
    let groups = logs_api(stack, "DescribeLogGroups", json!({})).await;
    let named =
        |group: &&Value| group["logGroupName"].as_str().is_some_and(|group| group.contains(name));
    for group in groups["logGroups"].as_array().unwrap().iter().filter(named) {
        let mut token = Value::Null;
        loop {
            let mut request = json!({"logGroupName": group["logGroupName"], "startTime": start});
            if !token.is_null() {
                request["nextToken"] = token;
            }
            let page = logs_api(stack, "FilterLogEvents", request).await;
            let events = page["events"].as_array().unwrap();
            lines.extend(events.iter().flat_map(|event| {
                event["message"].as_str().unwrap_or_default().lines().map(String::from)
            }));
            token = page["nextToken"].clone();
            if token.is_null() {
                break;
            }
        }
    }
    lines
}

/// The sum of a metric since then; a name may end with a dimension's value: `WakeUps/stale`.
pub async fn counted(stack: &Stack, name: &str, since: SystemTime) -> u64 {
    let (name, value) =
        name.split_once('/').map_or((name, None), |(name, value)| (name, Some(value)));
    let of = |line: &String| {
        let metrics: Value = serde_json::from_str(line).ok()?;
        let has =
            |value| metrics.as_object().is_some_and(|all| all.values().any(|one| one == value));
        let is_it = value.is_none_or(has);
        if is_it { metrics.get(name)?.as_f64() } else { None }
    };
    lines(stack, since)
        .await
        .iter()
        .filter(|line| line.contains("_aws") && line.contains(name))
        .filter_map(of)
        .sum::<f64>() as u64
}
