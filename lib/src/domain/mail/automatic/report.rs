//! What a delivery status notification (RFC 3464) says, in whichever shape its parts came.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::mail::message_id::message_ids;
use crate::domain::mail::{Content, Part, one_line};

/// No sender may make a list that is longer than any mail has recipients: Gmail takes 500.
const MOST_RECIPIENTS: usize = 500;

/// What a bounce is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounce {
    /// The Message-ID of the mail that it is about, in angle brackets; absent if it names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "<1@example.com>")]
    pub message_id: Option<String>,
    pub recipients: Vec<FailedRecipient>,
}

/// One recipient of that mail, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BounceRecipient)]
pub struct FailedRecipient {
    /// Final-Recipient: the address that was not reached, which a forwarding server may have put in
    /// the place of the one that was written to.
    #[schema(example = "bob@example.com")]
    pub recipient: String,
    /// An enhanced status code (RFC 3463): `5.…` is permanent, `4.…` may pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "5.1.1")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
}

/// RFC 3464's words for what became of the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = BounceAction)]
pub enum Action {
    Failed,
    /// It is not delivered yet, and is still tried.
    Delayed,
    Delivered,
    /// Handed to a server that reports no delivery.
    Relayed,
    /// Delivered to a list, and sent on to its members.
    Expanded,
}

/// In bytes of a part; the sender chooses how long it is.
const LONGEST_READ: usize = 256 * 1024;

/// The fields of one group, in the order in which they stand.
type Fields = Vec<(String, String)>;

impl Bounce {
    /// `failed` and `answered` are the headers X-Failed-Recipients and In-Reply-To, with which some
    /// servers say the same. `None` if nothing is said.
    pub(super) fn read(root: &Part, failed: Option<&str>, answered: Option<&str>) -> Option<Self> {
        let parts = outer(root);
        let is_one_of = |part: &&&Part, types: [&str; 2]| types.contains(&part.mime_type.as_str());
        let status = parts.iter().find(|part| {
            is_one_of(part, ["message/delivery-status", "message/global-delivery-status"])
        });
        let original = parts.iter().find(|part| {
            is_one_of(part, ["message/rfc822", "message/global"])
                || is_one_of(part, ["text/rfc822-headers", "message/global-headers"])
        });
        let groups = status.map(|status| groups(status)).unwrap_or_default();
        let mut recipients: Vec<FailedRecipient> =
            groups.iter().filter_map(recipient).take(MOST_RECIPIENTS).collect();
        if recipients.is_empty() {
            let named = failed.unwrap_or_default().split(',').map(str::trim);
            recipients = named
                .filter(|address| !address.is_empty())
                .take(MOST_RECIPIENTS)
                .map(|address| FailedRecipient {
                    recipient: one_line(address),
                    status: None,
                    action: None,
                })
                .collect();
        }
        let message_id = original
            .and_then(|original| field(&fields_of(original), "message-id").and_then(first_id))
            .or_else(|| answered.and_then(first_id));
        let read = Self { message_id, recipients };
        (read != Self::default()).then_some(read)
    }
}

/// The parts of the mail itself, and not of a mail within it.
fn outer(root: &Part) -> Vec<&Part> {
    let (mut found, mut open) = (Vec::new(), vec![root]);
    while let Some(part) = open.pop() {
        match part.mime_type.starts_with("multipart/") {
            true => open.extend(part.parts.iter().rev()),
            false => found.push(part),
        }
    }
    found
}

/// Gmail makes a part of each group, whose headers are its fields; others leave the text as it is.
fn groups(status: &Part) -> Vec<Fields> {
    if status.parts.is_empty() {
        return text_of(status).map(|text| blocks(&text)).unwrap_or_default();
    }
    let names_recipient = |part: &Part| {
        ["final-recipient", "original-recipient"]
            .iter()
            .any(|name| field(&part.headers, name).is_some())
    };
    let of_part = |part: &Part| match names_recipient(part) {
        true => vec![part.headers.clone()],
        // The fields may also be the part's text.
        false => text_of(part).map(|text| blocks(&text)).unwrap_or_default(),
    };
    status.parts.iter().flat_map(of_part).collect()
}

/// The headers of the original: those of the mail's root, or what its text begins with.
fn fields_of(original: &Part) -> Fields {
    match original.parts.first() {
        Some(inner) => inner.headers.clone(),
        None => text_of(original)
            .and_then(|text| blocks(&text).into_iter().next())
            .unwrap_or_else(|| original.headers.clone()),
    }
}

fn text_of(part: &Part) -> Option<String> {
    match &part.content {
        Content::Bytes(bytes) => {
            let read = &bytes[..bytes.len().min(LONGEST_READ)];
            Some(String::from_utf8_lossy(read).into_owned())
        }
        Content::None | Content::Elsewhere { .. } => None,
    }
}

/// The groups of fields that blank lines part, unfolded (RFC 5322, section 2.2.3).
fn blocks(text: &str) -> Vec<Fields> {
    let (mut blocks, mut block) = (Vec::new(), Fields::new());
    for line in text.lines() {
        match (line.trim().is_empty(), line.starts_with([' ', '\t']), block.last_mut()) {
            (true, ..) => {
                if !block.is_empty() {
                    blocks.push(std::mem::take(&mut block));
                }
            }
            (false, true, Some((_, value))) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (false, ..) => {
                if let Some((name, value)) = line.split_once(':') {
                    block.push((name.trim().to_string(), value.trim().to_string()));
                }
            }
        }
    }
    blocks.extend((!block.is_empty()).then_some(block));
    blocks
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let mut named = fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.as_str())
}

/// `None` of a group that is about no recipient, such as the first one.
fn recipient(group: &Fields) -> Option<FailedRecipient> {
    let value = field(group, "final-recipient").or_else(|| field(group, "original-recipient"))?;
    // `rfc822; bob@example.com`: the type of the address stands before it.
    let address = value.split_once(';').map_or(value, |(_, address)| address).trim();
    let address = one_line(address.trim_matches(['<', '>']).trim());
    (!address.is_empty()).then(|| FailedRecipient {
        recipient: address,
        status: field(group, "status").map(first_word).filter(|word| is_status(word)),
        action: field(group, "action").and_then(|value| Action::parse(&first_word(value))),
    })
}

fn first_id(value: &str) -> Option<String> {
    message_ids(value).and_then(|ids| ids.split(' ').next().map(String::from))
}

/// Three numbers (RFC 3463, section 2).
fn is_status(word: &str) -> bool {
    let numbers: Vec<&str> = word.split('.').collect();
    let is_number = |digits: &&str| {
        (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    numbers.len() == 3 && matches!(numbers[0], "2" | "4" | "5") && numbers.iter().all(is_number)
}

impl Action {
    fn parse(word: &str) -> Option<Self> {
        let words = [
            ("failed", Self::Failed),
            ("delayed", Self::Delayed),
            ("delivered", Self::Delivered),
            ("relayed", Self::Relayed),
            ("expanded", Self::Expanded),
        ];
        words.into_iter().find(|(known, _)| *known == word).map(|(_, action)| action)
    }
}

/// The first word of a structured header, in lower case: without comments before it, and without
/// the parameters or comments that follow.
pub(super) fn first_word(value: &str) -> String {
    let (mut depth, mut word) = (0_u32, String::new());
    for letter in value.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if letter.is_whitespace() && word.is_empty() => {}
            ';' | ',' => break,
            _ if letter.is_whitespace() => break,
            _ => word.extend(letter.to_lowercase()),
        }
    }
    word
}
