//! Text that was written as HTML.

use mail_parser::decoders::html::add_html_token;

/// With the entities of HTML decoded.
pub fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        plain.push_str(before);
        match entity.find(';') {
            Some(end) => {
                add_html_token(&mut plain, &entity.as_bytes()[..=end], false);
                rest = &entity[end + 1..];
            }
            None => {
                plain.push_str(entity);
                return plain;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_decoded_once() {
        let table = [
            ("Don&#39;t &lt;b&gt; &amp; &quot;c&quot;", "Don't <b> & \"c\""),
            ("&amp;lt;", "&lt;"),
            ("a & b; c", "a & b; c"),
            ("a && b &amp", "a && b &amp"),
            ("f&uuml;r &#x1F600; &nothing;", "für 😀 &nothing;"),
            ("", ""),
        ];
        for (escaped, expected) in table {
            assert_eq!(unescaped(escaped), expected);
        }
    }
}
