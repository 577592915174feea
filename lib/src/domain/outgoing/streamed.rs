//! A mail whose uploaded files are written where they stand, piece by piece: no more of them is
//! needed at a time than of the mail.

use std::ops::Range;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Outgoing;
use crate::domain::email_address::EmailAddress;
use crate::domain::timestamp::Timestamp;
use crate::domain::upload::UploadId;

/// What Gmail takes of a mail, in bytes (`maxSize` of `messages.send`'s media upload).
pub const LONGEST_MAIL: u64 = 36_700_160;
/// A line of base64 holds so many bytes (RFC 2045, section 6.8: at most 76 characters).
const BYTES_OF_A_LINE: u64 = 57;
/// With its line end.
const LINE: u64 = 78;

/// A mail as RFC 5322, of which the files are not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streamed {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    File { id: UploadId, size: u64 },
}

/// What a range of the mail is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slice<'a> {
    Text(&'a [u8]),
    /// The bytes of a file, and what of their encoded lines belongs to the range.
    File {
        id: UploadId,
        bytes: Range<u64>,
        cut: Range<usize>,
    },
}

impl Outgoing {
    /// The files that were uploaded for it, each with its place among the attachments.
    pub fn uploads(&self) -> impl Iterator<Item = (usize, UploadId)> {
        let all = self.attachments.iter().enumerate();
        all.filter_map(|(at, attachment)| Some((at, attachment.upload_id?)))
    }

    /// As `to_rfc5322` writes it, with the uploaded files in their places.
    pub fn streamed(&self, own: &EmailAddress, now: Timestamp, unique: &str) -> Streamed {
        let mut rest = self.to_rfc5322(own, now, unique);
        let mut files: Vec<(usize, usize, Piece)> = Vec::new();
        for (at, id) in self.uploads() {
            let place = place(unique, id, at);
            if let Some(begins) = find(&rest, place.as_bytes()) {
                let size = self.attachments.get(at).map_or(0, |file| file.uploaded_size);
                files.push((begins, begins + place.len(), Piece::File { id, size }));
            }
        }
        files.sort_by_key(|(begins, ..)| std::cmp::Reverse(*begins));
        let mut pieces = Vec::new();
        for (begins, ends, file) in files {
            pieces.push(Piece::Text(rest.split_off(ends)));
            pieces.push(file);
            rest.truncate(begins);
        }
        pieces.push(Piece::Text(rest));
        pieces.reverse();
        Streamed { pieces }
    }
}

/// What stands in a mail in place of a file. `unique` occurs nowhere else in it.
pub(super) fn place(unique: &str, id: UploadId, at: usize) -> String {
    format!("file-{unique}-{at}-{}.", id.0.simple())
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

impl Streamed {
    /// In bytes.
    pub fn length(&self) -> u64 {
        self.pieces.iter().map(Piece::length).sum()
    }

    /// What a range of the mail is made of, in order.
    pub fn slices(&self, range: Range<u64>) -> Vec<Slice<'_>> {
        let mut begins = 0;
        let mut slices = Vec::new();
        for piece in &self.pieces {
            let ends = begins + piece.length();
            let within = range.start.clamp(begins, ends)..range.end.clamp(begins, ends);
            if within.start < within.end {
                slices.push(piece.slice(within.start - begins..within.end - begins));
            }
            begins = ends;
        }
        slices
    }
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::File { size, .. } => {
                let letters = size.div_ceil(3) * 4;
                letters + 2 * letters.div_ceil(LINE - 2).saturating_sub(1)
            }
        }
    }

    fn slice(&self, within: Range<u64>) -> Slice<'_> {
        match self {
            Self::Text(text) => {
                Slice::Text(text.get(index(within.start)..index(within.end)).unwrap_or_default())
            }
            Self::File { id, size } => {
                let first = within.start / LINE;
                let ends = (within.end.div_ceil(LINE) * BYTES_OF_A_LINE).min(*size);
                let before = first * LINE;
                Slice::File {
                    id: *id,
                    bytes: first * BYTES_OF_A_LINE..ends,
                    cut: index(within.start - before)..index(within.end - before),
                }
            }
        }
    }
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// Bytes that begin where a line does, in lines of base64.
pub fn in_lines(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.chunks(index(BYTES_OF_A_LINE));
    let mut text = Vec::with_capacity(lines.len() * index(LINE));
    let mut line = String::with_capacity(index(LINE));
    for chunk in lines {
        line.clear();
        BASE64_STANDARD.encode_string(chunk, &mut line);
        text.extend_from_slice(line.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn file(size: u64) -> Vec<u8> {
        (0..size).map(|at| (at % 251) as u8).collect()
    }

    /// A mail with a file of this size, and the same mail with the file in it.
    fn both(size: u64) -> (Streamed, Vec<u8>) {
        let own = EmailAddress::parse("ada@example.com").unwrap();
        let mail = |attachment: serde_json::Value| {
            let body = json!({"to": ["bo@example.com"], "text": "x", "attachments": [
                {"mime_type": "text/plain", "content": "YQ=="}, attachment, {"mime_type": "text/plain", "content": "Yg=="}
            ]});
            Outgoing::parse(body).unwrap()
        };
        let mut uploaded =
            mail(json!({"mime_type": "application/pdf", "upload_id": Uuid::from_u128(7)}));
        uploaded.attachments[1].uploaded_size = size;
        let whole = mail(
            json!({"mime_type": "application/pdf", "content": BASE64_STANDARD.encode(file(size))}),
        );
        let now = Timestamp::from_seconds(1_770_000_000);
        (uploaded.streamed(&own, now, "unique"), whole.to_rfc5322(&own, now, "unique"))
    }

    fn read(mail: &Streamed, range: Range<u64>) -> Vec<u8> {
        let mut text = Vec::new();
        for slice in mail.slices(range) {
            match slice {
                Slice::Text(piece) => text.extend_from_slice(piece),
                Slice::File { bytes, cut, .. } => {
                    let part: Vec<u8> = bytes.map(|at| (at % 251) as u8).collect();
                    text.extend_from_slice(&in_lines(&part)[cut]);
                }
            }
        }
        text
    }

    #[test]
    fn a_streamed_mail_is_the_mail_in_whatever_pieces_it_is_read() {
        for size in [1, 2, 3, 56, 57, 58, 113, 114, 115, 1000] {
            let (streamed, whole) = both(size);
            assert_eq!(streamed.length(), whole.len() as u64, "{size}");
            for step in [1, 7, 76, 77, 78, 79, 256, 10_000] {
                let mut text = Vec::new();
                let mut from = 0;
                while from < streamed.length() {
                    let to = (from + step).min(streamed.length());
                    let piece = read(&streamed, from..to);
                    assert_eq!(piece.len() as u64, to - from, "{size} {step} {from}");
                    text.extend(piece);
                    from = to;
                }
                assert!(text == whole, "{size} in steps of {step}");
            }
        }
    }

    #[test]
    fn no_more_of_a_file_is_read_than_a_line_beyond_the_range() {
        let (streamed, _) = both(25 * 1024 * 1024);
        assert!(streamed.length() < LONGEST_MAIL);
        let slices = streamed.slices(1_000_000..2_000_000);
        let [Slice::File { bytes, cut, .. }] = &slices[..] else { panic!("{slices:?}") };
        assert_eq!(cut.len(), 1_000_000);
        assert!((bytes.end - bytes.start) * 78 / 57 < 1_000_000 + 2 * 78, "{bytes:?}");
    }
}
