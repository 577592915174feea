//! The API's peak memory for its largest answers, against the function's memory size.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::json;
use tests::deployed::{Stack, User, kill, processes, read, webhook};
use tests::template;

const FUNCTION: &str = "ConnectorsApi";
/// Lambda's limit on a response, in bytes.
const LONGEST_RESPONSE: usize = 6_291_556;

/// Ends the function's processes, so that the next process's peak is that of the next request.
pub async fn renew(stack: &Stack) {
    stack.until("processes to end", async || kill(&processes(stack, FUNCTION)).then_some(())).await;
    stack.until("their end", async || processes(stack, FUNCTION).is_empty().then_some(())).await;
}

/// The largest peak of any of the function's processes, in kilobytes.
pub fn peak_kb(stack: &Stack) -> u64 {
    let peak = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .ok()
    };
    processes(stack, FUNCTION)
        .into_iter()
        .filter_map(peak)
        .max()
        .expect("the function has a process")
}

/// The first answer that is none of a machine with too much to do: the fake may write 45 MB more
/// slowly than the function's timeout, and give nobody the issuer's keys meanwhile; the emulator may
/// hand a request to a process that just ended.
pub async fn in_the_end(stack: &Stack, once: impl AsyncFn() -> Response) -> Response {
    let answer = async || {
        let answer = once().await;
        let busy = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::BAD_GATEWAY];
        if busy.contains(&answer.status()) {
            // Keys are asked for again after one second, and then after two.
            tokio::time::sleep(Duration::from_secs(1)).await;
            return None;
        }
        Some(answer)
    };
    stack.until("an answer", answer).await
}

/// Delivers mail and fires events that are as large, or as many, as one answer can contain.
async fn fill(stack: &Stack, user: &User, hook: &str) -> String {
    let headers: serde_json::Map<_, _> =
        (0..2_000).map(|number| (format!("x-{number}"), json!("a".repeat(20)))).collect();
    for (thread, count, mail) in [
        ("19b0aaaa", 24, json!({"text": "x".repeat(480_000)})),
        ("19b0bbbb", 100, json!({"headers": headers})),
    ] {
        let mut mail = mail;
        mail["subject"] = json!(format!("{thread} {{n}}"));
        mail["thread_id"] = json!(thread);
        mail["silent"] = json!(true);
        user.receive_many(stack, count, mail).await;
    }
    let file = json!({"filename": "a.bin", "mime_type": "application/octet-stream", "size": 34 * 1024 * 1024});
    let large =
        user.receive(stack, json!({"subject": "file", "attachment": file, "silent": true})).await;
    for number in 0..70 {
        let body = json!({"event_type": "long", "number": number, "data": "\"".repeat(6_500)});
        let answer = stack
            .api(
                Method::POST,
                &format!("/api/triggers/{hook}/events"),
                Some(&user.token),
                Some(body),
            )
            .await;
        read(answer, StatusCode::ACCEPTED).await;
    }
    large
}

#[tokio::test]
async fn the_largest_answers_leave_a_tenth_of_the_memory() {
    let stack = Stack::running();
    let user = User::connected(&stack, "peaks").await;
    // Without a trigger the processor does not fetch these mails, which would delay other tests.
    let trigger = format!("/api/triggers/{}", user.trigger);
    assert_eq!(
        stack.api(Method::DELETE, &trigger, Some(&user.token), None).await.status(),
        StatusCode::NO_CONTENT
    );
    let hook = webhook(&stack, &user).await["id"].as_str().unwrap().to_string();
    let large = fill(&stack, &user, &hook).await;
    let given_mb =
        template::read()["Resources"]["ConnectorsApiFunction"]["Properties"]["MemorySize"]
            .as_u64()
            .unwrap();
    let of_connector = |end: &str| format!("/api/connectors/{}{end}", user.connector);
    let mut wrong = Vec::new();
    for (what, path, range) in [
        ("nothing large", "/api/system/info".to_string(), None),
        (
            "a listing of long texts",
            of_connector("/messages?format=full&page_size=100&query=subject:19b0aaaa"),
            None,
        ),
        (
            "a listing of many headers",
            of_connector("/messages?format=full&page_size=100&query=subject:19b0bbbb"),
            None,
        ),
        (
            "as much of it as is answered",
            of_connector("/messages?format=full&page_size=11&query=subject:19b0aaaa"),
            None,
        ),
        ("a thread of long texts", of_connector("/threads/19b0aaaa"), None),
        ("a thread of many headers", of_connector("/threads/19b0bbbb"), None),
        (
            "a part of a large attachment",
            of_connector(&format!("/messages/{large}/attachments/1")),
            Some("bytes=0-4194303"),
        ),
        ("a page of firings", format!("/api/triggers/{hook}/firings"), None),
        ("a page of the export", "/api/owner/data".into(), None),
    ] {
        renew(&stack).await;
        let request_once = async || {
            let request = stack.request(Method::GET, &path).bearer_auth(&user.token);
            stack
                .answer(
                    range.iter().fold(request, |request, range| request.header("range", *range)),
                )
                .await
        };
        let answer = in_the_end(&stack, request_once).await;
        let (status, bytes) = (answer.status().as_u16(), answer.bytes().await.unwrap());
        // The size in Lambda's response: text is escaped once more, bytes are base64.
        let handed = std::str::from_utf8(&bytes).ok().filter(|_| range.is_none());
        let handed =
            handed.map_or(bytes.len().div_ceil(3) * 4, |text| json!(text).to_string().len());
        let peak = peak_kb(&stack);
        println!(
            "{what}: {status}, {handed} bytes handed over, {} MB of {given_mb} at most",
            peak / 1024
        );
        let fits = peak * 10 <= given_mb * 1024 * 9
            && handed <= LONGEST_RESPONSE
            && matches!(status, 200 | 206 | 413);
        if !fits {
            wrong.push(format!("{what}: {status}, {handed} bytes, {peak} kB"));
        }
    }
    assert!(wrong.is_empty(), "of {given_mb} MB: {wrong:?}");
}
