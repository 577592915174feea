//! Attachments from hostile senders: their file name, content type and ranges.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tests::deployed::User;

use crate::security::case::Case;
use crate::security::target::{Target, header, status, summary};

/// The gateway's limit on an answer's headers, in bytes.
const LONGEST_HEADERS: usize = 10_240;

async fn get(
    target: &Target,
    user: &User,
    message: &str,
    part: &str,
    range: Option<&str>,
) -> Response {
    let path = format!("/api/connectors/{}/messages/{message}/attachments{part}", user.connector);
    let request = target.stack.request(Method::GET, &path).bearer_auth(&user.token);
    target
        .stack
        .answer(range.iter().fold(request, |request, range| request.header("range", *range)))
        .await
}

async fn mail(
    target: &Target,
    user: &User,
    filename: &str,
    mime_type: &str,
    size: usize,
) -> String {
    let attachment = json!({"filename": filename, "mime_type": mime_type, "size": size});
    user.receive(
        &target.stack,
        json!({"subject": "lunch", "attachment": attachment, "silent": true}),
    )
    .await
}

/// The file name as a browser reads it (RFC 6266, RFC 8187), or what is wrong with the header.
fn name_of(response: &Response) -> Result<String, String> {
    let values: Vec<_> = response.headers().get_all("content-disposition").iter().collect();
    let [value] = values.as_slice() else { return Err(format!("{} headers", values.len())) };
    let disposition = value.to_str().map_err(|_| "signs beyond ASCII".to_string())?;
    let names = disposition.strip_prefix("attachment; filename=\"").ok_or("another form")?;
    let (plain, encoded) = names.split_once("\"; filename*=UTF-8''").ok_or("another form")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" ._-()".contains(&byte);
    if !plain.bytes().all(is_plain) || plain.len() > 255 {
        return Err("a plain name with other letters, or too long".into());
    }
    let bytes: Vec<u8> = form_decoded(encoded).ok_or("an encoding that is none")?;
    String::from_utf8(bytes).map_err(|_| "no UTF-8".into())
}

fn form_decoded(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok()?);
            rest = &after[2..];
        } else if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            bytes.push(byte);
        } else {
            return None;
        }
    }
    Some(bytes)
}

#[tokio::test]
async fn case_73_a_hostile_file_name() {
    let mut case = Case::new(
        73,
        "API: an attachment's name of 4,000 letters, with line ends, quotes, folders, or reversed text direction",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "names").await);
        for (what, filename, extension) in [
            ("4,000 letters", "a".repeat(4_000) + ".pdf", ".pdf"),
            ("4,000 letters of three bytes", "発".repeat(4_000) + ".pdf", ".pdf"),
            ("an extension of 4,000 letters", format!("a.{}", "b".repeat(4_000)), ""),
            ("a line end and a header", "a\r\nSet-Cookie: a=b\r\n\r\n<script>.pdf".into(), ".pdf"),
            ("quotes and another name", "a\"; filename=\"b.exe\"; x=\".pdf".into(), ".pdf"),
            ("an encoded name of its own", "a\"; filename*=UTF-8''b.exe; x=\".pdf".into(), ".pdf"),
            ("another folder", "../../etc/cron.d/a.pdf".into(), ".pdf"),
            ("another folder of Windows", "..\\..\\a.pdf".into(), ".pdf"),
            ("another folder in percent", "..%2F..%2Fa.pdf".into(), ".pdf"),
            ("reversed text direction", "may\u{202e}fdp.exe".into(), "fdp.exe"),
            ("direction and zero-width marks", "may\u{2066}\u{200f}\u{feff}.exe".into(), "may.exe"),
            ("nothing but marks", "\u{202e}\u{200b}".into(), ""),
            ("terminal escapes", "\u{1b}[2J\u{0}\u{9b}a.pdf".into(), ".pdf"),
        ] {
            let message = mail(&target, &user, &filename, "application/pdf", 10).await;
            let answer = get(&target, &user, &message, "/1", None).await;
            let length: usize = answer
                .headers()
                .iter()
                .map(|(name, value)| name.as_str().len() + value.len())
                .sum();
            let (came, cookies, named) =
                (status(&answer), answer.headers().contains_key("set-cookie"), name_of(&answer));
            case.check(format!("{name}: {what}"), 200, came);
            case.check(format!("{name}: {what}: sets a cookie"), false, cookies);
            case.note(
                format!("{name}: {what}: headers"),
                "less than 10,240 bytes",
                length,
                length < LONGEST_HEADERS,
            );
            let steers = |sign: char| {
                sign.is_control() || "/\\\u{200b}\u{200f}\u{202e}\u{2066}\u{feff}".contains(sign)
            };
            let holds = named.as_ref().is_ok_and(|name| {
                name.len() <= 255 && name.ends_with(extension) && !name.contains(steers)
            });
            let shown = named.map_or_else(
                |wrong| wrong,
                |name| format!("{} bytes, {}", name.len(), name.escape_debug()),
            );
            case.note(
                format!("{name}: {what}: its name"),
                format!("at most 255 plain bytes, …{extension}"),
                shown,
                holds,
            );
        }
    }
}

/// An inline SVG image, which can run scripts.
const SHOWN: &str = "From: a@example.com\r\nSubject: lunch\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/html\r\n\r\n<img src=cid:x>\r\n\
    --b\r\nContent-Type: image/svg+xml; name=x.svg\r\nContent-Disposition: inline; filename=x.svg\r\nContent-ID: <x>\r\n\r\n\
    <svg onload=alert(1)>\r\n--b--\r\n";

#[tokio::test]
async fn case_74_an_attachment_is_a_download() {
    let mut case = Case::new(
        74,
        "API: an attachment that a browser would run is downloaded, never shown, sniffed or cached",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "types").await);
        let mut mails = Vec::new();
        for (mime_type, content_type) in [
            ("text/html", "text/html"),
            ("image/svg+xml", "image/svg+xml"),
            ("application/xhtml+xml", "application/xhtml+xml"),
            ("application/javascript", "application/javascript"),
            ("text/html; charset=utf-7", "application/octet-stream"),
            ("text/html\r\nSet-Cookie: a=b", "application/octet-stream"),
            ("text/html, text/plain", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            mails.push((
                mime_type,
                content_type,
                mail(&target, &user, "a.html", mime_type, 10).await,
            ));
        }
        let raw = json!({"raw": BASE64_STANDARD.encode(SHOWN), "silent": true});
        mails.push(("an inline image", "image/svg+xml", user.receive(&target.stack, raw).await));
        for (what, content_type, message) in mails {
            let listed: Value = get(&target, &user, &message, "", None).await.json().await.unwrap();
            let all = ["attachments", "embedded"].map(|list| &listed[list][0]["part_id"]);
            let part = all.into_iter().find_map(Value::as_str).unwrap_or("none").to_string();
            for (how, range, expected) in
                [("whole", None, 200), ("a part of it", Some("bytes=0-3"), 206)]
            {
                let answer = get(&target, &user, &message, &format!("/{part}"), range).await;
                let what = format!("{name}: {}, {how}", what.escape_debug());
                case.check(&what, expected, status(&answer));
                case.check(
                    format!("{what}: content type"),
                    content_type.to_string(),
                    header(&answer, "content-type"),
                );
                let rest = ["x-content-type-options", "cache-control", "content-security-policy"]
                    .map(|name| header(&answer, name));
                let protected = "nosniff, no-store, sandbox; default-src 'none'".to_string();
                case.check(
                    format!("{what}: not sniffed, cached or run"),
                    protected,
                    rest.join(", "),
                );
                let saved = header(&answer, "content-disposition").starts_with("attachment;");
                case.check(
                    format!("{what}: downloaded, without a cookie"),
                    true,
                    saved && !answer.headers().contains_key("set-cookie"),
                );
            }
        }
    }
}

#[tokio::test]
async fn case_75_ranges() {
    let mut case =
        Case::new(75, "API: ranges of a 34 MB attachment that are too small, too large or invalid");
    let many = format!("bytes={}", vec!["0-0"; 1_500].join(","));
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "ranges").await);
        let large =
            mail(&target, &user, "a.bin", "application/octet-stream", 34 * 1024 * 1024).await;
        target.idle().await;
        for (what, range, expected) in [
            ("none", None, "413 attachment_too_large"),
            ("one byte", Some("bytes=0-0"), "416 range_too_small"),
            ("a megabyte less one byte", Some("bytes=0-1048574"), "416 range_too_small"),
            ("4 MB and a byte", Some("bytes=0-4194304"), "413 attachment_too_large"),
            ("1,500 ranges", Some(many.as_str()), "413 attachment_too_large"),
            ("reversed", Some("bytes=5-2"), "413 attachment_too_large"),
            (
                "from beyond all numbers",
                Some("bytes=99999999999999999999999-"),
                "416 range_outside",
            ),
            (
                "to beyond all numbers",
                Some("bytes=0-99999999999999999999999"),
                "413 attachment_too_large",
            ),
            ("the last 0 bytes", Some("bytes=-0"), "416 range_outside"),
            (
                "more last bytes than there are",
                Some("bytes=-99999999999999999999999"),
                "413 attachment_too_large",
            ),
            ("a negative number", Some("bytes=--1"), "413 attachment_too_large"),
            ("letters", Some("bytes=a-b"), "413 attachment_too_large"),
            ("of another unit", Some("lines=0-1"), "413 attachment_too_large"),
        ] {
            target.stack.forget_calls_for(&user.email).await;
            case.check(
                format!("{name}: {what}"),
                expected.to_string(),
                summary(get(&target, &user, &large, "/1", range).await).await,
            );
            let looks = target.called_for(&user.email, "messages.get").await;
            case.note(format!("{name}: {what}: reads of the mail"), "at most 1", looks, looks <= 1);
            let reads = target.called_for(&user.email, "messages.attachments.get").await;
            case.check(format!("{name}: {what}: reads of the attachment"), 0, reads);
        }
        let small =
            mail(&target, &user, "a.bin", "application/octet-stream", 5 * 1024 * 1024).await;
        target.stack.forget_calls_for(&user.email).await;
        let answer = get(&target, &user, &small, "/1", Some("bytes=-10")).await;
        case.check(format!("{name}: the end of 5 MB"), 206, status(&answer));
        case.check(
            format!("{name}: its content-range"),
            "bytes 5242870-5242879/5242880".to_string(),
            header(&answer, "content-range"),
        );
        case.check(format!("{name}: its bytes"), 10, answer.bytes().await.unwrap().len());
        case.check(
            format!("{name}: reads for it"),
            1,
            target.called_for(&user.email, "messages.attachments.get").await,
        );
    }
}
