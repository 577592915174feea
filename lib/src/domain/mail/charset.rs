//! Bytes of a text part as text.

use mail_parser::decoders::charsets::map::charset_decoder;

/// Providers may have converted a text to UTF-8, whatever its header says. Valid UTF-8 is taken as
/// such, except for encodings in ASCII bytes (ISO-2022); anything else is decoded as declared, or
/// else as windows-1252.
pub fn decode(bytes: &[u8], declared: Option<&str>) -> String {
    let hidden =
        declared.is_some_and(|name| name.starts_with("iso-2022-")) && bytes.contains(&0x1b);
    match std::str::from_utf8(bytes) {
        Ok(text) if !hidden => text.strip_prefix('\u{feff}').unwrap_or(text).to_string(),
        _ => {
            let named = declared.and_then(|name| charset_decoder(name.as_bytes()));
            match named.or_else(|| charset_decoder(b"windows-1252")) {
                Some(decoder) if declared != Some("utf-8") => decoder(bytes),
                _ => String::from_utf8_lossy(bytes).into_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_8_is_taken_for_what_it_is_and_the_rest_for_what_it_says_it_is() {
        let table: [(&[u8], Option<&str>, &str); 8] = [
            ("für".as_bytes(), Some("iso-8859-1"), "für"),
            (b"f\xfcr", Some("iso-8859-1"), "für"),
            (b"f\xfcr", None, "für"),
            (b"f\xfcr", Some("x-unknown"), "für"),
            (b"f\xfcr", Some("utf-8"), "f\u{fffd}r"),
            (b"\xef\xbb\xbfa", None, "a"),
            (b"\xcf\xf0\xe8", Some("windows-1251"), "При"),
            (b"\x1b$B$\"\x1b(B", Some("iso-2022-jp"), "あ"),
        ];
        for (bytes, declared, expected) in table {
            assert_eq!(decode(bytes, declared), expected, "{declared:?}");
        }
    }
}
