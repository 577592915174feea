//! A message's tree of parts, as Gmail answers it.

use serde_json::{Value, json};

use crate::headers::Header;
use crate::shapes::{
    DecodedNames, Deep, HeaderGroups, MislabelledText, NestedMail, RootPartId, Shapes, TextFile,
    UnnamedText,
};
use crate::values::base64url_padded;

#[derive(Default)]
pub(crate) struct Part {
    pub kind: Kind,
    /// In lower case, without parameters.
    pub mime_type: String,
    /// Decoded; empty if there is none.
    pub filename: String,
    pub headers: Vec<Header>,
    /// Without the transfer encoding; none of a multipart.
    pub bytes: Vec<u8>,
    /// Of a text, if it differs from the bytes.
    pub utf8: Option<String>,
    /// A nested mail is the only part of what holds it.
    pub parts: Vec<Part>,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Kind {
    #[default]
    Leaf,
    Multipart,
    Mail,
    HeaderGroups,
}

#[derive(PartialEq)]
enum Content {
    Nothing,
    Data,
    AttachmentId,
}

/// What is answered of a part: its content, and whether its parts.
struct Shown {
    content: Content,
    parts: bool,
}

impl Part {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
    }

    /// As `MessagePart`.
    pub fn rendered(&self, shapes: &Shapes, reads: u64) -> Value {
        self.rendered_at("", 0, shapes, reads)
    }

    /// Within so many other mails.
    fn rendered_at(&self, part_id: &str, mails: usize, shapes: &Shapes, reads: u64) -> Value {
        let mut part = json!({ "mimeType": self.mime_type, "filename": self.filename });
        if !part_id.is_empty() || shapes.part_id_of_root == RootPartId::Empty {
            part["partId"] = part_id.into();
        }
        if !self.headers.is_empty() {
            let headers = self.headers.iter().map(|header| header.rendered(shapes));
            part["headers"] = headers.collect();
        }
        let shown = self.shown(mails, shapes);
        let bytes = self.content(shapes);
        part["body"] = match shown.content {
            Content::Nothing => json!({ "size": 0 }),
            Content::Data => json!({ "size": bytes.len(), "data": base64url_padded(bytes) }),
            Content::AttachmentId => {
                json!({ "attachmentId": attachment_id(part_id, reads), "size": bytes.len() })
            }
        };
        if shown.parts && !self.parts.is_empty() {
            let mails = mails + usize::from(self.kind == Kind::Mail);
            let child = |(index, part): (usize, &Self)| {
                part.rendered_at(&child_id(part_id, index), mails, shapes, reads)
            };
            part["parts"] = self.parts.iter().enumerate().map(child).collect();
        }
        part
    }

    fn shown(&self, mails: usize, shapes: &Shapes) -> Shown {
        let (content, parts) = match self.kind {
            Kind::Multipart => (Content::Nothing, true),
            Kind::Mail => self.nested_mail(mails, shapes),
            Kind::HeaderGroups => match shapes.delivery_status {
                HeaderGroups::Apart => (Content::Nothing, true),
                HeaderGroups::Text => (Content::Data, false),
            },
            Kind::Leaf if self.is_inline(shapes) => (Content::Data, false),
            Kind::Leaf => (Content::AttachmentId, false),
        };
        let content = if self.bytes.is_empty() { Content::Nothing } else { content };
        Shown { content, parts }
    }

    fn nested_mail(&self, mails: usize, shapes: &Shapes) -> (Content, bool) {
        let named = !self.filename.is_empty();
        match if named { shapes.named_nested_mail } else { shapes.nested_mail } {
            _ if shapes.deep == Deep::Leaf && mails >= shapes.deepest => {
                (Content::AttachmentId, false)
            }
            NestedMail::Apart => (Content::Nothing, true),
            NestedMail::HandedOut => (Content::AttachmentId, false),
            NestedMail::Both => (Content::AttachmentId, true),
        }
    }

    /// Gmail answers unnamed texts with their data, and everything else by an attachment id.
    fn is_inline(&self, shapes: &Shapes) -> bool {
        let large = self.content(shapes).len() > shapes.large;
        self.is_text()
            && self.filename.is_empty()
            && !(large && shapes.large_text == UnnamedText::HandedOut)
            && !(self.is_disposed() && shapes.disposed_text == UnnamedText::HandedOut)
    }

    fn is_text(&self) -> bool {
        self.mime_type.starts_with("text/")
    }

    fn is_disposed(&self) -> bool {
        let disposition = self.header("Content-Disposition").unwrap_or_default();
        disposition.trim_start().to_ascii_lowercase().starts_with("attachment")
    }

    fn content(&self, shapes: &Shapes) -> &[u8] {
        let as_sent = !self.filename.is_empty() && shapes.text_file == TextFile::AsSent;
        let detected = shapes.mislabelled_text == MislabelledText::Detected && is_utf8(&self.bytes);
        match &self.utf8 {
            Some(text) if !as_sent && !detected => text.as_bytes(),
            _ => &self.bytes,
        }
    }

    /// The bytes of an attachment, by any id that was returned so far.
    pub fn attachment(&self, id: &str, shapes: &Shapes, reads: u64) -> Option<&[u8]> {
        let (path, read) = id.strip_prefix("ANGjdJ")?.split_once('-')?;
        read.parse().ok().filter(|read: &u64| (1..=reads).contains(read))?;
        let (mut part, mut mails) = (self, 0);
        for index in path.split('_').filter(|index| !index.is_empty()) {
            let stands = part.shown(mails, shapes).parts;
            mails += usize::from(part.kind == Kind::Mail);
            part = part.parts.get(index.parse::<usize>().ok()?).filter(|_| stands)?;
        }
        let handed_out = part.shown(mails, shapes).content == Content::AttachmentId;
        handed_out.then(|| part.content(shapes))
    }

    /// The first text of this type that is read with the mail, not in a mail within it.
    pub fn readable(&self, mime_type: &str) -> Option<&str> {
        match self.kind {
            Kind::Multipart => self.parts.iter().find_map(|part| part.readable(mime_type)),
            Kind::Leaf if self.mime_type == mime_type && self.filename.is_empty() => {
                let content = self.content(&Shapes::default());
                std::str::from_utf8(content).ok()
            }
            _ => None,
        }
    }

    /// A file at any depth, in nested mails too.
    pub fn has_attachment(&self) -> bool {
        self.any(&|part| !part.filename.is_empty())
    }

    /// A file at any depth whose name contains this, which is in lower case.
    pub fn names_file(&self, wanted: &str) -> bool {
        self.any(&|part| part.filename.to_lowercase().contains(wanted))
    }

    fn any(&self, is: &impl Fn(&Self) -> bool) -> bool {
        (self.kind != Kind::Multipart && is(self)) || self.parts.iter().any(|part| part.any(is))
    }
}

impl Header {
    pub fn rendered(&self, shapes: &Shapes) -> Value {
        let quoted = self.quoted.as_ref().filter(|_| shapes.decoded_names == DecodedNames::Quoted);
        json!({ "name": self.name, "value": quoted.unwrap_or(&self.value) })
    }
}

/// Bytes of ASCII alone may be text of another kind, as those of ISO-2022 are.
fn is_utf8(bytes: &[u8]) -> bool {
    !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok()
}

fn child_id(parent: &str, index: usize) -> String {
    if parent.is_empty() { index.to_string() } else { format!("{parent}.{index}") }
}

/// Gmail changes the id at each reading of the message.
fn attachment_id(part_id: &str, reads: u64) -> String {
    format!("ANGjdJ{}-{reads}", part_id.replace('.', "_"))
}
