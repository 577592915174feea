//! A mail in RFC 5322 form, written from fields.

use crate::message::{Attachment, Body, Content, Person};
use crate::values::base64;

const LINE: usize = 76;
const BOUNDARY: &str = "_000_fake_microsoft_";
/// Written from their own fields.
const OWN: [&str; 12] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "message-id",
    "date",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

/// As it came, or written anew; `Bcc` stands only in one's own copy.
pub(crate) fn mime(content: &Content, date: &str) -> Vec<u8> {
    if let Some(raw) = &content.raw {
        return raw.clone();
    }
    let mut mail = String::new();
    head(&mut mail, content, date);
    if content.attachments.is_empty() {
        part(&mut mail, &content.body);
    } else {
        mail.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\r\n\r\n--{BOUNDARY}\r\n"
        ));
        part(&mut mail, &content.body);
        for attachment in &content.attachments {
            mail.push_str(&format!("--{BOUNDARY}\r\n"));
            attached(&mut mail, attachment);
        }
        mail.push_str(&format!("--{BOUNDARY}--\r\n"));
    }
    mail.into_bytes()
}

fn head(mail: &mut String, content: &Content, date: &str) {
    let one = |person: &Option<Person>| person.iter().map(address).collect::<Vec<_>>().join(", ");
    let many = |all: &[Person]| all.iter().map(address).collect::<Vec<_>>().join(", ");
    let fields = [
        ("From", one(&content.from)),
        ("To", many(&content.to)),
        ("Cc", many(&content.cc)),
        ("Bcc", many(&content.bcc)),
        ("Reply-To", many(&content.reply_to)),
        ("Subject", content.subject.as_deref().map(encoded).unwrap_or_default()),
        ("Message-ID", content.message_id.clone().unwrap_or_default()),
        ("Date", date.into()),
    ];
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        mail.push_str(&format!("{name}: {value}\r\n"));
    }
    for (name, value) in &content.headers {
        if !OWN.contains(&name.to_ascii_lowercase().as_str()) {
            mail.push_str(&format!("{name}: {}\r\n", encoded(value)));
        }
    }
    mail.push_str("MIME-Version: 1.0\r\n");
}

fn address(person: &Person) -> String {
    if person.name.is_empty() || person.name == person.address {
        return person.address.clone();
    }
    let name = if person.name.is_ascii() {
        format!("\"{}\"", person.name.replace(['"', '\\', '\r', '\n'], ""))
    } else {
        encoded(&person.name)
    };
    format!("{name} <{}>", person.address)
}

/// Whole, as one or more encoded words, if it is no plain ASCII.
fn encoded(text: &str) -> String {
    let one_line = text.replace(['\r', '\n'], " ");
    if one_line.is_ascii() {
        return one_line;
    }
    let letters: Vec<char> = one_line.chars().collect();
    let words = letters
        .chunks(10)
        .map(|word| format!("=?utf-8?B?{}?=", base64(word.iter().collect::<String>().as_bytes())));
    words.collect::<Vec<_>>().join("\r\n ")
}

fn part(mail: &mut String, body: &Body) {
    let kind = if body.html { "html" } else { "plain" };
    mail.push_str(&format!(
        "Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        in_lines(body.text.as_bytes())
    ));
}

fn attached(mail: &mut String, attachment: &Attachment) {
    let disposition = if attachment.inline { "inline" } else { "attachment" };
    let name = attachment.name.replace(['"', '\\', '\r', '\n'], "");
    let id = attachment.content_id.as_ref().map(|id| format!("Content-ID: <{id}>\r\n"));
    mail.push_str(&format!(
        "Content-Type: {}; name=\"{name}\"\r\nContent-Disposition: {disposition}; filename=\"{name}\"\r\n{}",
        attachment.mime_type,
        id.unwrap_or_default()
    ));
    if attachment.item {
        mail.push_str("\r\n");
        mail.push_str(&String::from_utf8_lossy(&attachment.bytes));
        mail.push_str("\r\n");
        return;
    }
    mail.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
    mail.push_str(&in_lines(&attachment.bytes));
}

fn in_lines(bytes: &[u8]) -> String {
    let encoded = base64(bytes);
    let lines = encoded.as_bytes().chunks(LINE).map(String::from_utf8_lossy);
    lines.map(|line| format!("{line}\r\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{attachment_id, read};

    #[test]
    fn what_is_written_reads_the_same() {
        let person = |name: &str| Person { name: name.into(), address: "a@example.com".into() };
        let bytes = vec![7; 200];
        let content = Content {
            subject: Some("Grüße aus dem Süden, und noch mehr davon".into()),
            body: Body { html: true, text: "<p>ä</p>".into() },
            from: Some(person("Jürgen")),
            to: vec![person("Doe, Jane")],
            attachments: vec![Attachment {
                id: attachment_id(&bytes, 0),
                name: "a.pdf".into(),
                mime_type: "application/pdf".into(),
                content_id: None,
                inline: false,
                item: false,
                bytes,
            }],
            ..Content::default()
        };
        let back = read(&mime(&content, "Mon, 30 Nov 2026 12:00:00 +0000"));
        assert_eq!(
            (&back.subject, &back.from, &back.to),
            (&content.subject, &content.from, &content.to)
        );
        assert_eq!(back.body.text.trim_end(), content.body.text);
        assert_eq!(back.attachments[0].bytes, content.attachments[0].bytes);
        assert_eq!(back.attachments[0].id, content.attachments[0].id);
    }
}
