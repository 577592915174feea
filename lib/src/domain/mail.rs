//! A mail as a tree of parts, whoever parsed it: its bodies and its attachments.

pub mod authentication;
pub mod automatic;
mod charset;
pub(super) mod encoded_word;
pub(super) mod mailbox;
pub(super) mod message_id;
mod rfc5322;

use serde::Serialize;
use utoipa::ToSchema;

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
    /// In bytes, decoded.
    pub size: u64,
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
    /// As its sender wrote it: not to be shown without a sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Where it is in the mail; `root` if it is the whole mail.
    #[schema(example = "1")]
    pub part_id: String,
    /// Its sender's; empty if there is none.
    #[schema(example = "may.pdf")]
    pub filename: String,
    #[schema(example = "application/pdf")]
    pub mime_type: String,
    /// In bytes.
    pub size: u64,
    /// Meant to be shown within the body.
    pub inline: bool,
    /// What `cid:` links of the body name it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
}

/// The id of a part that is the whole mail: an empty id cannot be part of a path.
pub const ROOT: &str = "root";

impl Part {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The texts that a mail client shows one after the other, of alternatives each kind; without
    /// attachments.
    pub fn body(&self) -> Body {
        let texts = |mime_type: &str| {
            let parts = self
                .leaves()
                .into_iter()
                .filter(|part| part.is_body() && part.mime_type == mime_type);
            let texts: Vec<String> = parts.filter_map(Self::text).collect();
            (!texts.is_empty()).then(|| texts.join("\n"))
        };
        Body { text: texts("text/plain"), html: texts("text/html") }
    }

    pub fn attachments(&self) -> Vec<Attachment> {
        self.leaves().into_iter().filter(|part| !part.is_body()).map(Self::attachment).collect()
    }

    pub fn find(&self, part_id: &str) -> Option<&Self> {
        let wanted = if part_id == ROOT { "" } else { part_id };
        self.leaves().into_iter().find(|part| part.part_id == wanted)
    }

    /// The parts without sub-parts. A mail within the mail counts as one: it is attached as a
    /// whole.
    fn leaves(&self) -> Vec<&Self> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(part) = open.pop() {
            match part.mime_type.starts_with("multipart/") {
                true => open.extend(part.parts.iter().rev()),
                false => found.push(part),
            }
        }
        found
    }

    fn is_body(&self) -> bool {
        let readable = matches!(self.mime_type.as_str(), "text/plain" | "text/html" | "");
        readable
            && self.filename.is_empty()
            && !self.is_disposed("attachment")
            && !matches!(self.content, Content::Elsewhere { .. })
    }

    fn is_disposed(&self, how: &str) -> bool {
        let disposition = self.header("content-disposition").unwrap_or_default();
        disposition.split(';').next().is_some_and(|first| first.trim().eq_ignore_ascii_case(how))
    }

    fn attachment(&self) -> Attachment {
        let content_id =
            self.header("content-id").map(|id| one_line(id.trim().trim_matches(['<', '>'])));
        let content_id = content_id.filter(|id| !id.is_empty());
        let inline =
            self.is_disposed("inline") || (content_id.is_some() && !self.is_disposed("attachment"));
        Attachment {
            part_id: if self.part_id.is_empty() { ROOT.into() } else { self.part_id.clone() },
            filename: one_line(&self.filename),
            mime_type: one_line(&self.mime_type),
            size: self.size,
            inline,
            content_id,
        }
    }

    fn text(&self) -> Option<String> {
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

/// Replaces control characters, since the sender may have put line ends and escapes into the text.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
