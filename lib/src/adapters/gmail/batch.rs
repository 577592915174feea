//! Gmail's batch endpoint: many calls in one `multipart/mixed` body, answered in another.

use crate::adapters::retry_after::Headers;

/// One part's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartAnswer {
    /// Which of the request's parts it answers, from 0.
    pub index: usize,
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

pub const BOUNDARY: &str = "email-connectors-batch";

/// The body for some GET requests, each a path with its query.
pub fn request_body(paths: &[String]) -> String {
    let part = |(index, path): (usize, &String)| {
        format!(
            "--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: <part-{index}>\r\n\r\nGET {path}\r\n\r\n"
        )
    };
    let parts: String = paths.iter().enumerate().map(part).collect();
    format!("{parts}--{BOUNDARY}--\r\n")
}

/// Returns the readable parts. A missing or broken part counts as not answered, so that the caller
/// requests it again. `headers` are those of the whole answer, whose date is used for parts without
/// one.
pub fn read_answers(content_type: &str, headers: &Headers, body: &[u8]) -> Vec<PartAnswer> {
    let Some(boundary) = boundary(content_type) else { return Vec::new() };
    let delimiter = [b"--", boundary.as_bytes()].concat();
    split(body, &delimiter).into_iter().filter_map(|part| read_part(part, headers)).collect()
}

pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let parameter = content_type.split(';').map(str::trim).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value.trim_matches('"'))
    })?;
    // RFC 2046: 1 to 70 characters.
    (1..=70).contains(&parameter.len()).then_some(parameter)
}

/// The pieces that delimiter lines begin, up to the line that closes the last (RFC 2046, section
/// 5.1.1). Inside a line a delimiter is text, and a longer one is another delimiter.
pub(super) fn split<'a>(body: &'a [u8], delimiter: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let (mut begins, mut at) = (None, 0);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        let rest = line.strip_prefix(delimiter);
        let closes = rest.is_some_and(|rest| rest.starts_with(b"--"));
        if closes || rest.is_some_and(|rest| rest.trim_ascii().is_empty()) {
            pieces.extend(begins.map(|begins: usize| &body[begins..at]));
            begins = Some(next);
        }
        if closes {
            return pieces;
        }
        at = next;
    }
    pieces.extend(begins.map(|begins| &body[begins..]));
    pieces
}

/// A part: its own headers, then an HTTP answer with a status line, headers and a body.
fn read_part(part: &[u8], whole: &Headers) -> Option<PartAnswer> {
    let (own, http) = split_head(part)?;
    let (headers, body) = split_head(http)?;
    let id = header(&own, "content-id")?.trim_matches(['<', '>']).rsplit('-').next()?;
    let status = headers.lines().next()?.split_whitespace().nth(1)?;
    let field = |name: &str| header(&headers, name).map(String::from);
    let own = Headers {
        retry_after: field("retry-after"),
        date: field("date").or_else(|| whole.date.clone()),
    };
    Some(PartAnswer {
        index: id.parse().ok()?,
        status: status.parse().ok()?,
        headers: own,
        body: body.trim_ascii().to_vec(),
    })
}

pub(super) fn split_head(text: &[u8]) -> Option<(String, &[u8])> {
    let text = text.trim_ascii_start();
    let end = |mark: &[u8]| {
        text.windows(mark.len()).position(|window| window == mark).map(|at| (at, at + mark.len()))
    };
    let (headers, rest) = end(b"\r\n\r\n").or_else(|| end(b"\n\n"))?;
    Some((String::from_utf8_lossy(&text[..headers]).into_owned(), &text[rest..]))
}

pub(super) fn header<'a>(headers: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = headers.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "--b1\r\nContent-Type: application/http\r\nContent-ID: <response-part-1>\r\n\r\nHTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 7\r\n\r\n{\"error\":1}\r\n--b1\r\nContent-Type: application/http\r\nContent-ID: <response-part-0>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"snippet\":\"a --b1 inside\"}\r\n--b1--\r\n";

    #[test]
    fn answers_are_found_by_their_id_not_by_their_order() {
        let outer = Headers { retry_after: Some("3".into()), date: Some("today".into()) };
        let answers = read_answers("multipart/mixed; boundary=\"b1\"", &outer, ANSWER.as_bytes());
        let part = |index, status, retry_after: Option<&str>, body: &str| PartAnswer {
            index,
            status,
            headers: Headers {
                retry_after: retry_after.map(String::from),
                date: outer.date.clone(),
            },
            body: body.into(),
        };
        assert_eq!(
            answers,
            [
                part(1, 429, Some("7"), "{\"error\":1}"),
                part(0, 200, None, "{\"snippet\":\"a --b1 inside\"}")
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_an_answer() {
        let whole = ANSWER.as_bytes();
        for (content_type, body) in [
            ("text/plain", whole),
            ("multipart/mixed; boundary=", whole),
            ("multipart/mixed; boundary=b2", whole),
            ("multipart/mixed; boundary=b1", b"" as &[u8]),
        ] {
            assert_eq!(read_answers(content_type, &Headers::default(), body), [], "{content_type}");
        }
        let longer = ANSWER.replace("--b1", "--b12");
        let ended = format!("--b1--\r\n{ANSWER}");
        for body in [longer, ended] {
            assert_eq!(
                read_answers("multipart/mixed; boundary=b1", &Headers::default(), body.as_bytes()),
                [],
                "{body}"
            );
        }
        let cut = &whole[..whole.len() / 2];
        assert!(read_answers("multipart/mixed; boundary=b1", &Headers::default(), cut).len() <= 2);
    }

    #[test]
    fn each_call_is_a_part_of_its_own() {
        let body = request_body(&["/gmail/v1/a".into(), "/gmail/v1/b".into()]);
        assert_eq!(body.matches("GET /gmail/v1/").count(), 2);
        assert!(body.ends_with(&format!("--{BOUNDARY}--\r\n")));
    }
}
