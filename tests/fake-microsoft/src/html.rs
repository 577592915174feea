//! The pages that a person sees: plain forms without scripts, under a policy that allows none.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Response};

/// No `form-action`: browsers apply it to the redirect that answers a form as well, and that leads
/// back to the app.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "\
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}\
body{margin:0 auto;max-width:26rem;padding:2rem 1rem}\
h1{font-size:1.4rem;margin:0 0 .5rem}\
fieldset{border:1px solid #8888;border-radius:.5rem;margin:1rem 0;padding:.5rem 1rem}\
label{display:block;padding:.25rem 0;overflow-wrap:anywhere}\
input[type=text],input[type=email]{box-sizing:border-box;font:inherit;padding:.4rem;width:100%}\
button{border:1px solid #8888;border-radius:.5rem;cursor:pointer;font:inherit;padding:.5rem 1rem}\
button.wide{display:block;margin:.5rem 0;text-align:left;width:100%}\
small{display:block;opacity:.8}";

/// The body is HTML already: what is not ours in it must be `escaped`.
pub(crate) fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let text = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\n\
         <body><main><h1>{title}</h1>\n{body}\n</main></body></html>\n",
        title = escaped(title)
    );
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(text)).into_response()
}

/// For text and for an attribute in quotes.
pub(crate) fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut safe, sign| {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(sign),
        }
        safe
    })
}

/// A field that the form sends along.
pub(crate) fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escaped(name), escaped(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_text_ends_neither_an_element_nor_an_attribute() {
        assert_eq!(escaped("<b a=\"'&"), "&lt;b a=&quot;&#39;&amp;");
        assert!(!hidden("a\"><script>", "\"><script>").contains("<script>"));
    }
}
