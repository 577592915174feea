//! A file that goes out with a mail.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::media_type::MediaType;
use super::{LONGEST_NAME, has_control};
use crate::domain::mail::{Attachment, Content, Part};
use crate::domain::upload::UploadId;

/// RFC 5322, section 2.1.1, without the line end.
const LONGEST_LINE: usize = 998;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutgoingAttachment {
    /// Without one, a name is made of the type; a longer one than 255 bytes is cut.
    #[serde(default)]
    #[schema(example = "may.pdf")]
    pub filename: String,
    /// With parameters, if it has any.
    #[schema(
        value_type = String,
        pattern = r#"^([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+( *; *[A-Za-z0-9_-]+=([A-Za-z0-9!#$&^_.+-]+|"[ !#-\[\]-~]*"))*)?$"#,
        example = "text/calendar; method=REQUEST"
    )]
    pub mime_type: MediaType,
    /// Base64, or base64url as Gmail writes it, with or without padding and line breaks.
    /// Either this or `upload_id`.
    #[schema(value_type = String, format = Byte, example = "VG90YWw6IDcgRVVSCg==")]
    #[serde(default, with = "base64_bytes", skip_serializing_if = "Option::is_none")]
    pub content: Option<Vec<u8>>,
    /// A file that was uploaded (`POST …/uploads`), for what is larger than 4 MB in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = "uuid")]
    pub upload_id: Option<UploadId>,
    /// How large the uploaded file is, once that was looked up.
    #[serde(skip)]
    #[schema(ignore)]
    pub uploaded_size: u64,
    /// Shown within the HTML, which names it by `cid:`.
    #[serde(default)]
    pub inline: bool,
    #[serde(default)]
    pub content_id: Option<String>,
}

mod base64_bytes {
    use base64::prelude::BASE64_STANDARD;

    use super::{ANY_PADDING, Deserialize, Engine, Serialize};

    pub fn serialize<S: serde::Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|bytes| BASE64_STANDARD.encode(bytes)).serialize(serializer)
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let mut text = String::deserialize(deserializer)?.into_bytes();
        text.retain(|byte| !byte.is_ascii_whitespace());
        for byte in &mut text {
            match byte {
                b'-' => *byte = b'+',
                b'_' => *byte = b'/',
                _ => {}
            }
        }
        ANY_PADDING
            .decode(text)
            .map(Some)
            .map_err(|error| serde::de::Error::custom(format!("is not base64 ({error})")))
    }
}

const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl OutgoingAttachment {
    /// Under a name that fits. The error has the field, what is wrong with it, and the way out.
    pub(super) fn checked(self) -> Result<Self, (&'static str, String)> {
        if has_control(&self.filename) {
            return Err(("filename", "must be one line, without control characters".into()));
        }
        let plain = |id: &String| {
            (1..=LONGEST_NAME).contains(&id.len()) && id.bytes().all(is_of_a_content_id)
        };
        if self.content_id.as_ref().is_some_and(|id| !plain(id)) {
            return Err((
                "content_id",
                "must hold letters, digits and signs of ASCII, without < and >".into(),
            ));
        }
        match (&self.content, &self.upload_id) {
            (Some(_), Some(_)) => {
                return Err(("upload_id", "stands beside content; give one of both".into()));
            }
            (None, None) => {
                return Err((
                    "content",
                    "is missing, and so is upload_id; give one of both: the bytes in base64, or what `POST …/uploads` answered".into(),
                ));
            }
            (None, Some(_)) if self.mime_type.is_message() => {
                return Err((
                    "mime_type",
                    "is not for an uploaded file, which goes out in base64; give it application/octet-stream".into(),
                ));
            }
            _ => {}
        }
        if self.mime_type.is_message() && self.as_message().is_none() {
            return Err((
                "content",
                format!(
                    "holds a NUL, or a line longer than {LONGEST_LINE} bytes, which a part of this type cannot; give it the mime_type application/octet-stream"
                ),
            ));
        }
        Ok(self.named())
    }

    fn named(self) -> Self {
        let filename = match self.filename.trim().is_empty() {
            true => match self.mime_type.extension() {
                Some(extension) => format!("attachment.{extension}"),
                None => "attachment".into(),
            },
            false => bounded(&self.filename),
        };
        Self { filename, ..self }
    }

    /// All of a mail that was read, as they were in it. What could not be written as its type wants
    /// it goes on as bytes.
    pub(super) fn all_of(root: &Part) -> Vec<Self> {
        let files = root.own_files();
        let all = files.attachments.into_iter().chain(files.embedded);
        all.filter_map(|attachment| Self::of(root, attachment)).collect()
    }

    fn of(root: &Part, attachment: Attachment) -> Option<Self> {
        let part = root.find(&attachment.part_id)?;
        let content = match &part.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::None | Content::Elsewhere { .. } => Vec::new(),
        };
        let written = part.header("content-type").and_then(|kind| MediaType::parse(kind).ok());
        let mime_type = written
            .filter(|kind| kind.essence() == attachment.mime_type)
            .or_else(|| MediaType::parse(&attachment.mime_type).ok());
        let content_id = attachment.content_id.map(|id| {
            let id: String = id
                .chars()
                .filter(|sign| u8::try_from(*sign).is_ok_and(is_of_a_content_id))
                .collect();
            id[..id.len().min(LONGEST_NAME)].to_string()
        });
        let read = Self {
            filename: attachment.filename,
            mime_type: mime_type.unwrap_or_else(MediaType::bytes),
            content: Some(content),
            upload_id: None,
            uploaded_size: 0,
            inline: attachment.inline,
            content_id: content_id.filter(|id| !id.is_empty()),
        };
        let named = read.named();
        Some(match named.mime_type.is_message() && named.as_message().is_none() {
            true => Self { mime_type: MediaType::bytes(), ..named },
            false => named,
        })
    }

    /// What came with the request; nothing of an uploaded file.
    pub(super) fn bytes(&self) -> &[u8] {
        self.content.as_deref().unwrap_or_default()
    }

    /// The content as a part of type `message/…` holds it: in lines, since no such part may be in
    /// base64 or quoted-printable (RFC 2046, section 5.2). `None` if it cannot be.
    pub(super) fn as_message(&self) -> Option<Vec<u8>> {
        let mut rest = self.bytes();
        let mut lines = Vec::with_capacity(rest.len());
        loop {
            let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let line = &rest[..end.unwrap_or(rest.len())];
            if line.len() > LONGEST_LINE || line.contains(&0) {
                return None;
            }
            lines.extend_from_slice(line);
            let Some(end) = end else { return Some(lines) };
            lines.extend_from_slice(b"\r\n");
            rest = match &rest[end..] {
                [b'\r', b'\n', after @ ..] => after,
                after => &after[1..],
            };
        }
    }
}

fn is_of_a_content_id(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"<>\"".contains(&byte)
}

/// A file's name within what most systems take, in bytes; its extension stays if it is one.
pub fn bounded(name: &str) -> String {
    let within = |text: &str, most: usize| text[..text.floor_char_boundary(most)].to_string();
    if name.len() <= LONGEST_NAME {
        return name.to_string();
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if (1..=16).contains(&extension.len()) => {
            format!("{}.{extension}", within(stem, LONGEST_NAME - 1 - extension.len()))
        }
        _ => within(name, LONGEST_NAME),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn attachment(fields: Value) -> OutgoingAttachment {
        let mut whole = json!({"filename": "a.txt", "mime_type": "text/plain", "content": ""});
        whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn base64_is_taken_in_every_usual_form() {
        for text in ["+/+/AQ==", "-_-_AQ==", "-_-_AQ", "+/+/AQ", "+/+/\r\nAQ==\r\n", " -_-_ AQ "] {
            let content = attachment(json!({"content": text})).content.unwrap();
            assert_eq!(content, [0xfb, 0xff, 0xbf, 1], "{text}");
        }
        for text in ["%%%", "A", "AQ=A", "AR=="] {
            let whole = json!({"mime_type": "text/plain", "content": text});
            assert!(serde_json::from_value::<OutgoingAttachment>(whole).is_err(), "{text}");
        }
    }

    #[test]
    fn every_file_gets_a_name_that_fits() {
        let long = format!("{}.pdf", "ä".repeat(200));
        for (filename, mime_type, expected) in [
            ("may.pdf", "application/pdf", "may.pdf".to_string()),
            ("", "application/pdf", "attachment.pdf".into()),
            ("  ", "text/calendar; method=REQUEST", "attachment.ics".into()),
            ("", "message/rfc822", "attachment.eml".into()),
            ("", "", "attachment".into()),
            (&long, "application/pdf", format!("{}.pdf", "ä".repeat(125))),
        ] {
            let given = attachment(json!({"filename": filename, "mime_type": mime_type}));
            assert_eq!(given.checked().unwrap().filename, expected, "{filename}");
        }
    }

    #[test]
    fn a_mail_is_attached_in_its_lines_or_not_at_all() {
        let lines = |content: &[u8]| {
            OutgoingAttachment { content: Some(content.to_vec()), ..attachment(json!({})) }
                .as_message()
        };
        let expected = Some(b"a: b\r\n\r\nc\r\nd\r\n".to_vec());
        for content in ["a: b\r\n\r\nc\r\nd\r\n", "a: b\n\nc\nd\n", "a: b\r\rc\rd\r"] {
            assert_eq!(lines(content.as_bytes()), expected, "{content:?}");
        }
        assert_eq!(lines(&[b'a'; 998]), Some(vec![b'a'; 998]));
        assert_eq!(lines(&[b'a'; 999]), None);
        assert_eq!(lines(b"a\0b"), None);
        assert_eq!(lines(b""), Some(vec![]));
    }
}
