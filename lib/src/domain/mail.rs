//! A mail as a tree of parts, whoever parsed it: its bodies and its attachments.

pub mod authentication;
pub mod automatic;
mod charset;
mod content_id;
pub(super) mod encoded_word;
pub mod files;
pub mod html;
pub(super) mod mailbox;
pub(super) mod message_id;
mod rfc5322;

use mail_parser::decoders::html::html_to_text;
use serde::Serialize;
use utoipa::ToSchema;

pub use files::{Attachment, Files};

/// One node of the tree. Its id is Gmail's: the root's is empty, its children's are `0`, `1`,
/// theirs `0.0`, `0.1`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Part {
    pub part_id: String,
    /// In lower case, without parameters.
    pub mime_type: String,
    /// Decoded; empty if there is none.
    pub filename: String,
    /// Names in any letter case.
    pub headers: Vec<(String, String)>,
    pub content: Content,
    /// In bytes, decoded. 0 for a mail within the mail where the provider took it apart.
    pub size: u64,
    /// Of a multipart, or of a mail within the mail: its root.
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub enum Content {
    #[default]
    None,
    /// Without its transfer encoding.
    Bytes(Vec<u8>),
    /// The provider has it, under an id of its own.
    Elsewhere { attachment_id: String },
}

/// What there is to read. Each is there if the mail has such a part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The mail has no text part: `text` was made of `html`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub text_from_html: bool,
    /// As its sender wrote it: not to be shown without a sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

impl Body {
    /// Without a text that was made of the HTML.
    pub fn as_written(self) -> Self {
        Self { text: self.text.filter(|_| !self.text_from_html), text_from_html: false, ..self }
    }
}

/// The id of a part that is the whole content of the mail: an empty id cannot be part of a path.
pub const ROOT: &str = "root";

/// A part with the type of the part that it is in.
#[derive(Clone, Copy)]
struct Placed<'a> {
    part: &'a Part,
    within: &'a str,
}

impl Part {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The texts that a mail client shows one after the other, of alternatives each kind; without
    /// attachments, and without what is in a mail within the mail.
    pub fn body(&self) -> Body {
        let texts = |mime_type: &str| {
            let parts = self.bodies().into_iter().filter(|part| part.mime_type() == mime_type);
            let texts: Vec<String> = parts.filter_map(Self::text).collect();
            (!texts.is_empty()).then(|| texts.join("\n"))
        };
        let (text, html) = (texts("text/plain"), texts("text/html"));
        let made = html.as_deref().filter(|_| text.is_none()).map(html_to_text);
        Body { text_from_html: made.is_some(), text: text.or(made), html }
    }

    /// The parts that `body` shows.
    pub fn bodies(&self) -> Vec<&Self> {
        self.own().into_iter().map(|placed| placed.part).filter(|part| part.is_body()).collect()
    }

    /// The bodies in their order where texts and HTML stand one after the other, so that neither
    /// kind alone is the mail: of alternatives the HTML. `None` where one kind has it all.
    pub fn mixed_bodies(&self) -> Option<Vec<&Self>> {
        let mut slots: Vec<Vec<&Self>> = Vec::new();
        let mut open = vec![self];
        while let Some(part) = open.pop() {
            if part.mime_type == "multipart/alternative" {
                slots.push(part.bodies());
            } else if part.is_multipart() {
                open.extend(part.parts.iter().rev());
            } else if part.is_body() {
                slots.push(vec![part]);
            }
        }
        let has_html = |slot: &Vec<&Self>| slot.iter().any(|body| body.is_html());
        let is_mixed = slots.iter().any(has_html) && !slots.iter().all(has_html);
        let shown = slots
            .iter()
            .filter_map(|slot| slot.iter().rfind(|body| body.is_html()).or(slot.first()).copied());
        is_mixed.then(|| shown.collect())
    }

    pub fn is_html(&self) -> bool {
        self.mime_type() == "text/html"
    }

    /// The bodies that the provider has under an id of its own, as Gmail has large ones.
    pub fn bodies_elsewhere(&mut self) -> Vec<&mut Self> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(part) = open.pop() {
            if part.is_multipart() {
                open.extend(part.parts.iter_mut());
            } else if part.is_body() && matches!(part.content, Content::Elsewhere { .. }) {
                found.push(part);
            }
        }
        found
    }

    /// Any part that is no multipart, also within a mail within the mail; `root` is the whole
    /// content, if it is one part.
    pub fn find(&self, part_id: &str) -> Option<&Self> {
        let wanted = if part_id == ROOT { "" } else { part_id };
        let mut open = vec![self];
        while let Some(part) = open.pop() {
            if part.part_id == wanted && !part.is_multipart() {
                return Some(part);
            }
            open.extend(part.parts.iter().rev());
        }
        None
    }

    /// How many levels of parts there are below this one.
    pub fn depth(&self) -> usize {
        let (mut depth, mut level) = (0, vec![self]);
        loop {
            level = level.into_iter().flat_map(|part| &part.parts).collect();
            if level.is_empty() {
                return depth;
            }
            depth += 1;
        }
    }

    /// The parts of this mail that are no multiparts. A mail within the mail is one of them.
    fn own(&self) -> Vec<Placed<'_>> {
        let mut found = Vec::new();
        let mut open = vec![Placed { part: self, within: "" }];
        while let Some(placed) = open.pop() {
            match placed.part.is_multipart() {
                true => {
                    let within = placed.part.mime_type.as_str();
                    open.extend(placed.part.parts.iter().rev().map(|part| Placed { part, within }));
                }
                false => found.push(placed),
            }
        }
        found
    }

    fn is_multipart(&self) -> bool {
        self.mime_type.starts_with("multipart/")
    }

    /// RFC 2045, section 5.2: without a type it is plain text.
    fn mime_type(&self) -> &str {
        if self.mime_type.is_empty() { "text/plain" } else { &self.mime_type }
    }

    fn is_body(&self) -> bool {
        matches!(self.mime_type(), "text/plain" | "text/html")
            && self.filename.is_empty()
            && !self.is_disposed("attachment")
    }

    fn is_disposed(&self, how: &str) -> bool {
        let disposition = self.header("content-disposition").unwrap_or_default();
        disposition.split(';').next().is_some_and(|first| first.trim().eq_ignore_ascii_case(how))
    }

    pub fn text(&self) -> Option<String> {
        match &self.content {
            Content::Bytes(bytes) => Some(charset::decode(bytes, self.charset().as_deref())),
            // An empty text comes without any bytes.
            Content::None => Some(String::new()),
            Content::Elsewhere { .. } => None,
        }
    }

    fn charset(&self) -> Option<String> {
        let parameters = self.header("content-type")?.split(';').skip(1);
        let charset = parameters
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        charset.map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase())
    }
}

/// Replaces control characters, since the sender may have put line ends and escapes into the text,
/// also by an encoded word.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
