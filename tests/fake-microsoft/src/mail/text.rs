//! Text out of HTML, and HTML out of text, as Exchange shows one for the other.

use crate::html::escaped;

/// More than any name that is looked for here.
const LONGEST_NAME: usize = 8;

/// The readable text of HTML.
pub(crate) fn of_html(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        let tag = &rest[at + 1..];
        // Of what follows only the tag's name: a mail may have a hundred thousand tags.
        let lower: String = tag.chars().take(LONGEST_NAME).collect::<String>().to_ascii_lowercase();
        let hidden = ["style", "script", "head"].into_iter().find(|name| is_tag(&lower, name));
        let end = match hidden {
            Some(name) => closing(tag, name).and_then(|at| tag[at..].find('>').map(|end| at + end)),
            None if tag.starts_with("!--") => tag.find("-->").map(|at| at + 2),
            None => tag.find('>'),
        };
        if ["br", "p", "div", "/p", "/div", "tr"].iter().any(|name| is_tag(&lower, name)) {
            text.push('\n');
        }
        rest = end.map_or("", |end| &tag[end + 1..]);
    }
    text.push_str(rest);
    unescaped(&text).trim().to_owned()
}

/// Where the element ends, in any letter case.
fn closing(text: &str, name: &str) -> Option<usize> {
    let is_name = |(at, _): &(usize, &str)| {
        let after = text.as_bytes().get(at + 2..at + 2 + name.len());
        after.is_some_and(|after| after.eq_ignore_ascii_case(name.as_bytes()))
    };
    text.match_indices("</").find(is_name).map(|(at, _)| at)
}

fn is_tag(lower: &str, name: &str) -> bool {
    let after = lower.strip_prefix(name).map(|rest| rest.chars().next());
    after.is_some_and(|next| !next.is_some_and(char::is_alphanumeric))
}

fn unescaped(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " ")]
        .iter()
        .fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
        .replace("&amp;", "&")
}

/// As Exchange hands out a mail that has plain text only, unless text was preferred.
pub(crate) fn to_html(text: &str) -> String {
    let lines = escaped(text).replace("\r\n", "\n").replace('\n', "<br>\r\n");
    format!(
        "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\
         <!-- converted from text --></head>\r\n<body>\r\n<font size=\"2\"><span style=\"font-size:11pt;\">\
         <div class=\"PlainText\">{lines}</div></span></font>\r\n</body>\r\n</html>\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_reads_as_what_it_shows() {
        let html = "<html><head><title>x</title></head><body><style>p{}</style><p>1 &lt; 2</p><!-- > --><b>now</b><SCRIPT>x</Script></body>";
        assert_eq!(of_html(html), "1 < 2\nnow");
        assert_eq!(of_html(&to_html("a & b\r\n<c>")).replace("\r\n", ""), "a & b\n<c>");
    }
}
