//! The bytes of an attachment, out of Gmail's JSON while it arrives: neither the JSON nor its base64
//! is ever whole in memory.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use memchr::{memchr, memchr2};

use super::errors::Failure;
use crate::adapters::https::Collect;
use crate::domain::range::{Served, served};

/// What comes before the data: the field's name, and little else with `fields=data`.
const LONGEST_HEAD: usize = 4096;
/// Google may write the padding so.
const ESCAPED_PADDING: &[u8] = b"\\u003d";

/// What is downloaded of an attachment.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    Whole,
    /// As a `Range` header says, and no more than can be answered.
    Range(Option<&'a str>),
}

impl Wanted<'_> {
    pub fn is_served(self, length: usize) -> bool {
        match self {
            Self::Whole => true,
            Self::Range(header) => {
                matches!(served(header, length), Served::Whole | Served::Part(_))
            }
        }
    }
}

/// Collects the answer to `messages.attachments.get` with `fields=data`.
#[derive(Default)]
pub struct AttachmentData {
    /// What came before the data.
    head: Vec<u8>,
    begun: bool,
    ended: bool,
    /// Letters that do not make whole bytes yet, or are part of an escape.
    rest: Vec<u8>,
    bytes: Vec<u8>,
    failure: Option<&'static str>,
}

impl Collect for AttachmentData {
    fn push(&mut self, chunk: &[u8]) {
        if self.ended || self.failure.is_some() {
            return;
        }
        if self.begun {
            return self.take(chunk);
        }
        self.head.extend_from_slice(chunk);
        if let Some(begins) = begins(&self.head) {
            self.begun = true;
            let data = self.head.split_off(begins);
            self.take(&data);
        } else if self.head.len() > LONGEST_HEAD {
            self.failure = Some("an attachment's answer begins with something else");
        }
    }
}

impl AttachmentData {
    /// An attachment without data is empty.
    pub fn into_bytes(mut self) -> Result<Vec<u8>, Failure> {
        if let Some(failure) = self.failure {
            return Err(Failure::no_answer(failure));
        }
        if !self.begun {
            let empty: super::resources::AttachmentBody = super::parse(&self.head)?;
            return super::tree::decoded(&empty.data);
        }
        if !self.ended {
            return Err(Failure::no_answer("an attachment's answer broke off"));
        }
        let letters = memchr2(b'=', b'\\', &self.rest);
        self.rest.truncate(letters.unwrap_or(self.rest.len()));
        self.decode(self.rest.len());
        match self.failure {
            Some(failure) => Err(Failure::no_answer(failure)),
            None => Ok(self.bytes),
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        let end = memchr(b'"', chunk);
        self.rest.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
        self.ended = end.is_some();
        let padding = memchr2(b'=', b'\\', &self.rest);
        let letters = padding.unwrap_or(self.rest.len());
        if let Some(padding) = padding
            && !is_padding(&self.rest[padding..])
        {
            self.failure = Some("an attachment's data is not base64url");
        }
        self.decode(letters / 4 * 4);
    }

    fn decode(&mut self, letters: usize) {
        if BASE64_URL_SAFE_NO_PAD.decode_vec(&self.rest[..letters], &mut self.bytes).is_err() {
            self.failure = Some("an attachment's data is not base64url");
        }
        self.rest.drain(..letters);
    }
}

/// Whether this may be the beginning of nothing but padding.
fn is_padding(text: &[u8]) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        rest = match rest {
            [b'=', after @ ..] => after,
            _ if rest.starts_with(ESCAPED_PADDING) => &rest[ESCAPED_PADDING.len()..],
            _ => return ESCAPED_PADDING.starts_with(rest),
        };
    }
    true
}

/// Where the data's letters begin: after `"data"`, a colon and a quote.
fn begins(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"\"data\"";
    let name = head.windows(NAME.len()).position(|window| window == NAME)?;
    let skip = |from: usize, wanted: u8| {
        let blank = head[from..].iter().position(|byte| !byte.is_ascii_whitespace())?;
        (head[from + blank] == wanted).then_some(from + blank + 1)
    };
    skip(skip(name + NAME.len(), b':')?, b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &[u8], step: usize) -> Result<Vec<u8>, Failure> {
        let mut data = AttachmentData::default();
        answer.chunks(step).for_each(|chunk| data.push(chunk));
        data.into_bytes()
    }

    #[test]
    fn an_attachment_is_read_in_whatever_pieces_it_comes() {
        for size in [0_u8, 1, 2, 3, 4, 5, 100] {
            let bytes: Vec<u8> = (0..size).map(|at| at.wrapping_mul(37)).collect();
            let data = BASE64_URL_SAFE_NO_PAD.encode(&bytes);
            let padding = "=".repeat((4 - data.len() % 4) % 4);
            let escaped = padding.replace('=', "\\u003d");
            for answer in [
                format!("{{\"data\":\"{data}\"}}"),
                format!("{{\n \"data\" : \"{data}{padding}\"\n}}\n"),
                format!("{{\"size\":7,\"data\":\"{data}{escaped}\"}}"),
            ] {
                for step in [1, 2, 3, 5, 1000] {
                    assert_eq!(read(answer.as_bytes(), step).unwrap(), bytes, "{answer} {step}");
                }
            }
        }
        assert!(read(b"{}", 1).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_data_is_no_attachment() {
        for answer in [
            "",
            "7",
            "{\"data\":7}",
            "{\"data\":\"YQ",
            "{\"data\":\"Y\"}",
            "{\"data\":\"+/+/\"}",
            "{\"data\":\"YQ==YQ==\"}",
            "{\"data\":\"YQ\\nYQ\"}",
        ] {
            for step in [1, 1000] {
                assert!(read(answer.as_bytes(), step).is_err(), "{answer}");
            }
        }
        assert!(read(&[b' '; 2 * LONGEST_HEAD], 7).is_err());
    }
}
