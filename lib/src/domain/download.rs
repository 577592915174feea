//! How an attachment is handed to a browser: it is untrusted, so it is saved and never rendered, and
//! its name cannot break out of its header.

use crate::domain::audit::steers;
use crate::domain::outgoing::attachment::bounded;
use crate::domain::outgoing::encoded::extended_parameter;

/// What says nothing of a file, and has no browser guess.
pub const BYTES: &str = "application/octet-stream";

/// The sender's media type, if it is a valid one.
pub fn media_type(mime_type: &str) -> &str {
    let token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let fits = mime_type.split_once('/').is_some_and(|(kind, rest)| token(kind) && token(rest));
    if fits { mime_type } else { BYTES }
}

/// The sender's file name without path separators and without characters that reverse the direction
/// of writing.
fn harmless(name: &str) -> String {
    name.chars()
        .filter(|sign| !steers(*sign))
        .map(|sign| if "/\\".contains(sign) { '_' } else { sign })
        .collect()
}

/// The value of `Content-Disposition` (RFC 6266): an ASCII fallback in `filename`, and the real name
/// in `filename*`.
pub fn disposition(filename: &str) -> String {
    let filename = bounded(&harmless(filename));
    let safe = |character: char| {
        if character.is_ascii_alphanumeric() || " ._-()".contains(character) {
            character
        } else {
            '_'
        }
    };
    let plain: String = filename.chars().map(safe).collect();
    let plain = if plain.trim().is_empty() { "attachment".to_string() } else { plain };
    format!("attachment; filename=\"{plain}\"; {}", extended_parameter("filename", &filename))
}
