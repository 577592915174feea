//! A block of headers: where each stands, and its value unfolded and decoded.

use std::ops::Range;

use mailparse::{MailAddr, MailAddrList};

/// A header of an answer.
pub(crate) struct Header {
    pub name: String,
    pub value: String,
    /// Of a list of addresses with encoded words: the same with each name in quotes.
    pub quoted: Option<String>,
}

const ADDRESSES: [&str; 6] = ["From", "To", "Cc", "Bcc", "Reply-To", "Sender"];

/// mailparse looks at a whole value for each `=?` in it. What would take it longer than this many
/// steps stays encoded.
const MOST_STEPS: usize = 100_000_000;

/// One header as it was sent.
pub(crate) struct Field {
    pub name: String,
    /// Unfolded as RFC 5322, 2.2.3 has it: without line ends, with all blanks. Gmail's answers are
    /// the same (`mx.google.com;       dkim=pass`).
    value: Vec<u8>,
    lines: Range<usize>,
}

/// The headers that these bytes begin with, and where the body begins. A line that is no header
/// ends them.
pub(crate) fn block(raw: &[u8]) -> (Vec<Field>, usize) {
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        match raw.get(at..).unwrap_or_default() {
            [] => return (fields, raw.len()),
            [b'\n', ..] => return (fields, at + 1),
            [b'\r', b'\n', ..] => return (fields, at + 2),
            rest => {
                let Some((field, length)) = field(rest, at) else { return (fields, at) };
                fields.extend(field);
                at += length;
            }
        }
    }
}

/// The header at the start of `rest`, and its length; none for the line `From …` of an mbox.
fn field(rest: &[u8], at: usize) -> Option<(Option<Field>, usize)> {
    let (header, length) = mailparse::parse_header(rest).ok()?;
    if at == 0 && rest.starts_with(b"From ") {
        return Some((None, length));
    }
    let has_colon = rest.get(header.get_key_raw().len()) == Some(&b':');
    let name = header.get_key().trim_end().to_owned();
    let named = !name.is_empty() && name.bytes().all(|letter| letter.is_ascii_graphic());
    let value = unfolded(header.get_value_raw());
    (has_colon && named).then_some((Some(Field { name, value, lines: at..at + length }), length))
}

fn unfolded(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect()
}

impl Field {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub fn decoded(&self) -> Header {
        let has_addresses = ADDRESSES.iter().any(|name| self.is(name));
        Header {
            name: self.name.clone(),
            value: decoded(&self.value),
            quoted: (has_addresses && has_words(&self.value)).then(|| self.quoted()),
        }
    }

    /// As it was sent if it cannot be read, or if an encoded word would become an address.
    fn quoted(&self) -> String {
        let sent = text(&self.value);
        match self.list() {
            Some(list) if self.addresses().iter().all(|address| sent.contains(address)) => {
                list.to_string()
            }
            _ => sent,
        }
    }

    /// With its encoded words.
    pub fn encoded(&self) -> String {
        text(&self.value)
    }

    /// The addresses of a list, those of groups too; none of a list that cannot be read.
    pub fn addresses(&self) -> Vec<String> {
        let of = |one: &MailAddr| match one {
            MailAddr::Single(one) => vec![one.addr.clone()],
            MailAddr::Group(group) => group.addrs.iter().map(|one| one.addr.clone()).collect(),
        };
        self.list().map(|list| list.iter().flat_map(of).collect()).unwrap_or_default()
    }

    fn list(&self) -> Option<MailAddrList> {
        if takes_long(&self.value) {
            return None;
        }
        let line = [b"To: ", self.value.as_slice()].concat();
        let (header, _) = mailparse::parse_header(&line).ok()?;
        mailparse::addrparse_header(&header).ok()
    }
}

fn has_words(value: &[u8]) -> bool {
    value.windows(2).any(|pair| pair == b"=?")
}

fn takes_long(value: &[u8]) -> bool {
    let words = value.windows(2).filter(|pair| *pair == b"=?").count();
    words.saturating_mul(value.len()) > MOST_STEPS
}

fn text(value: &[u8]) -> String {
    String::from_utf8(value.to_vec()).unwrap_or_else(|_| charset::decode_latin1(value).into_owned())
}

/// A value with its encoded words decoded, on one line; as it was sent if that would lose letters
/// (of characters that are split over two words, say). Bytes that are no UTF-8 are taken for Latin.
pub(crate) fn decoded(value: &[u8]) -> String {
    if takes_long(value) {
        return text(value);
    }
    let line = [b"Value: ", value].concat();
    let decoded = mailparse::parse_header(&line).map(|(header, _)| header.get_value());
    let kept = |decoded: &String| !has_words(value) || !decoded.contains('\u{fffd}');
    decoded.ok().filter(kept).unwrap_or_else(|| text(value)).replace(['\r', '\n'], " ")
}

/// The mail without one of its headers.
pub(crate) fn without(raw: &[u8], name: &str) -> Vec<u8> {
    let mut rest = raw.to_vec();
    let (fields, _) = block(raw);
    for field in fields.iter().rev().filter(|field| field.is(name)) {
        rest.drain(field.lines.clone());
    }
    rest
}
