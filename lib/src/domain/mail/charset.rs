//! Bytes of a text part as text.

use mail_parser::decoders::charsets::map::charset_decoder;

/// Providers may have converted a text to UTF-8, whatever its header says. Valid UTF-8 is taken as
/// such, except for encodings in ASCII bytes (ISO-2022, UTF-7, UTF-16 of ASCII letters) that show
/// that they were not converted; anything else is decoded as declared, or else as windows-1252.
pub fn decode(bytes: &[u8], declared: Option<&str>) -> String {
    let declared = declared.map(registered);
    let is_hidden = declared.is_some_and(|name| is_hidden(bytes, name));
    match std::str::from_utf8(bytes) {
        Ok(text) if !is_hidden => text.strip_prefix('\u{feff}').unwrap_or(text).to_string(),
        _ => {
            let named = declared.and_then(|name| charset_decoder(name.as_bytes()));
            match named.or_else(|| charset_decoder(b"windows-1252")) {
                Some(decoder) if declared != Some("utf-8") => {
                    let text = match declared {
                        Some("utf-7") => decoder(&with_encoded_plus(bytes)),
                        _ => decoder(bytes),
                    };
                    text.strip_prefix('\u{feff}').unwrap_or(&text).to_string()
                }
                _ => String::from_utf8_lossy(bytes).into_owned(),
            }
        }
    }
}

/// The name under which a charset is known that mailers also call otherwise (Microsoft's code
/// pages; Python's and Java's names).
fn registered(name: &str) -> &str {
    match name {
        "utf8" | "utf-8-sig" | "cp65001" | "unicode-1-1-utf-8" => "utf-8",
        "cp932" | "windows-31j" | "x-ms-cp932" | "cswindows31j" | "shift-jis" => "shift_jis",
        "cp936" | "ms936" | "x-gbk" | "windows-936" => "gbk",
        "cp949" | "ks_c_5601" | "windows-949" | "uhc" | "x-windows-949" => "euc-kr",
        "cp950" | "big5-hkscs" | "x-windows-950" | "big-5" => "big5",
        "cp50220" | "cp50221" | "cp50222" | "iso-2022-jp-ms" | "iso2022jp" => "iso-2022-jp",
        "cp51932" | "eucjp" | "x-euc-jp" => "euc-jp",
        "cp874" | "tis-620" => "windows-874",
        "cp1250" | "x-cp1250" => "windows-1250",
        "cp1251" | "x-cp1251" => "windows-1251",
        "cp1252" | "x-cp1252" | "ansi" | "x-ansi" => "windows-1252",
        "cp1253" => "windows-1253",
        "cp1254" => "windows-1254",
        "cp1255" => "windows-1255",
        "cp1256" => "windows-1256",
        "cp1257" => "windows-1257",
        "cp1258" => "windows-1258",
        "latin1" | "latin-1" | "iso8859-1" | "iso_8859-1" => "iso-8859-1",
        "iso8859-2" | "latin2" => "iso-8859-2",
        "iso8859-15" | "latin-9" | "latin9" => "iso-8859-15",
        "koi8r" | "koi" => "koi8-r",
        "utf7" | "unicode-1-1-utf-7" => "utf-7",
        "utf16" | "ucs-2" | "unicode" => "utf-16",
        name => name,
    }
}

fn is_hidden(bytes: &[u8], charset: &str) -> bool {
    match charset {
        "utf-7" => is_utf_7(bytes),
        name if name.starts_with("iso-2022-") => bytes.contains(&0x1b),
        name if name.starts_with("utf-16") => bytes.contains(&0),
        _ => false,
    }
}

/// Whether each `+` begins an encoded run (RFC 2152): a text with a plus sign that was converted is
/// not decoded once more.
fn is_utf_7(bytes: &[u8]) -> bool {
    let runs = bytes.split(|byte| *byte == b'+').skip(1);
    let mut encoded = 0;
    let sound = runs.into_iter().all(|run| {
        let length =
            run.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'/').count();
        encoded += usize::from(length > 0);
        // Whole UTF-16 units of 16 bits in signs of 6, with less than one sign to spare.
        match length {
            0 => run.first() == Some(&b'-'),
            length => length * 6 % 16 < 6 && run.get(length) == Some(&b'-'),
        }
    });
    sound && encoded > 0
}

/// The decoder does not know `+-`, the short form of a plus sign.
fn with_encoded_plus(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(bytes).replace("+-", "+ACs-").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_8_is_taken_for_what_it_is_and_the_rest_for_what_it_says_it_is() {
        let table: [(&[u8], Option<&str>, &str); 21] = [
            ("für".as_bytes(), Some("iso-8859-1"), "für"),
            (b"f\xfcr", Some("iso-8859-1"), "für"),
            (b"f\xfcr", None, "für"),
            (b"f\xfcr", Some("x-unknown"), "für"),
            (b"f\xfcr", Some("unknown-8bit"), "für"),
            (b"f\xfcr", Some("utf-8"), "f\u{fffd}r"),
            (b"\xef\xbb\xbfa", None, "a"),
            (b"\xcf\xf0\xe8", Some("windows-1251"), "При"),
            (b"\xcf\xf0\xe8", Some("cp1251"), "При"),
            (b"\x1b$B$\"\x1b(B", Some("iso-2022-jp"), "あ"),
            (b"\x1b$B$\"\x1b(B", Some("cp50220"), "あ"),
            (b"\x82\xa0", Some("cp932"), "あ"),
            (b"\xc4\xe3", Some("cp936"), "你"),
            (b"\xb0\xa1", Some("cp949"), "가"),
            (b"\xa7\x41", Some("cp950"), "你"),
            (b"f\0\xfc\0r\0", Some("utf-16le"), "für"),
            (b"\xff\xfea\0b\0", Some("utf-16"), "ab"),
            (b"a\0b\0", Some("utf-16le"), "ab"),
            (b"plain", Some("utf-16"), "plain"),
            (b"f+APw-r +- 1", Some("utf-7"), "für + 1"),
            (b"1+1=2, a+b-c", Some("utf-7"), "1+1=2, a+b-c"),
        ];
        for (bytes, declared, expected) in table {
            assert_eq!(decode(bytes, declared), expected, "{declared:?}");
        }
    }
}
