//! The tag of an answer (RFC 9110, section 8.8.3): who asks again with it is told that nothing has
//! changed.

use crate::domain::id::fingerprint;

/// A strong tag: the same bytes have the same tag, and others another one.
pub fn entity_tag(body: &str) -> String {
    format!("\"{}\"", fingerprint(&["entity", body]).simple())
}

/// Whether a header `If-None-Match` names the tag. Tags are compared weakly (section 13.1.2): one
/// that a proxy weakened on its way still counts.
pub fn is_named(if_none_match: &str, tag: &str) -> bool {
    let mut named = if_none_match.split(',').map(str::trim);
    named.any(|named| named == "*" || named.strip_prefix("W/").unwrap_or(named) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_of_its_bytes_and_quoted() {
        let tag = entity_tag("{}");
        assert_eq!(tag, entity_tag("{}"));
        assert_ne!(tag, entity_tag("{ }"));
        assert!(tag.starts_with('"') && tag.ends_with('"') && !tag[1..tag.len() - 1].contains('"'));
    }

    #[test]
    fn a_header_names_one_of_its_tags() {
        let tag = "\"a1\"";
        for header in ["\"a1\"", "W/\"a1\"", "\"b\", \"a1\"", "\"b\",W/\"a1\"", "*", " \"a1\" "] {
            assert!(is_named(header, tag), "{header}");
        }
        for header in ["", "a1", "\"a\"", "\"a1", "w/\"a1\"", "\"a1\"x", "\"A1\"", "**"] {
            assert!(!is_named(header, tag), "{header}");
        }
    }
}
