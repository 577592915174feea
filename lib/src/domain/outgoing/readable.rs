//! What of a mail's bodies people read, as text and HTML that each say it all.

use crate::domain::mail::{Body, Part};

/// Text and HTML as two forms of the whole: what stands in one of them alone would be lost to
/// whoever reads the other.
pub(super) fn readable(root: &Part) -> Body {
    let Some(bodies) = root.mixed_bodies() else { return root.body().as_written() };
    let pieces = bodies.into_iter().filter_map(|body| {
        let text = body.text()?;
        Some(if body.is_html() { text } else { as_html(&text) })
    });
    let html = pieces.collect::<Vec<_>>().join("<br>\r\n");
    Body { html: Some(html), ..Body::default() }
}

/// Text as HTML that shows it, line by line.
pub(super) fn as_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for sign in text.replace("\r\n", "\n").chars() {
        match sign {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\n' => html.push_str("<br>\r\n"),
            sign => html.push(sign),
        }
    }
    html
}
