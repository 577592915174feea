//! A message's tree of parts as Gmail sends it (`MessagePart` of its discovery document).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::errors::Failure;
use crate::domain::mail::{self, Content};

/// Levels of parts that are read where bodies are not. Mail that people write has up to five.
pub const LEVELS: usize = 8;
/// Levels of parts that are read in any case: each takes stack. Anybody can send a mail with more.
pub const DEEPEST: usize = 100;

#[derive(Default)]
pub struct Part {
    part_id: String,
    mime_type: String,
    filename: String,
    headers: Vec<Header>,
    body: Body,
    parts: Vec<Part>,
    /// There are more levels, which were not read.
    pub is_cut: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Body {
    size: u64,
    /// In base64url.
    data: Option<String>,
    attachment_id: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Level(0).deserialize(deserializer)
    }
}

/// A part so many levels below the root.
struct Level(usize);

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Part;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Part, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Part;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a part of a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Part, A::Error> {
        let mut part = Part::default();
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "partId" => part.part_id = fields.next_value()?,
                "mimeType" => part.mime_type = fields.next_value()?,
                "filename" => part.filename = fields.next_value()?,
                "headers" => part.headers = fields.next_value()?,
                "body" => part.body = fields.next_value()?,
                "parts" if self.0 < DEEPEST => {
                    part.parts = fields.next_value_seed(Children(self.0 + 1))?;
                    part.is_cut = part.parts.iter().any(|child| child.is_cut);
                }
                "parts" => {
                    fields.next_value::<IgnoredAny>()?;
                    part.is_cut = true;
                }
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(part)
    }
}

struct Children(usize);

impl<'de> DeserializeSeed<'de> for Children {
    type Value = Vec<Part>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Part>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Children {
    type Value = Vec<Part>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list of parts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Part>, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = list.next_element_seed(Level(self.0))? {
            parts.push(part);
        }
        Ok(parts)
    }
}

impl Part {
    /// `content` reads a body.
    pub fn into_part(
        self,
        content: fn(Body) -> Result<Content, Failure>,
    ) -> Result<mail::Part, Failure> {
        Ok(mail::Part {
            part_id: self.part_id,
            mime_type: self.mime_type.to_ascii_lowercase(),
            filename: self.filename,
            headers: self.headers.into_iter().map(|header| (header.name, header.value)).collect(),
            size: self.body.size,
            content: content(self.body)?,
            parts: self
                .parts
                .into_iter()
                .map(|part| part.into_part(content))
                .collect::<Result<_, _>>()?,
        })
    }
}

pub fn content(body: Body) -> Result<Content, Failure> {
    match (body.data, body.attachment_id) {
        (_, Some(attachment_id)) => Ok(Content::Elsewhere { attachment_id }),
        (Some(data), None) => decoded(&data).map(Content::Bytes),
        (None, None) => Ok(Content::None),
    }
}

/// Gmail's base64url, with or without padding.
pub fn decoded(data: &str) -> Result<Vec<u8>, Failure> {
    BASE64_URL_SAFE_NO_PAD
        .decode(data.trim_end_matches('='))
        .map_err(|_| Failure::no_answer("a part's data is not base64url"))
}

#[cfg(test)]
mod tests {
    use crate::adapters::gmail::errors::Fault;
    use crate::adapters::gmail::wire::Message;

    /// A message with so many levels of parts.
    fn nested(levels: usize) -> String {
        let part = r#"{"mimeType":"multipart/mixed","parts":["#;
        format!(
            r#"{{"id":"m","threadId":"t","internalDate":"7","payload":{}{{"mimeType":"application/pdf","filename":"a.pdf"}}{}}}"#,
            part.repeat(levels),
            "]}".repeat(levels),
        )
    }

    #[test]
    fn parts_are_read_to_their_deepest_level_and_no_further() {
        for levels in [0, 1, 61, 100] {
            let (message, root) =
                Message::parse(nested(levels).as_bytes()).unwrap().into_whole().unwrap();
            assert!(message.has_attachments);
            assert_eq!(root.depth(), levels);
        }
        for levels in [101, 100_000] {
            let message = Message::parse(nested(levels).as_bytes()).unwrap();
            let failure = message.into_whole().unwrap_err();
            assert_eq!(failure.fault, Some(Fault::Unreadable), "{levels}");
            assert!(Message::parse(nested(levels).as_bytes()).unwrap().into_summary().is_ok());
        }
    }
}
