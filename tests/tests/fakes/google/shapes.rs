//! What is not known of Gmail's answers comes either way, as a test wishes; and whatever is
//! delivered, something is answered.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::{Value, json};

use super::client::Client;
use super::parts::{FORWARDED, delivered, lines, mail, payload, set};

/// The part's content and whether it has parts: `nothing`, `data`, `id`.
fn shape(part: &Value) -> (&'static str, bool) {
    let body = &part["body"];
    let content = match (body.get("data"), body.get("attachmentId")) {
        (Some(_), None) => "data",
        (None, Some(_)) => "id",
        (None, None) if body == &json!({ "size": 0 }) => "nothing",
        _ => panic!("{body}"),
    };
    (content, part.get("parts").is_some())
}

#[tokio::test]
async fn a_nested_mail_is_taken_apart_handed_out_or_both() {
    let client = Client::start().await;
    let named =
        FORWARDED.replace("Disposition: attachment\n", "Disposition: attachment; filename=a.eml\n");
    let within =
        &FORWARDED[FORWARDED.find("From: Ann").unwrap()..FORWARDED.find("\n--outer--").unwrap()];
    let table =
        [("apart", ("nothing", true)), ("handed_out", ("id", false)), ("both", ("id", true))];
    for (handing, expected) in table {
        for (switch, other) in
            [("nested_mail", &named), ("named_nested_mail", &FORWARDED.to_owned())]
        {
            assert_eq!(set(&client, json!({ switch: handing })).await, 200);
            let raw = if switch == "nested_mail" { FORWARDED } else { &named };
            let id = client.deliver(mail(&lines(raw)));
            let part = payload(&client, &id).await["parts"][1].clone();
            assert_eq!(shape(&part), expected, "{switch} {handing}");
            if let Some(attachment) = part["body"]["attachmentId"].as_str() {
                let (_, bytes) =
                    client.get(&format!("messages/{id}/attachments/{attachment}")).await;
                assert_eq!(bytes["data"], BASE64_URL_SAFE.encode(lines(within)));
            }
            let other = delivered(&client, &lines(other)).await;
            assert_eq!(shape(&other["parts"][1]), ("nothing", true), "not meant by {switch}");
        }
    }
    assert_eq!(client.google.admin.violations(), Vec::<String>::new());
}

/// A text within so many mails.
fn nested(mails: usize) -> Vec<u8> {
    [b"Content-Type: message/rfc822\r\n\r\n".repeat(mails).as_slice(), b"\r\ndeep"].concat()
}

#[tokio::test]
async fn a_mail_within_many_mails_is_nested_whole_or_handed_out() {
    let client = Client::start().await;
    for (deep, expected) in [("nested", ("nothing", true)), ("leaf", ("id", false))] {
        assert_eq!(set(&client, json!({ "deep": deep, "deepest": 2 })).await, 200);
        let root = delivered(&client, &nested(4)).await;
        let second = &root["parts"][0];
        assert_eq!((shape(&root), shape(second)), (("nothing", true), ("nothing", true)));
        let third = &second["parts"][0];
        assert_eq!((shape(third), &third["partId"]), (expected, &json!("0.0")), "{deep}");
    }
}

#[tokio::test]
async fn a_text_without_a_name_is_inline_or_handed_out() {
    let client = Client::start().await;
    let large = format!("Content-Type: text/html\r\n\r\n{}", "x".repeat(1001));
    let disposed =
        "Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nx".to_owned();
    for (handing, expected) in [("inline", "data"), ("handed_out", "id")] {
        set(&client, json!({ "large_text": handing, "large": 1000 })).await;
        assert_eq!(shape(&delivered(&client, large.as_bytes()).await), (expected, false));
        let small = delivered(&client, &large.as_bytes()[..large.len() - 1]).await;
        assert_eq!(shape(&small), ("data", false), "1000 bytes are not large");
        assert_eq!(shape(&delivered(&client, disposed.as_bytes()).await), ("data", false));
        set(&client, json!({ "disposed_text": handing })).await;
        assert_eq!(shape(&delivered(&client, disposed.as_bytes()).await), (expected, false));
        assert_eq!(shape(&delivered(&client, large.as_bytes()).await), ("data", false));
    }
}

#[tokio::test]
async fn a_text_file_keeps_its_bytes_or_becomes_utf_8() {
    let client = Client::start().await;
    let raw = b"Content-Type: text/csv; charset=iso-8859-1; name=a.csv\r\n\r\nf\xfcr";
    for (shape, expected) in [("as_sent", b"f\xfcr".as_slice()), ("utf8", "für".as_bytes())] {
        set(&client, json!({ "text_file": shape })).await;
        let id = client.deliver(mail(raw));
        let body = payload(&client, &id).await["body"].clone();
        let attachment = body["attachmentId"].as_str().unwrap();
        let (_, bytes) = client.get(&format!("messages/{id}/attachments/{attachment}")).await;
        let expected = json!({ "size": expected.len(), "data": BASE64_URL_SAFE.encode(expected) });
        assert_eq!((&bytes, &body["size"]), (&expected, &expected["size"]));
    }
}

#[tokio::test]
async fn a_text_that_is_utf_8_after_all_is_taken_for_it_or_not() {
    let client = Client::start().await;
    let raw = "Content-Type: text/plain; charset=iso-8859-1\r\n\r\nfür".as_bytes();
    for (shape, expected) in [("detected", "für"), ("as_declared", "fÃ¼r")] {
        set(&client, json!({ "mislabelled_text": shape })).await;
        let body = delivered(&client, raw).await["body"].clone();
        let expected = json!({ "size": expected.len(), "data": BASE64_URL_SAFE.encode(expected) });
        assert_eq!(body, expected);
    }
}

#[tokio::test]
async fn a_decoded_name_gets_quotes_or_none() {
    let client = Client::start().await;
    let raw = "From: =?utf-8?Q?Doe=2C_J=C3=A4n_=22J=22?= <jane@example.com>\r\n\
               To: \"a, b\" <c@example.com>\r\nSubject: =?utf-8?Q?a=2Cb?=\r\n\r\nx";
    for (shape, from) in [
        ("bare", "Doe, Jän \"J\" <jane@example.com>"),
        ("quoted", "\"Doe, Jän \\\"J\\\"\" <jane@example.com>"),
    ] {
        set(&client, json!({ "decoded_names": shape })).await;
        let id = client.deliver(mail(raw.as_bytes()));
        let (_, metadata) = client.get(&format!("messages/{id}?format=metadata")).await;
        let expected = json!([
            { "name": "From", "value": from },
            { "name": "To", "value": "\"a, b\" <c@example.com>" },
            { "name": "Subject", "value": "a,b" },
        ]);
        assert_eq!(metadata["payload"]["headers"], expected);
        assert_eq!(payload(&client, &id).await["headers"], expected);
    }
}

#[tokio::test]
async fn the_root_has_an_empty_part_id_or_none() {
    let client = Client::start().await;
    for (shape, expected) in [("empty", Some(&json!(""))), ("absent", None)] {
        set(&client, json!({ "part_id_of_root": shape })).await;
        let shown = delivered(&client, &lines(FORWARDED)).await;
        assert_eq!(shown.get("partId"), expected);
        assert_eq!(shown["parts"][0]["partId"], "0");
    }
    assert_eq!(set(&client, json!({ "part_id_of_root": "none" })).await, 400);
    assert_eq!(set(&client, json!({ "unknown": "empty" })).await, 400);
}

#[tokio::test]
async fn hostile_nesting_ends_in_a_text() {
    let client = Client::start().await;
    let multiparts: String = (0..5000)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"))
        .collect();
    for raw in [nested(5000), lines(&multiparts)] {
        let id = client.deliver(mail(&raw));
        let url = format!("{}/gmail/v1/users/me/messages/{id}", client.google.url);
        let answer = client.http.get(url).bearer_auth(&client.access_token).send().await.unwrap();
        let text = answer.text().await.unwrap();
        assert_eq!(text.matches("\"parts\"").count(), 200, "the levels that are taken apart");
        assert_eq!(text.matches("\"text/plain\"").count(), 1);
    }
}

#[tokio::test]
async fn what_is_no_mail_is_a_text() {
    let client = Client::start().await;
    for raw in [b"".as_slice(), b"\r", b" leading blank\r\n", b"\0\xff\xfe", b"no header\r\n\r\nx"]
    {
        let shown = delivered(&client, raw).await;
        assert_eq!((&shown["mimeType"], shown.get("headers")), (&json!("text/plain"), None));
    }
    for raw in [
        "Content-Type: multipart/mixed\n\n--b\n\nx",
        "Content-Type: multipart/mixed; boundary=c\n\n--b\n\nx",
        "Content-Type: words\n\nx",
    ] {
        let shown = delivered(&client, &lines(raw)).await;
        assert_eq!((&shown["mimeType"], shape(&shown)), (&json!("text/plain"), ("data", false)));
    }
}

/// Each prefix, and each byte changed in turn.
#[tokio::test]
async fn no_broken_mail_stops_the_server() {
    let client = Client::start().await;
    let mail = lines(FORWARDED);
    for at in (0..mail.len()).step_by(3) {
        let mut changed = mail.clone();
        changed[at] ^= 0x1f;
        for raw in [&mail[..at], &changed] {
            delivered(&client, raw).await;
        }
    }
    assert_eq!(client.google.admin.violations(), Vec::<String>::new());
}
