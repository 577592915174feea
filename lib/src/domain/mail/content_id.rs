//! The parts that an HTML body shows: by `cid:` and their Content-ID (RFC 2392).

use std::collections::HashSet;

use percent_encoding::percent_decode_str;

use super::html::unescaped;

/// The Content-IDs that these texts refer to.
pub fn shown_by(html: &[String]) -> HashSet<String> {
    html.iter().flat_map(|html| references(html)).collect()
}

fn references(html: &str) -> Vec<String> {
    let ends = |letter: char| letter.is_whitespace() || "\"'<>()".contains(letter);
    // No letter outside of ASCII becomes longer or shorter, so places stay.
    let lower = html.to_ascii_lowercase();
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(at) = lower[from..].find("cid:") {
        let begins = from + at + "cid:".len();
        let url = html[begins..].split(ends).next().unwrap_or_default();
        found.push(percent_decode_str(&unescaped(url)).decode_utf8_lossy().into_owned());
        from = begins + url.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_however_they_are_written() {
        let table = [
            ("<img src=\"cid:a@b\">", "a@b"),
            ("<img src='CID:a@b'>", "a@b"),
            ("<IMG SRC=cid:a@b>", "a@b"),
            ("<td style=\"background:url(cid:a@b)\">", "a@b"),
            ("<img src=\"cid:a%25b@c%2b\">", "a%b@c+"),
            ("<img src=\"cid:a&amp;b@c\">", "a&b@c"),
            ("für <img src=\"cid:ä&b\">", "ä&b"),
            ("acid: nothing", ""),
        ];
        for (html, expected) in table {
            assert_eq!(shown_by(&[html.into()]), HashSet::from([expected.to_string()]), "{html}");
        }
        assert_eq!(shown_by(&["<p>no link</p>".into()]), HashSet::new());
    }
}
