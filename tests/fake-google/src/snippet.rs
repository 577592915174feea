//! The snippet of a message: the beginning of what can be read, escaped for HTML.

use crate::mime::Part;

const LETTERS: usize = 200;

/// Of the first plain text, or else of the first HTML.
pub(crate) fn of(root: &Part) -> String {
    let plain = root.readable("text/plain").map(str::to_owned);
    let text = plain.or_else(|| root.readable("text/html").map(shown)).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    escaped(&words.join(" ").chars().take(LETTERS).collect::<String>())
}

/// What a reader of the HTML sees.
fn shown(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let lower = tag.to_ascii_lowercase();
        let hidden = ["style", "script", "title"].iter().find(|name| lower.starts_with(**name));
        let end = match hidden {
            Some(name) => lower
                .find(&format!("</{name}"))
                .and_then(|at| lower[at..].find('>').map(|end| at + end)),
            None if tag.starts_with("!--") => tag.find("-->").map(|at| at + 2),
            None => tag.find('>'),
        };
        rest = end.map_or("", |end| &tag[end + 1..]);
    }
    text.push_str(rest);
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " ")]
        .iter()
        .fold(text, |text, (entity, letter)| text.replace(entity, letter))
        .replace("&amp;", "&")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use crate::rfc5322::parse;

    #[test]
    fn it_is_what_can_be_read_first() {
        let table = [
            (
                "text/plain",
                "It's  \r\n <here> & \"now\"",
                "It&#39;s &lt;here&gt; &amp; &quot;now&quot;",
            ),
            (
                "text/html",
                "<style>p { a: b }</style><!-- > --><p>It&#39;s<br>1 &lt; 2 &amp;amp;</p>",
                "It&#39;s 1 &lt; 2 &amp;amp;",
            ),
            ("text/html", "<style>never closed", ""),
            ("image/png", "x", ""),
        ];
        for (kind, body, expected) in table {
            let raw = format!("Content-Type: {kind}\r\n\r\n{body}");
            assert_eq!(parse(raw.as_bytes()).snippet, expected, "{body}");
        }
    }
}
