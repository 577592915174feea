//! Gmail's batch answer. The first line is the answer's content type; the rest is its body.

use email_connectors::adapters::gmail::batch::{PartAnswer, read_answers};
use email_connectors::adapters::retry_after::Headers;

use super::plain;

pub fn batch(data: &[u8]) {
    let (content_type, body) = plain::line(data);
    let whole = Headers {
        retry_after: Some("3".into()),
        date: Some("Sun, 06 Nov 1994 08:49:37 GMT".into()),
    };
    let answers = read_answers(&content_type, &whole, body);
    if !content_type.to_ascii_lowercase().contains("boundary") {
        assert_eq!(answers, [], "of a body without a boundary");
    }
    assert!(
        answers.len() <= most_parts(&content_type, body),
        "{} parts of {content_type}",
        answers.len()
    );
    for answer in &answers {
        assert!(answer.headers.date.is_some(), "a part without a date has that of the whole");
        assert!(is_part_of(body, &answer.body), "a body that was not sent");
    }
    check_round_trip(data);
}

/// Lines that begin with some boundary that the content type could mean, up to one that closes.
fn most_parts(content_type: &str, body: &[u8]) -> usize {
    let named = content_type.match_indices('=').map(|(at, _)| {
        let value = content_type[at + 1..].split(';').next().unwrap_or_default();
        value.trim().trim_matches('"').to_string()
    });
    let parts = |boundary: String| {
        let delimiter = format!("--{boundary}");
        let lines = body
            .split(|byte| *byte == b'\n')
            .filter_map(|line| line.strip_prefix(delimiter.as_bytes()));
        lines
            .take_while(|rest| !rest.starts_with(b"--"))
            .filter(|rest| rest.trim_ascii().is_empty())
            .count()
    };
    named.filter(|boundary| !boundary.is_empty()).map(parts).max().unwrap_or(0)
}

fn is_part_of(whole: &[u8], part: &[u8]) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part)
}

/// What is written as an answer is read as it was written, whatever the bodies hold but the
/// boundary itself.
fn check_round_trip(data: &[u8]) {
    let boundary = "batch_b";
    let bodies: Vec<&[u8]> =
        data.split(|byte| *byte == 0).take(8).map(<[u8]>::trim_ascii).collect();
    if bodies.iter().any(|body| is_part_of(body, boundary.as_bytes())) {
        return;
    }
    let mut written = b"This is the preamble.\r\n".to_vec();
    for (index, body) in bodies.iter().enumerate() {
        written.extend_from_slice(
            format!("--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <response-part-{index}>\r\n\r\n").as_bytes(),
        );
        written.extend_from_slice(b"HTTP/1.1 200 OK\r\nRetry-After: 7\r\n\r\n");
        written.extend_from_slice(body);
        written.extend_from_slice(b"\r\n");
    }
    written.extend_from_slice(
        format!("--{boundary}--\r\n\r\nContent-ID: <response-part-9>\r\n\r\nHTTP/1.1 200 OK\r\n\r\nepilogue").as_bytes(),
    );
    let headers = Headers { retry_after: Some("7".into()), date: None };
    let part = |(index, body): (usize, &&[u8])| PartAnswer {
        index,
        status: 200,
        headers: headers.clone(),
        body: body.to_vec(),
    };
    let expected: Vec<PartAnswer> = bodies.iter().enumerate().map(part).collect();
    assert_eq!(
        read_answers(
            &format!("multipart/mixed; boundary={boundary}"),
            &Headers::default(),
            &written
        ),
        expected
    );
}
