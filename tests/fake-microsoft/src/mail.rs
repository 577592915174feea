//! Mail in RFC 5322 form: read into fields, as Exchange does, and written from them.

pub(crate) mod compose;
pub(crate) mod text;

use mailparse::{
    DispositionType, MailAddr, MailHeader, MailHeaderMap, ParsedMail, SingleInfo, addrparse_header,
    dateparse,
};

use crate::message::{Attachment, Body, Content, Person};
use crate::values::{base64url_padded, sha256};

/// More is not taken apart: mailparse goes down one call deeper for each.
const MOST_BOUNDARIES: usize = 200;

/// Whatever the bytes are: what cannot be taken apart is one text under its headers, and what has
/// no headers is a text.
pub(crate) fn read(raw: &[u8]) -> Content {
    let deep = raw.windows(9).filter(|word| word.eq_ignore_ascii_case(b"boundary=")).count();
    let parsed = if deep > MOST_BOUNDARIES { None } else { mailparse::parse_mail(raw).ok() };
    let Some(mail) = parsed else { return whole(raw) };
    let mut found = Found::default();
    found.take(&mail, false);
    Content {
        body: found.html.or(found.plain).unwrap_or_default(),
        attachments: found.attachments,
        raw: Some(raw.to_vec()),
        ..said(&mail.headers)
    }
}

/// What the headers say.
fn said(headers: &[MailHeader<'_>]) -> Content {
    let persons = |name: &str| persons(headers, name);
    let from = persons("From").into_iter().next();
    Content {
        subject: headers.get_first_value("Subject"),
        sender: persons("Sender").into_iter().next().or_else(|| from.clone()),
        from,
        to: persons("To"),
        cc: persons("Cc"),
        bcc: persons("Bcc"),
        reply_to: persons("Reply-To"),
        message_id: headers.get_first_value("Message-ID").map(|id| id.trim().to_owned()),
        headers: headers.iter().map(|one| (one.get_key(), one.get_value())).collect(),
        ..Content::default()
    }
}

fn whole(raw: &[u8]) -> Content {
    let (headers, start) = mailparse::parse_headers(raw).unwrap_or_default();
    let text = String::from_utf8_lossy(&raw[start..]).into_owned();
    Content { body: Body { html: false, text }, raw: Some(raw.to_vec()), ..said(&headers) }
}

/// When a mail says that it was written, in seconds since 1970.
pub(crate) fn date(content: &Content) -> Option<i64> {
    content.header("Date").and_then(|date| dateparse(date).ok())
}

fn persons(headers: &[MailHeader<'_>], name: &str) -> Vec<Person> {
    let Some(header) = headers.get_first_header(name) else { return Vec::new() };
    let Ok(listed) = addrparse_header(header) else { return Vec::new() };
    let mut found = Vec::new();
    for one in listed.iter() {
        match one {
            MailAddr::Single(single) => found.push(person(single)),
            MailAddr::Group(group) => found.extend(group.addrs.iter().map(person)),
        }
    }
    found
}

/// Exchange shows the address for a name where there is none.
fn person(single: &SingleInfo) -> Person {
    let name = single.display_name.clone().unwrap_or_else(|| single.addr.clone());
    Person { name, address: single.addr.clone() }
}

/// What is read with the mail, and what is attached to it.
#[derive(Default)]
struct Found {
    plain: Option<Body>,
    html: Option<Body>,
    attachments: Vec<Attachment>,
}

impl Found {
    fn take(&mut self, part: &ParsedMail<'_>, within_related: bool) {
        let mime_type = part.ctype.mimetype.as_str();
        if mime_type.starts_with("multipart/") && !part.subparts.is_empty() {
            let related = mime_type == "multipart/related";
            part.subparts.iter().for_each(|one| self.take(one, related));
            return;
        }
        let disposition = part.get_content_disposition();
        let attached = disposition.disposition == DispositionType::Attachment;
        let name = disposition.params.get("filename").or_else(|| part.ctype.params.get("name"));
        let free = match mime_type {
            "text/plain" => self.plain.is_none() && self.html.is_none(),
            "text/html" => self.html.is_none(),
            _ => false,
        };
        if free && !attached && name.is_none() {
            let text = part.get_body().unwrap_or_default();
            let html = mime_type == "text/html";
            let body = Some(Body { html, text });
            *if html { &mut self.html } else { &mut self.plain } = body;
            return;
        }
        let place = self.attachments.len();
        self.attachments.push(attachment(part, name.cloned(), within_related, place));
    }
}

/// A part that is not read with the mail. Without a name it has that of the mail in it, or
/// Exchange's own.
fn attachment(
    part: &ParsedMail<'_>,
    name: Option<String>,
    within_related: bool,
    place: usize,
) -> Attachment {
    let content_id = part.headers.get_first_value("Content-ID");
    let disposition = part.get_content_disposition().disposition;
    let shown = within_related || content_id.is_some();
    let bytes = part.get_body_raw().unwrap_or_default();
    let item = part.ctype.mimetype == "message/rfc822";
    let subject = || {
        let (headers, _) = mailparse::parse_headers(&bytes).ok().filter(|_| item)?;
        headers.get_first_value("Subject")
    };
    Attachment {
        id: attachment_id(&bytes, place),
        name: name.or_else(subject).unwrap_or_else(|| "ATT00001".into()),
        mime_type: part.ctype.mimetype.clone(),
        content_id: content_id.map(|id| id.trim_matches(['<', '>', ' ']).into()),
        inline: disposition == DispositionType::Inline && shown,
        item,
        bytes,
    }
}

/// The same at each reading, another one for each place in the mail.
pub(crate) fn attachment_id(bytes: &[u8], place: usize) -> String {
    let digest = sha256(&[bytes, &place.to_be_bytes()].concat());
    format!("AAMkAGVmMDEzMTM4ATT{}", base64url_padded(&digest[..24]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\nTo: ann@example.com, Bo <bo@example.com>\r\n\
        Subject: Two\r\n files\r\nMessage-ID: <1@example.com>\r\nDate: Mon, 30 Nov 2026 12:00:00 +0000\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
        --r\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n\
        --r\r\nContent-Type: image/png; name=a.png\r\nContent-Disposition: inline\r\nContent-ID: <a@x>\r\n\r\nPNG\r\n--r--\r\n\
        --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nUERG\r\n\
        --b--\r\n";

    #[test]
    fn a_mail_is_read_into_fields() {
        let content = read(MAIL.as_bytes());
        assert_eq!(content.subject.as_deref(), Some("Two files"));
        assert_eq!(content.from.as_ref().unwrap().name, "Jürgen");
        assert_eq!(
            content.to[0],
            Person { name: "ann@example.com".into(), address: "ann@example.com".into() }
        );
        assert_eq!(content.sender, content.from);
        assert_eq!((content.preview().as_str(), date(&content)), ("Hello", Some(1_796_040_000)));
        let attached: Vec<_> = content
            .attachments
            .iter()
            .map(|one| (one.name.as_str(), one.inline, one.bytes.as_slice()))
            .collect();
        assert_eq!(
            attached,
            [("a.png", true, b"PNG".as_slice()), ("a.pdf", false, b"PDF".as_slice())]
        );
        assert!(content.has_attachments());
    }

    #[test]
    fn what_is_nested_too_deep_is_one_text_under_its_headers() {
        let level =
            |n: usize| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
        let deep = format!("Subject: deep\r\n{}", (0..20_000).map(level).collect::<String>());
        let content = read(deep.as_bytes());
        assert_eq!((content.subject.as_deref(), content.attachments.len()), (Some("deep"), 0));
        let mail = "Content-Type: message/rfc822\r\n\r\n".repeat(20_000);
        assert_eq!(read(mail.as_bytes()).attachments.len(), 1);
    }

    #[test]
    fn what_is_no_mail_is_a_text() {
        assert_eq!(read(b"\xff\xfe no mail").attachments.len(), 0);
        assert_eq!(read(b"").subject, None);
    }
}
