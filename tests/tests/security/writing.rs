//! Text that a caller puts into a mail's headers reads there as the caller wrote it.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{User, read};

use crate::security::case::Case;
use crate::security::target::Target;

/// A mail reader would show this as `paid` if it were written into a header unencoded.
const WORD: &str = "=?utf-8?q?paid?=";
const IN_BASE64: &str = "=?UTF-8?B?cGFpZA==?=";

/// The draft's raw mail with unfolded headers, and the message as the API shows it.
async fn written(target: &Target, user: &User, mail: Value) -> (String, Value) {
    let drafts = format!("/api/connectors/{}/drafts", user.connector);
    let made = read(
        target.stack.api(Method::POST, &drafts, Some(&user.token), Some(mail)).await,
        StatusCode::CREATED,
    )
    .await;
    let id = made["message"]["id"]
        .as_str()
        .or(made["message_id"].as_str())
        .unwrap_or_else(|| panic!("no message: {made}"))
        .to_string();
    let of =
        |format: &str| format!("/api/connectors/{}/messages/{id}?format={format}", user.connector);
    let raw = read(
        target.stack.api(Method::GET, &of("raw"), Some(&user.token), None).await,
        StatusCode::OK,
    )
    .await;
    let bytes =
        BASE64_URL_SAFE_NO_PAD.decode(raw["raw"].as_str().unwrap().trim_end_matches('=')).unwrap();
    let full = read(
        target.stack.api(Method::GET, &of("full"), Some(&user.token), None).await,
        StatusCode::OK,
    )
    .await;
    (String::from_utf8(bytes).unwrap().replace("\r\n ", " ").replace("\r\n\t", " "), full)
}

fn line<'a>(mail: &'a str, name: &str) -> &'a str {
    mail.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

/// The base64 encoded words of a header, decoded; text between them is dropped.
fn decoded(line: &str) -> String {
    let words = line
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("=?utf-8?B?")?.strip_suffix("?="));
    let bytes: Vec<u8> = words.flat_map(|word| BASE64_STANDARD.decode(word).unwrap()).collect();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn case_69_text_that_looks_encoded() {
    let mut case = Case::new(
        69,
        "sending: header text that looks like an encoded word is shown as it was given",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "writes").await);
        let long = format!("{WORD} {}", "a long subject ".repeat(12)).trim().to_string();
        for subject in [WORD, IN_BASE64, "unpaid =?utf-8?q?paid?=", "=?utf-8?q?paid", long.as_str()]
        {
            // Gmail decodes headers before they are read, so what it shows cannot be told from an
            // encoded word: only what was sent can be checked.
            let (mail, _) = written(
                &target,
                &user,
                json!({"to": ["bo@example.com"], "subject": subject, "text": "x"}),
            )
            .await;
            case.check(
                format!("{name}: subject {subject:.30}, decoded"),
                subject.to_string(),
                decoded(line(&mail, "Subject")),
            );
        }
        let to = json!([{"name": WORD, "address": "bo@example.com"}, {"name": "Ada", "address": "ada@example.com"}, "cy@example.com"]);
        let (mail, read) =
            written(&target, &user, json!({"to": to, "subject": "x", "text": "x"})).await;
        case.check(format!("{name}: names"), format!("{WORD}Ada"), decoded(line(&mail, "To")));
        let addresses: Vec<&Value> =
            read["to"].as_array().unwrap().iter().map(|to| &to["address"]).collect();
        case.check(
            format!("{name}: addresses"),
            json!(["bo@example.com", "ada@example.com", "cy@example.com"]),
            json!(addresses),
        );
        let file = format!("{WORD}.txt");
        let attachments = json!([{"filename": file, "mime_type": "text/plain", "content": BASE64_STANDARD.encode("x")}]);
        let (mail, read) = written(
            &target,
            &user,
            json!({"to": ["bo@example.com"], "text": "x", "attachments": attachments}),
        )
        .await;
        case.check(
            format!("{name}: a file's name is written unencoded"),
            false,
            mail.contains(WORD),
        );
        case.check(
            format!("{name}: a file's name, read back"),
            json!(file),
            read["attachments"][0]["filename"].clone(),
        );
        let plain = "a = ?b, as it is";
        let (mail, _) = written(
            &target,
            &user,
            json!({"to": ["bo@example.com"], "subject": plain, "text": "x"}),
        )
        .await;
        case.check(
            format!("{name}: text that does not look encoded"),
            plain.to_string(),
            line(&mail, "Subject").to_string(),
        );
    }
}
