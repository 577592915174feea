//! Written mail is read back unchanged, whatever it contains; and no field of read mail contains a
//! line end.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::MessageId;
use email_connectors::domain::mail::{Content, Part};
use email_connectors::domain::message::{Message, ProviderMessage};
use email_connectors::domain::outgoing::Outgoing;
use email_connectors::domain::outgoing::recipient::Recipient;
use email_connectors::domain::timestamp::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tests::depth;

const NOW: Timestamp = Timestamp::from_seconds(1_780_000_000);

/// Runs a property test; a failure prints its seed, and no regression file is written.
fn holds<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config =
        Config { cases: depth::of(1_000, 10_000), failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(strategy, test).unwrap();
}

fn normalized(root: &Part) -> Message {
    ProviderMessage {
        id: MessageId::new("m"),
        identity: None,
        thread_id: "t".into(),
        label_ids: vec![],
        history_id: None,
        received_at: NOW,
        snippet: String::new(),
        size_estimate: 0,
        has_attachments: false,
        attachments_unknown: false,
        bounce: None,
        headers: root.headers.clone(),
    }
    .normalize_whole(root)
}

fn recipient() -> impl Strategy<Value = serde_json::Value> {
    let name = prop_oneof!["", "[ -~]{1,20}", "\\PC{1,20}"];
    let local = prop_oneof![
        "[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}(\\.[a-z0-9]{1,5})?",
        "\"[a-z.@,]{1,6}[@,.]( [a-z]{1,4})?\""
    ];
    (local, "[a-z0-9]{1,10}\\.example\\.com", name).prop_map(|(local, domain, name)| {
        let address = format!("{local}@{domain}");
        if name.is_empty() { json!(address) } else { json!({"address": address, "name": name}) }
    })
}

fn text() -> impl Strategy<Value = Option<String>> {
    let lines = vec(
        prop_oneof![
            "\\PC{0,60}",
            "[ -~]{0,120}",
            "[.-]{1,3}",
            "--[a-z]{0,9}",
            "From [a-z]{0,5}",
            "[a-z \r\0]{0,20}"
        ],
        0..6,
    );
    proptest::option::of(lines.prop_map(|lines| lines.join("\n")))
}

fn attachment() -> impl Strategy<Value = serde_json::Value> {
    let filename = prop_oneof!["[ -~]{1,30}", "\\PC{1,30}", "[a-z]{100,200}"]
        .prop_filter("a name", |name| !name.trim().is_empty() && name.len() <= 255);
    let mime_type = prop_oneof![
        Just("application/pdf"),
        Just("text/plain"),
        Just("text/html"),
        Just("image/png"),
        Just("text/calendar")
    ];
    (filename, mime_type, vec(any::<u8>(), 0..300), any::<bool>()).prop_map(|(filename, mime_type, content, inline)| {
        let mut attachment = json!({"filename": filename, "mime_type": mime_type, "content": BASE64_STANDARD.encode(content)});
        if inline {
            attachment["inline"] = json!(true);
            attachment["content_id"] = json!("picture@example.com");
        }
        attachment
    })
}

fn mail() -> impl Strategy<Value = Outgoing> {
    let subject = proptest::option::of(prop_oneof!["[ -~]{1,80}", "\\PC{1,80}", "[äöü ]{30,60}"]);
    let lists = (
        vec(recipient(), 0..4),
        vec(recipient(), 0..3),
        vec(recipient(), 0..3),
        vec(recipient(), 0..2),
    );
    (lists, subject, text(), text(), vec(attachment(), 0..4)).prop_map(|((to, cc, bcc, reply_to), subject, text, html, attachments)| {
        let mail = json!({"to": to, "cc": cc, "bcc": bcc, "reply_to": reply_to, "subject": subject, "text": text, "html": html,
            "attachments": attachments, "in_reply_to": "<1@example.com>", "references": "<0@example.com> <1@example.com>"});
        Outgoing::parse(mail).unwrap()
    })
}

/// Headers do not keep runs of spaces or spaces at the ends.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text with normalized line ends.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end_matches('\n').to_string()
}

fn recipients(list: &[Recipient]) -> Vec<(String, String)> {
    list.iter()
        .map(|recipient| {
            (words(recipient.name().unwrap_or_default()), recipient.address().to_string())
        })
        .collect()
}

fn addresses(list: &[email_connectors::domain::message::Address]) -> Vec<(String, String)> {
    list.iter()
        .map(|address| {
            (words(address.name.as_deref().unwrap_or_default()), address.address.clone())
        })
        .collect()
}

#[test]
fn what_is_written_is_read_back_as_it_was() {
    let own = EmailAddress::parse("ada@example.com").unwrap();
    holds(&mail(), |mail| {
        let written = mail.to_rfc5322(&own, NOW, "0123456789abcdef0123456789abcdef");
        prop_assert_eq!(
            &written,
            &mail.to_rfc5322(&own, NOW, "0123456789abcdef0123456789abcdef"),
            "the same mail is the same bytes"
        );
        let root = Part::read(&written).unwrap();
        let message = normalized(&root);
        prop_assert_eq!(
            words(message.subject.as_deref().unwrap_or_default()),
            words(mail.subject.as_deref().unwrap_or_default())
        );
        prop_assert_eq!(&message.from.as_ref().unwrap().address, "ada@example.com");
        for (name, message, mail) in [
            ("to", &message.to, &mail.to),
            ("cc", &message.cc, &mail.cc),
            ("bcc", &message.bcc, &mail.bcc),
            ("reply_to", &message.reply_to, &mail.reply_to),
        ] {
            prop_assert_eq!(addresses(message), recipients(mail), "{}", name);
        }
        prop_assert_eq!(message.headers.in_reply_to.as_deref(), Some("<1@example.com>"));
        prop_assert_eq!(
            message.headers.references.as_deref(),
            Some("<0@example.com> <1@example.com>")
        );
        let body = message.body.unwrap();
        prop_assert_eq!(body.html.as_deref().map(lines), mail.html.as_deref().map(lines));
        // A mail without any text is read as an empty text.
        let nothing = mail.text.is_none() && mail.html.is_none();
        prop_assert_eq!(
            body.text.as_deref().filter(|_| !body.text_from_html).map(lines),
            if nothing { Some(String::new()) } else { mail.text.as_deref().map(lines) }
        );
        let attachments = message.attachments.unwrap();
        prop_assert_eq!(attachments.len(), mail.attachments.len());
        for sent in &mail.attachments {
            let found = attachments.iter().find(|attachment| {
                let bytes = root.find(&attachment.part_id).map(|part| part.content.clone());
                words(&attachment.filename) == words(&sent.filename)
                    && bytes == sent.content.clone().map(Content::Bytes)
            });
            let found = found.ok_or_else(|| {
                TestCaseError::fail(format!("{sent:?} is not among {attachments:?}"))
            })?;
            prop_assert_eq!(
                (found.mime_type.as_str(), found.size),
                (
                    sent.mime_type.essence(),
                    sent.content.as_ref().map(|content| content.len() as u64)
                )
            );
            prop_assert_eq!(&found.content_id, &sent.content_id);
        }
        Ok(())
    });
}

#[test]
fn no_bytes_put_a_line_end_into_a_field() {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..60),
        "(From|To|Subject|Content-Type|Content-Disposition|Content-ID): \\PC{0,60}\r\n"
            .prop_map(String::into_bytes),
        "(Subject|From): =\\?(utf-8|iso-8859-1|x)\\?[qb]\\?[ -~]{0,40}\\?=\r\n"
            .prop_map(String::into_bytes),
        Just(b"Content-Type: multipart/mixed; boundary=b\r\n".to_vec()),
        Just(b"Content-Type: message/rfc822\r\n".to_vec()),
        Just(b"Content-Transfer-Encoding: base64\r\n".to_vec()),
        Just(b"\r\n--b\r\n".to_vec()),
        Just(b"\r\n--b--\r\n".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
    ];
    holds(&vec(piece, 0..14), |pieces| {
        let Some(root) = Part::read(&pieces.concat()) else { return Ok(()) };
        let message = normalized(&root);
        let addresses = message
            .from
            .iter()
            .chain(&message.to)
            .chain(&message.cc)
            .chain(&message.bcc)
            .chain(&message.reply_to);
        let mut fields: Vec<String> = addresses
            .flat_map(|address| [address.name.clone().unwrap_or_default(), address.address.clone()])
            .collect();
        fields.extend(message.subject.clone());
        for attachment in message.attachments.iter().flatten() {
            fields.extend([
                attachment.filename.clone(),
                attachment.mime_type.clone(),
                attachment.content_id.clone().unwrap_or_default(),
            ]);
            prop_assert!(
                root.find(&attachment.part_id).is_some(),
                "{attachment:?} is not found again"
            );
        }
        for line in fields {
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
        }
        Ok(())
    });
}
