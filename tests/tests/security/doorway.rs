//! Requests with any byte, event shape or path: none ends a process or reaches what it does not
//! name.

use std::collections::BTreeSet;

use axum::routing::get;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{Stack, User, processes, read};
use tests::depth;
use tests::gateway::{Matches, invoke};
use tests::inside::{Inside, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::security::case::Case;
use crate::security::counters;
use crate::security::routes::with_ids;
use crate::security::target::{Target, summary};

/// What the renewer and the processor call by themselves.
const OWN_LOOKS: [&str; 3] = ["getProfile", "history.list", "token"];

/// A request to each public function that needs no token, and the function's name in the template.
const REQUESTS: [(&str, &str, &str, &str); 3] = [
    ("connectors-api", "GET", "/api/system/info", "ConnectorsApiFunction"),
    ("oauth-connect", "GET", "/api/auth/google/gmail/callback", "OauthConnectFunction"),
    ("pubsub-webhook", "POST", "/api/email/webhook/google/pubsub", "PubsubWebhookFunction"),
];
const HEADERS: [&str; 10] = [
    "host",
    "x-forwarded-proto",
    "x-forwarded-for",
    "authorization",
    "content-type",
    "cookie",
    "origin",
    "range",
    "user-agent",
    "x-amzn-trace-id",
];

fn event(method: &str, path: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": format!("{method} {path}"), "rawPath": path, "rawQueryString": "",
        "headers": {"host": "a.example", "x-forwarded-proto": "https"},
        "requestContext": {"requestId": "r", "stage": "$default", "domainName": "a.example", "http": {"method": method, "path": path}},
        "isBase64Encoded": false,
    })
}

/// Events that each have this character in one of their fields.
fn with(sign: &str, method: &str, path: &str) -> Vec<(String, Value)> {
    let mut events = Vec::new();
    let mut add = |field: &str, change: &dyn Fn(&mut Value)| {
        let mut changed = event(method, path);
        change(&mut changed);
        events.push((field.to_string(), changed));
    };
    add("the path", &|event| event["rawPath"] = format!("{path}/a{sign}b").into());
    add("the path of an unmatched route", &|event| {
        event["routeKey"] = "$default".into();
        event["rawPath"] = format!("{path}{sign}").into();
    });
    add("a path parameter", &|event| {
        event["routeKey"] = "GET /api/connectors/{id}".into();
        event["pathParameters"] = json!({"id": format!("con_{sign}")});
    });
    add("the query", &|event| event["rawQueryString"] = format!("x={sign}&{sign}").into());
    add("the method", &|event| {
        event["requestContext"]["http"]["method"] = format!("GET{sign}").into()
    });
    add("the body", &|event| event["body"] = sign.into());
    add("a body in base64", &|event| {
        event["body"] = format!("YQ{sign}").into();
        event["isBase64Encoded"] = true.into();
    });
    add("the name of a header", &|event| event["headers"][format!("x{sign}")] = "a".into());
    add("the domain", &|event| event["requestContext"]["domainName"] = format!("a{sign}").into());
    add("the stage", &|event| event["requestContext"]["stage"] = format!("a{sign}").into());
    add("a cookie", &|event| event["cookies"] = json!([format!("a={sign}")]));
    for header in HEADERS {
        add(&format!("the header {header}"), &|event| event["headers"][header] = sign.into());
    }
    events
}

/// Events of shapes that the gateway never sends.
fn shapes() -> Vec<String> {
    let base = event("GET", "/api/system/info");
    let mut shapes: Vec<String> =
        ["null", "0", "\"\"", "[]", "{}", "true"].map(String::from).into();
    for field in [
        "routeKey",
        "rawPath",
        "rawQueryString",
        "headers",
        "pathParameters",
        "requestContext",
        "body",
        "isBase64Encoded",
    ] {
        for value in [
            json!(null),
            json!(0),
            json!(-1.5),
            json!("x"),
            json!([]),
            json!({}),
            json!([{"a": null}]),
            json!({"a": {"b": 1}}),
        ] {
            let mut changed = base.clone();
            changed[field] = value;
            shapes.push(changed.to_string());
        }
    }
    let mut many = base.clone();
    many["headers"] = (0..40_000)
        .map(|number| (format!("x-{number}"), json!("a")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mut deep = base.clone();
    deep["other"] = json!(1);
    let deep = deep.to_string().replace(
        "\"other\":1",
        &format!("\"other\":{}1{}", "[".repeat(20_000), "]".repeat(20_000)),
    );
    let mut long = base.clone();
    long["rawQueryString"] = "<".repeat(70_000).into();
    let mut path = base;
    path["routeKey"] = "$default".into();
    path["rawPath"] = format!("/{}", "a".repeat(70_000)).into();
    shapes.extend([many.to_string(), deep, long.to_string(), path.to_string()]);
    shapes
}

/// The statuses of the answers to these events, and how many got no answer.
async fn answers(inside: &Inside, function: &str, events: Vec<String>) -> (BTreeSet<u64>, usize) {
    let router = inside.functions(None)[function].clone();
    let (mut statuses, mut unanswered) = (BTreeSet::new(), 0);
    for event in events {
        match invoke(router.clone(), event).await {
            Some(answer) => {
                let answer: Value = serde_json::from_str(answer.get()).unwrap();
                statuses.insert(answer["statusCode"].as_u64().unwrap());
            }
            None => unanswered += 1,
        }
    }
    (statuses, unanswered)
}

/// Sends these bytes as they are, which no HTTP client would. Returns the status, or 0 if there was
/// no answer.
async fn raw(stack: &Stack, head: &[u8]) -> u16 {
    let address = stack.api_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address.split('/').next().unwrap()).await.unwrap();
    let mut answer = Vec::new();
    // A server may close the connection on invalid HTTP.
    if stream.write_all(head).await.is_ok() {
        let _ = stream.read_to_end(&mut answer).await;
    }
    let line = String::from_utf8_lossy(&answer[..answer.len().min(32)]).into_owned();
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// A request with one raw byte at a position: 0 is the path, 1 the query, then the headers.
fn request(stack: &Stack, position: usize, byte: u8, method: &str, path: &str) -> Vec<u8> {
    let below = stack.api_url.strip_prefix("http://").unwrap();
    let (host, prefix) = below
        .split_once('/')
        .map_or((below, String::new()), |(host, prefix)| (host, format!("/{prefix}")));
    let mut head = format!("{method} {prefix}{path}").into_bytes();
    match position {
        0 => head.extend([b'/', b'a', byte, b'b']),
        1 => head.extend([b'?', b'x', b'=', byte]),
        _ => {}
    }
    head.extend_from_slice(b" HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n");
    if let Some(name) = position.checked_sub(2).map(|header| HEADERS[header]) {
        head.extend_from_slice(format!("{name}: a").as_bytes());
        head.extend([byte, b'b', b'\r', b'\n']);
    }
    if position != 2 {
        head.extend_from_slice(format!("host: {host}\r\n").as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head
}

#[tokio::test]
async fn case_41_any_byte_anywhere() {
    let mut case = Case::new(
        41,
        "all: any byte in path, query, headers, body, and any shape of the gateway's event: no process ends",
    );
    counters::start();
    let inside = Inside::start(Options { queue_only: true, ..Options::default() }).await;
    for (function, method, path, _) in REQUESTS {
        let bytes = (0..=255_u8).flat_map(|byte| with(&char::from(byte).to_string(), method, path));
        let events: Vec<String> = bytes.map(|(_, event)| event.to_string()).collect();
        let (count, (statuses, unanswered)) =
            (events.len(), answers(&inside, function, events).await);
        let what = format!("{function}: 256 bytes in {} fields", count / 256);
        case.check(format!("{what}: not answered"), 0, unanswered);
        case.note(
            format!("{what}: statuses"),
            "below 500",
            format!("{statuses:?}"),
            statuses.iter().all(|status| *status < 500),
        );
        let (statuses, unanswered) = answers(&inside, function, shapes()).await;
        case.check(
            format!("{function}: {} events of other shapes: not answered", shapes().len()),
            0,
            unanswered,
        );
        case.note(
            format!("{function}: statuses of events of other shapes"),
            "below 500",
            format!("{statuses:?}"),
            statuses.iter().all(|status| *status < 500),
        );
    }
    case.check("panics", 0, counters::of("Panics"));
    let (_, method, path, _) = REQUESTS[0];
    let broken =
        axum::Router::new().route(path, get(async || -> StatusCode { panic!("canary-panic") }));
    let answer = invoke(broken, event(method, path).to_string())
        .await
        .map(|answer| answer.get().to_string())
        .unwrap_or_default();
    let panicked: Value = serde_json::from_str(&answer).unwrap_or_default();
    case.check(
        "a function that panics: status",
        500,
        panicked["statusCode"].as_u64().unwrap_or_default(),
    );
    case.check("its answer shows the panic's message", false, answer.contains("canary-panic"));
    case.check("panics counted", 1, counters::of("Panics"));

    let Some(target) = Target::deployed().await else { return };
    for (function, method, path, deployed) in REQUESTS {
        let stack = &target.stack;
        raw(stack, &request(stack, 1, b'a', method, path)).await;
        let before: BTreeSet<u32> = processes(stack, deployed).into_iter().collect();
        // A normal run puts each byte at one position, in turn; a long run at every position.
        let positions = HEADERS.len() + 2;
        let of_each = depth::of(1, positions);
        let (mut sent, mut failed) = (0, 0);
        for byte in 0..=255_u8 {
            for position in (0..of_each).map(|offset| (usize::from(byte) + offset) % positions) {
                sent += 1;
                failed += usize::from(
                    raw(stack, &request(stack, position, byte, method, path)).await >= 500,
                );
            }
        }
        let after: BTreeSet<u32> = processes(stack, deployed).into_iter().collect();
        case.note(
            format!("{function}: its processes before"),
            "at least 1",
            before.len(),
            !before.is_empty(),
        );
        case.check(
            format!("deployed {function}: {sent} requests: processes ended"),
            0,
            before.difference(&after).count(),
        );
        case.check(format!("deployed {function}: answers of 500 and more"), 0, failed);
    }
}

/// Encoded and altered forms of an id; each names nothing that exists.
fn forms(id: &str, connector: &str, trigger: &str) -> Vec<String> {
    let mut forms: Vec<String> = [
        "..%5C..%5C..%5Cowner%5Cdata",
        "..%2F..%2F..%2Fowner%2Fdata",
        "%2e%2e",
        ".",
        "..",
        "%2e",
        "..%5C",
        "%5C",
        "%00",
        "%20",
        "%0d%0a",
        "%7F",
        "%C3%A4",
        "%E2%80%AE",
        "%3C",
        "%22",
        "%7B%7D",
        "%60",
        "%FF",
        "%",
        "%2",
        "%25",
        "%252e%252e",
        "%255C",
        "%23",
        "%2523",
    ]
    .map(String::from)
    .into();
    forms.extend([
        format!("..%2F..%2F..%2Ftriggers%2F{trigger}"),
        format!("..%5C..%5C..%5Ctriggers%5C{trigger}"),
        format!("..%2F..%2F{connector}"),
        format!("{id}%23x"),
        format!("{id}%00"),
        format!("{id}%20"),
        format!("{id}%0a"),
        format!("{id}%5C"),
        format!("{id}%5C.."),
        format!("{id}%2F.."),
        format!("{id}%2F."),
        format!("{id}%2F"),
        format!("%2F{id}"),
        format!(".%2F{id}"),
        format!("x%2F..%2F{id}"),
        format!("{id}%253Fpermanent%253Dtrue"),
        format!("{id}%2523x"),
        format!("{id}%2500"),
    ]);
    forms
}

#[tokio::test]
async fn case_42_an_id_is_that_id() {
    let mut case =
        Case::new(42, "all: an id in a path, altered or encoded in any way, reaches nothing else");
    counters::start();
    for matches in [Matches::Decoded, Matches::Sent] {
        let target =
            Target::configured(Options { matches, queue_only: true, ..Options::default() }).await;
        paths(&mut case, &target, &format!("in process, routes matched on the path {matches:?}"))
            .await;
    }
    if let Some(target) = Target::deployed().await {
        paths(&mut case, &target, "deployed").await;
    }
}

async fn paths(case: &mut Case, target: &Target, name: &str) {
    let user = User::connected(&target.stack, "path").await;
    let message = user.receive(&target.stack, json!({"subject": "lunch", "silent": true})).await;
    if target.inside.is_none() {
        target.idle().await;
    }
    let world = || target.inside.as_ref().map(|inside| &inside.world);
    if let Some(world) = world() {
        world.take_calls();
    }
    target.forget_calls().await;
    let address = target.stack.api_url.strip_prefix("http://").unwrap().to_string();
    let (host, prefix) = address
        .split_once('/')
        .map_or((address.as_str(), String::new()), |(host, prefix)| (host, format!("/{prefix}")));
    let (mut sent, mut other) = (0, Vec::new());
    for (number, (method, segments)) in with_ids().into_iter().enumerate() {
        for (at, segment) in
            segments.iter().enumerate().filter(|(_, segment)| segment.starts_with('{'))
        {
            let own = if segments[2] == "triggers" {
                &user.trigger
            } else if at == 3 {
                &user.connector
            } else {
                &message
            };
            // On the deployed stack each route gets an eighth of the forms; together the routes get
            // all.
            let forms = forms(own, &user.connector, &user.trigger).into_iter().enumerate();
            for (_, form) in
                forms.filter(|(form, _)| target.inside.is_some() || form % 8 == number % 8)
            {
                let filled =
                    segments.iter().enumerate().map(|(index, name)| match name.starts_with('{') {
                        false => name.clone(),
                        true if index == at => form.clone(),
                        true if segments[2] == "triggers" => user.trigger.clone(),
                        true if index == 3 => user.connector.clone(),
                        true if segments[index - 1] == "attachments" => "1".into(),
                        true => message.clone(),
                    });
                let path = filled.collect::<Vec<_>>().join("/");
                let head = format!(
                    "{method} {prefix}{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\nconnection: close\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{{}}",
                    user.token
                );
                let status = raw(&target.stack, head.as_bytes()).await;
                sent += 1;
                if !matches!(status, 400 | 404) {
                    other.push(format!("{status} {method} {path} ({segment})"));
                }
            }
        }
    }
    case.check(
        format!("{name}: {sent} paths: answers that are not 400 or 404"),
        String::new(),
        other.join("; "),
    );
    if let Some(world) = world() {
        case.check(
            format!("{name}: calls to table, key and queue"),
            String::new(),
            world.take_calls().join("; "),
        );
    }
    let calls: Vec<Value> = target
        .calls()
        .await
        .into_iter()
        .filter(|call| call["email"] == user.email || call["method"] == "unknown")
        // On a slow machine a sweep comes meanwhile, which compares the mailbox by itself.
        .filter(|call| !OWN_LOOKS.iter().any(|own| call["method"] == *own))
        .collect();
    case.check(format!("{name}: calls to Google"), 0, calls.len());
    let kept = read(
        target
            .stack
            .api(Method::GET, &format!("/api/triggers/{}", user.trigger), Some(&user.token), None)
            .await,
        StatusCode::OK,
    )
    .await;
    case.check(
        format!("{name}: the trigger still exists"),
        user.trigger.clone(),
        kept["id"].as_str().unwrap().to_string(),
    );
    let path = format!("/api/connectors/{}/messages/{message}", user.connector);
    case.check(
        format!("{name}: the message still exists"),
        "200".to_string(),
        summary(target.stack.api(Method::GET, &path, Some(&user.token), None).await).await,
    );
}
