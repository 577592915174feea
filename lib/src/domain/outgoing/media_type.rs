//! A media type with its parameters (RFC 2045, section 5.1).

use std::fmt;

use serde::{Deserialize, Serialize};

const LONGEST_TYPE: usize = 127;
/// With all parameters.
const LONGEST: usize = 998;
const NO_TYPE: &str =
    "must be a media type as application/pdf, or with parameters as text/calendar; method=REQUEST";

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct MediaType {
    /// Type and subtype, in lower case.
    essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// What has no type, or one that is none, is bytes (RFC 2046, section 4.5.1).
    pub fn bytes() -> Self {
        Self { essence: "application/octet-stream".into(), parameters: Vec::new() }
    }

    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut pieces = pieces(text).into_iter();
        let essence = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
        if text.trim().is_empty() {
            return Ok(Self::bytes());
        }
        let fits = essence.split_once('/').is_some_and(|(kind, sub)| {
            is_name(kind) && is_name(sub) && essence.len() <= LONGEST_TYPE
        });
        if !fits || text.len() > LONGEST || text.chars().any(char::is_control) {
            return Err(NO_TYPE);
        }
        if essence.starts_with("multipart/") {
            return Err("is a multipart, which has parts of its own; attach these one by one");
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for piece in pieces.filter(|piece| !piece.trim().is_empty()) {
            let (name, value) = parameter(piece).ok_or(NO_TYPE)?;
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err("names a parameter twice");
            }
            parameters.push((name, value));
        }
        Ok(Self { essence, parameters })
    }

    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// `message/rfc822` and its like: a mail, or a report about one.
    pub fn is_message(&self) -> bool {
        self.essence.starts_with("message/")
    }

    /// Their names in lower case, their values without quotes.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What files of this type are named by, without the dot.
    pub fn extension(&self) -> Option<&'static str> {
        Some(match self.essence.as_str() {
            "application/pdf" => "pdf",
            "application/zip" => "zip",
            "application/gzip" => "gz",
            "application/json" => "json",
            "application/xml" | "text/xml" => "xml",
            "application/msword" => "doc",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
            "application/vnd.ms-excel" => "xls",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
            "application/vnd.ms-powerpoint" => "ppt",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
            "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
            "application/pgp-signature" => "asc",
            "audio/mpeg" => "mp3",
            "audio/wav" => "wav",
            "image/gif" => "gif",
            "image/jpeg" => "jpg",
            "image/png" => "png",
            "image/svg+xml" => "svg",
            "image/tiff" => "tiff",
            "image/webp" => "webp",
            "message/rfc822" | "message/global" => "eml",
            "text/calendar" => "ics",
            "text/csv" => "csv",
            "text/html" => "html",
            "text/vcard" => "vcf",
            "video/mp4" => "mp4",
            text if text.starts_with("text/") => "txt",
            _ => return None,
        })
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.essence)?;
        for (name, value) in &self.parameters {
            match is_token(value) {
                true => write!(formatter, "; {name}={value}")?,
                false => {
                    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                    write!(formatter, "; {name}=\"{value}\"")?;
                }
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for MediaType {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<MediaType> for String {
    fn from(kind: MediaType) -> Self {
        kind.to_string()
    }
}

/// What is between the semicolons that stand outside of quotes.
fn pieces(text: &str) -> Vec<&str> {
    let (mut found, mut begins) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, sign) in text.char_indices() {
        match sign {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                found.push(&text[begins..at]);
                begins = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[begins..]);
    found
}

fn parameter(piece: &str) -> Option<(String, String)> {
    let (name, value) = piece.split_once('=')?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    // A star says that the value is encoded (RFC 2231), which is done here where it must be.
    if !is_token(&name) || name.contains(['*', '\'', '%']) {
        return None;
    }
    let Some(quoted) = value.strip_prefix('"') else {
        return is_token(value).then(|| (name, value.to_string()));
    };
    let mut inner = String::new();
    let mut letters = quoted.strip_suffix('"')?.chars();
    while let Some(letter) = letters.next() {
        inner.push(match letter {
            '"' => return None,
            '\\' => letters.next()?,
            letter => letter,
        });
    }
    Some((name, inner))
}

/// RFC 6838, section 4.2.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_keeps_its_parameters() {
        for (given, expected) in [
            ("application/pdf", "application/pdf"),
            (
                "Text/Calendar;method=REQUEST; Charset=\"utf-8\"",
                "text/calendar; method=REQUEST; charset=utf-8",
            ),
            ("application/pdf; name=\"a; b.pdf\";", "application/pdf; name=\"a; b.pdf\""),
            (r#"text/plain; name="a\"b""#, r#"text/plain; name="a\"b""#),
            ("text/plain; name=\"für.txt\"", "text/plain; name=\"für.txt\""),
            ("", "application/octet-stream"),
            ("message/rfc822", "message/rfc822"),
        ] {
            let kind = MediaType::parse(given).unwrap();
            assert_eq!(kind.to_string(), expected, "{given}");
            assert_eq!(MediaType::parse(&kind.to_string()).unwrap(), kind, "{given}");
        }
        for refused in [
            "text",
            "text/",
            "/plain",
            "text/plain/x",
            "te xt/plain",
            "text/plain\r\nX: y",
            "text/plain; x",
            "text/plain; x=",
            "text/plain; x=a b",
            "text/plain; x=\"a",
            "text/plain; x*=utf-8''a",
            "text/plain; x=\"a\r\nb\"",
            "text/plain; a=1; A=2",
            "multipart/mixed",
            "multipart/mixed; boundary=x",
            "ä/b",
        ] {
            assert!(MediaType::parse(refused).is_err(), "{refused}");
        }
    }
}
