//! How a mail is taken apart: as recorded answers of Gmail show it.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use fake_google::{NewAttachment, NewMessage};
use serde_json::{Value, json};

use super::client::Client;

pub fn mail(raw: &[u8]) -> NewMessage {
    NewMessage {
        raw: Some(BASE64_STANDARD.encode(raw)),
        authentication_results: Some(String::new()),
        ..NewMessage::default()
    }
}

/// With line ends as mail has them.
pub fn lines(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

pub async fn payload(client: &Client, id: &str) -> Value {
    let (status, message) = client.get(&format!("messages/{id}")).await;
    assert_eq!(status, 200, "{message}");
    message["payload"].clone()
}

pub async fn delivered(client: &Client, raw: &[u8]) -> Value {
    payload(client, &client.deliver(mail(raw))).await
}

/// Puts `<id>` where an attachment id stands: it is another one at each reading.
pub fn without_ids(mut part: Value) -> Value {
    if let Some(id) = part.pointer_mut("/body/attachmentId") {
        *id = "<id>".into();
    }
    if let Some(parts) = part["parts"].as_array_mut() {
        parts.iter_mut().for_each(|part| *part = without_ids(part.take()));
    } else {
        part.as_object_mut().unwrap().remove("parts");
    }
    part
}

fn headers(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn data(text: &str) -> Value {
    json!({ "size": text.len(), "data": BASE64_URL_SAFE.encode(text) })
}

pub const FORWARDED: &str = "From: Bo <bo@example.com>
Subject: Fwd: the invoice
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: text/plain; charset=utf-8

see below
--outer
Content-Type: message/rfc822
Content-Disposition: attachment

From: Ann <ann@shop.example>
Subject: =?utf-8?Q?Rechnung_f=C3=BCr_Mai?=
Content-Type: multipart/mixed; boundary=outer-1

--outer-1
Content-Type: text/plain; charset=us-ascii

here it is
--outer-1
Content-Type: application/pdf; name=\"may.pdf\"
Content-Disposition: attachment; filename=\"may.pdf\"
Content-Transfer-Encoding: base64

JVBERi0x
--outer-1--

--outer--
";

#[tokio::test]
async fn a_mail_within_the_mail_is_taken_apart_and_its_files_can_be_fetched() {
    let client = Client::start().await;
    let id = client.deliver(mail(&lines(FORWARDED)));
    let shown = payload(&client, &id).await;
    let expected = json!({
        "partId": "",
        "mimeType": "multipart/mixed",
        "filename": "",
        "headers": headers(&[
            ("From", "Bo <bo@example.com>"),
            ("Subject", "Fwd: the invoice"),
            ("Content-Type", "multipart/mixed; boundary=outer"),
        ]),
        "body": { "size": 0 },
        "parts": [
            {
                "partId": "0",
                "mimeType": "text/plain",
                "filename": "",
                "headers": headers(&[("Content-Type", "text/plain; charset=utf-8")]),
                "body": data("see below"),
            },
            {
                "partId": "1",
                "mimeType": "message/rfc822",
                "filename": "",
                "headers": headers(&[
                    ("Content-Type", "message/rfc822"),
                    ("Content-Disposition", "attachment"),
                ]),
                "body": { "size": 0 },
                "parts": [{
                    "partId": "1.0",
                    "mimeType": "multipart/mixed",
                    "filename": "",
                    "headers": headers(&[
                        ("From", "Ann <ann@shop.example>"),
                        ("Subject", "Rechnung für Mai"),
                        ("Content-Type", "multipart/mixed; boundary=outer-1"),
                    ]),
                    "body": { "size": 0 },
                    "parts": [
                        {
                            "partId": "1.0.0",
                            "mimeType": "text/plain",
                            "filename": "",
                            "headers": headers(&[("Content-Type", "text/plain; charset=us-ascii")]),
                            "body": data("here it is"),
                        },
                        {
                            "partId": "1.0.1",
                            "mimeType": "application/pdf",
                            "filename": "may.pdf",
                            "headers": headers(&[
                                ("Content-Type", "application/pdf; name=\"may.pdf\""),
                                ("Content-Disposition", "attachment; filename=\"may.pdf\""),
                                ("Content-Transfer-Encoding", "base64"),
                            ]),
                            "body": { "attachmentId": "<id>", "size": 6 },
                        },
                    ],
                }],
            },
        ],
    });
    assert_eq!(without_ids(shown.clone()), expected);
    let attachment = shown["parts"][1]["parts"][0]["parts"][1]["body"]["attachmentId"].as_str();
    let path = format!("messages/{id}/attachments/{}", attachment.unwrap());
    let bytes = json!({ "size": 6, "data": BASE64_URL_SAFE.encode("%PDF-1") });
    assert_eq!(client.get(&path).await, (200, bytes));
    for part in ["1", "1_0", "1_0_0", "1_0_2", "7", "x"] {
        let path = format!("messages/{id}/attachments/ANGjdJ{part}-1");
        assert_eq!(client.get(&path).await.0, 400, "no attachment: {part}");
    }
    let (_, raw) = client.get(&format!("messages/{id}?format=raw")).await;
    assert_eq!(raw["raw"], BASE64_URL_SAFE.encode(lines(FORWARDED)));
}

pub const REPORT: &str = "Subject: Undelivered
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
Arrival-Date: Mon, 1 Jun 2026 09:30:00 +0200

Final-Recipient: rfc822; nobody@example.com
Action: failed
Diagnostic-Code: smtp; 550
 unknown
--b
Content-Type: message/rfc822

Subject: the original

text
--b--
";

fn delivery_status(more: &[(&str, Value)]) -> Value {
    let mut part = json!({
        "partId": "1",
        "mimeType": "message/delivery-status",
        "filename": "",
        "headers": headers(&[("Content-Type", "message/delivery-status")]),
    });
    for (name, value) in more {
        part[*name] = value.clone();
    }
    part
}

#[tokio::test]
async fn a_delivery_report_has_a_part_for_each_group_of_headers() {
    let client = Client::start().await;
    let group = |part_id: &str, pairs: &[(&str, &str)]| {
        json!({
            "partId": part_id,
            "mimeType": "text/plain",
            "filename": "",
            "headers": headers(pairs),
            "body": { "size": 0 },
        })
    };
    let expected = json!([
        {
            "partId": "0",
            "mimeType": "text/plain",
            "filename": "",
            "headers": headers(&[("Content-Type", "text/plain")]),
            "body": data("It could not be delivered."),
        },
        delivery_status(&[
            ("body", json!({ "size": 0 })),
            ("parts", json!([
                group("1.0", &[
                    ("Reporting-MTA", "dns; mx.example.com"),
                    ("Arrival-Date", "Mon, 1 Jun 2026 09:30:00 +0200"),
                ]),
                group("1.1", &[
                    ("Final-Recipient", "rfc822; nobody@example.com"),
                    ("Action", "failed"),
                    ("Diagnostic-Code", "smtp; 550 unknown"),
                ]),
            ])),
        ]),
        {
            "partId": "2",
            "mimeType": "message/rfc822",
            "filename": "",
            "headers": headers(&[("Content-Type", "message/rfc822")]),
            "body": { "size": 0 },
            "parts": [{
                "partId": "2.0",
                "mimeType": "text/plain",
                "filename": "",
                "headers": headers(&[("Subject", "the original")]),
                "body": data("text"),
            }],
        },
    ]);
    assert_eq!(delivered(&client, &lines(REPORT)).await["parts"], expected);
    assert_eq!(client.google.admin.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_report_as_text_is_one_leaf() {
    let client = Client::start().await;
    set(&client, json!({ "delivery_status": "text" })).await;
    let text = "Reporting-MTA: dns; mx.example.com
Arrival-Date: Mon, 1 Jun 2026 09:30:00 +0200

Final-Recipient: rfc822; nobody@example.com
Action: failed
Diagnostic-Code: smtp; 550
 unknown";
    let text = text.replace('\n', "\r\n");
    let shown = delivered(&client, &lines(REPORT)).await;
    assert_eq!(shown["parts"][1], delivery_status(&[("body", data(&text))]));
    set(&client, json!({})).await;
    let shown = delivered(&client, &lines(REPORT)).await;
    assert_eq!(shown["parts"][1]["parts"].as_array().map(Vec::len), Some(2), "the default again");
}

/// Replaces the shapes.
pub async fn set(client: &Client, shapes: Value) -> u16 {
    let url = format!("{}/admin/shapes", client.google.url);
    super::client::read(client.http.put(url).json(&shapes)).await.0
}

#[tokio::test]
async fn texts_come_as_utf_8_whatever_their_header_still_says() {
    let client = Client::start().await;
    let table: [(&str, &[u8], &str); 9] = [
        ("text/plain; charset=iso-2022-jp", b"\x1b$B$3$s$K$A$O\x1b(B", "こんにちは"),
        ("text/plain; charset=\"windows-1252\"", b"\x93f\xfcr 5 \x80\x94", "“für 5 €”"),
        ("text/html; charset=ISO-8859-1", b"<p>f\xfcr</p>", "<p>für</p>"),
        ("text/calendar; charset=koi8-r", b"\xf0", "П"),
        ("text/plain; charset=utf-8", "für".as_bytes(), "für"),
        ("text/plain; charset=iso-8859-1", "für".as_bytes(), "für"),
        ("text/plain; charset=x-unknown", "für".as_bytes(), "für"),
        ("text/plain; charset=x-unknown", b"f\xfcr", "für"),
        ("text/plain", b"f\xfcr", "für"),
    ];
    for (content_type, bytes, expected) in table {
        let raw = format!(
            "Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            BASE64_STANDARD.encode(bytes)
        );
        let shown = delivered(&client, raw.as_bytes()).await;
        let expected = json!({
            "partId": "",
            "mimeType": content_type.split(';').next().unwrap(),
            "filename": "",
            "headers": headers(&[
                ("Content-Type", content_type),
                ("Content-Transfer-Encoding", "base64"),
            ]),
            "body": data(expected),
        });
        assert_eq!(shown, expected);
    }
}

#[tokio::test]
async fn header_values_come_decoded_and_on_one_line() {
    let client = Client::start().await;
    let table: [(&[u8], &str); 9] = [
        (b"=?utf-8?Q?Gr=C3?= =?utf-8?Q?=BC=C3=9Fe?=", "=?utf-8?Q?Gr=C3?= =?utf-8?Q?=BC=C3=9Fe?="),
        (b"=?utf-8?B?R3LDvMOfZQ==?= =?iso-8859-1?Q?_aus_K=F6ln?=", "Grüße aus Köln"),
        (b"=?iso-2022-jp?B?GyRCJDMbKEI=?=", "こ"),
        (b"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab"),
        (b"one;\r\n       two", "one;       two"),
        ("für".as_bytes(), "für"),
        (b"f\xfcr", "für"),
        (b"=?utf-8?Q?a=0D=0ABcc:_x@example.com?=", "a  Bcc: x@example.com"),
        (b"=?x-unknown?Q?a?= b", "=?x-unknown?Q?a?= b"),
    ];
    for (value, expected) in table {
        let raw = [b"Subject: ", value, b"\r\n\r\nx"].concat();
        let id = client.deliver(mail(&raw));
        let path = format!("messages/{id}?format=metadata&metadataHeaders=subject");
        let (_, shown) = client.get(&path).await;
        let expected = headers(&[("Subject", expected)]);
        assert_eq!(shown["payload"]["headers"], expected, "in the format metadata");
        assert_eq!(payload(&client, &id).await["headers"], expected, "in the format full");
    }
}

#[tokio::test]
async fn file_names_are_read_in_each_way_that_they_are_written() {
    let client = Client::start().await;
    let table = [
        ("filename=\"a b.pdf\"", "a b.pdf"),
        ("filename=\"=?utf-8?Q?M=C3=A4rz=3B_22=22.pdf?=\"", "März; 22\".pdf"),
        ("filename*=utf-8''M%C3%A4rz.pdf", "März.pdf"),
        ("filename*0*=utf-8''M%C3%A4; filename*1=\"rz.pdf\"", "März.pdf"),
        ("x=y", ""),
    ];
    for (written, expected) in table {
        let raw = format!(
            "Content-Type: application/pdf\r\nContent-Disposition: attachment; {written}\r\n\r\nx"
        );
        let shown = delivered(&client, raw.as_bytes()).await;
        assert_eq!(shown["filename"], expected, "{written}");
        assert_eq!(shown["body"]["size"], 1);
    }
}

#[tokio::test]
async fn an_attachment_that_is_described_has_its_name_and_type_to_the_letter() {
    let client = Client::start().await;
    for (filename, mime_type) in [
        ("bill.pdf", "application/pdf"),
        ("a\r\nX: y", "text/html\r\nX: y"),
        ("a\"; filename=\"b", "text/html, text/plain"),
        ("発\u{202e}", ""),
        ("", "message/rfc822"),
    ] {
        let attachment =
            NewAttachment { filename: filename.into(), mime_type: mime_type.into(), size: 10 };
        let id =
            client.deliver(NewMessage { attachment: Some(attachment), ..NewMessage::default() });
        let shown = payload(&client, &id).await;
        let part = &shown["parts"][1];
        assert_eq!((&part["filename"], &part["mimeType"]), (&json!(filename), &json!(mime_type)));
        assert_eq!(shown["parts"].as_array().map(Vec::len), Some(2));
    }
}

#[tokio::test]
async fn files_are_found_at_any_depth_and_in_nested_mails() {
    let client = Client::start().await;
    client.deliver(mail(&lines(FORWARDED)));
    client.deliver(mail(&lines(REPORT)));
    for (query, found) in [
        ("has:attachment", true),
        ("filename:pdf", true),
        ("filename:MAY.pdf", true),
        ("filename:june", false),
    ] {
        let (_, listing) = client.get(&format!("messages?q={query}")).await;
        let count = listing["messages"].as_array().map_or(0, Vec::len);
        assert_eq!(count, usize::from(found), "{query}");
    }
}

#[tokio::test]
async fn a_thread_is_joined_by_the_decoded_subject_and_a_reference() {
    let client = Client::start().await;
    let first = "Message-ID: <first@example.com>\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\nx";
    let thread = client.deliver(mail(first.as_bytes()));
    let table = [
        ("Re: =?iso-8859-1?B?R3L832U=?=", "<first@example.com>", true),
        ("=?utf-8?Q?Fwd:_RE:_Gr=C3=BC=C3=9Fe?=", "<first@example.com>", true),
        ("Re: Gr\u{fc}\u{df}e", "<first@example.com>", true),
        ("Re: Gruesse", "<first@example.com>", false),
        ("Re: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "<other@example.com>", false),
    ];
    for (subject, reference, joins) in table {
        let raw =
            format!("To: bo@example.com\r\nSubject: {subject}\r\nReferences: {reference}\r\n\r\nx");
        let message = json!({ "raw": BASE64_URL_SAFE.encode(raw), "threadId": thread });
        let (status, sent) = client.post("messages/send", message).await;
        assert_eq!((status, sent["threadId"] == json!(thread)), (200, joins), "{subject}: {sent}");
    }
}
