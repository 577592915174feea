//! What an operation answers, over HTTP: JSON, or an attachment's bytes.

use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use email_connectors::domain::download::{BYTES, disposition, media_type};
use email_connectors::domain::operation::Operation;
use email_connectors::domain::operation::answer::{
    AttachmentBytes, BatchDeleted, BatchModified, Deleted, Deletion, MailAnswer, ThreadReference,
};
use email_connectors::domain::operation::request::MailRequest;
use email_connectors::domain::range::{LONGEST_PART, SHORTEST_PART, Served, served};
use email_connectors::ports::Performed;
use email_connectors::web::Problem;
use serde::Serialize;

/// Lambda answers 6 MB, with bytes in base64.
const LONGEST_ANSWER: usize = 5_500_000;

const QUOTA_UNITS: HeaderName = HeaderName::from_static("x-quota-units");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// An answer that is ready to be sent.
pub(crate) enum MailResponse {
    Json { status: StatusCode, text: String, units: u32 },
    Nothing { units: u32 },
    Bytes { response: Box<Response>, units: u32 },
}

pub(crate) fn response(
    operation: Operation,
    request: &MailRequest,
    performed: Performed,
) -> Result<MailResponse, Problem> {
    let units = performed.units;
    let status = status(operation);
    let text = match performed.answer {
        MailAnswer::Bytes(content) => {
            let range = if let MailRequest::GetAttachment(.., range) = request {
                range.as_deref()
            } else {
                None
            };
            return Ok(MailResponse::Bytes {
                response: Box::new(download(content, range)?),
                units,
            });
        }
        MailAnswer::Messages(answer) => render(&answer),
        MailAnswer::Threads(answer) => render(&answer),
        MailAnswer::Drafts(answer) => render(&answer),
        MailAnswer::Labels(answer) => render(&answer),
        MailAnswer::Message(answer) => render(&answer),
        MailAnswer::Thread(answer) => render(&answer),
        MailAnswer::Draft(answer) => render(&answer),
        MailAnswer::Label(answer) => render(&answer),
        MailAnswer::Attachments(answer) => render(&answer),
        MailAnswer::Link(answer) => render(&answer),
        MailAnswer::Upload(answer) => render(&answer),
        MailAnswer::Placed(placed) => match operation {
            Operation::DeleteMessage => {
                render(&Deletion { id: placed.id.to_string(), deleted: Deleted::Trash })
            }
            _ => render(&placed),
        },
        MailAnswer::Done => match done(operation, request) {
            Some(text) => text,
            None => return Ok(MailResponse::Nothing { units }),
        },
    };
    if text.len() > LONGEST_ANSWER {
        let detail = format!(
            "the answer would be {} bytes long; ask for a smaller page_size, or for less with format=metadata",
            text.len()
        );
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "answer_too_large", detail));
    }
    Ok(MailResponse::Json { status, text, units })
}

fn status(operation: Operation) -> StatusCode {
    use Operation::{CreateDraft, CreateLabel, CreateUpload};
    match operation {
        CreateDraft | CreateLabel | CreateUpload => StatusCode::CREATED,
        _ => StatusCode::OK,
    }
}

/// The answer to an operation that Gmail answers without a body; `None` means 204.
fn done(operation: Operation, request: &MailRequest) -> Option<String> {
    let deletion = |id: &str, deleted| render(&Deletion { id: id.into(), deleted });
    Some(match (operation, request) {
        (Operation::DeleteThread, MailRequest::Trash(_, id)) => deletion(id, Deleted::Trash),
        (_, MailRequest::Delete(_, id)) => deletion(id, Deleted::Permanently),
        (
            _,
            MailRequest::Modify(_, id, _) | MailRequest::Trash(_, id) | MailRequest::Untrash(_, id),
        ) => render(&ThreadReference { id: id.clone() }),
        (_, MailRequest::BatchModify(ids, _)) => render(&BatchModified { count: ids.len() }),
        (_, MailRequest::BatchTrash(ids)) => {
            render(&BatchDeleted { count: ids.len(), deleted: Deleted::Trash })
        }
        (_, MailRequest::BatchDelete(ids)) => {
            render(&BatchDeleted { count: ids.len(), deleted: Deleted::Permanently })
        }
        _ => return None,
    })
}

fn render(answer: &impl Serialize) -> String {
    // Strings, numbers and lists of them: rendering them cannot fail.
    serde_json::to_string(answer).unwrap_or_default()
}

impl MailResponse {
    /// What is stored of it for a repeated request.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Json { text, .. } => text.clone(),
            Self::Nothing { .. } | Self::Bytes { .. } => String::new(),
        }
    }
}

/// The stored answer of a request that was done before.
pub(crate) fn again(operation: Operation, text: String) -> Result<Response, Problem> {
    let status = status(operation);
    let mut response = MailResponse::Json { status, text, units: 0 }.into_response();
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

impl IntoResponse for MailResponse {
    fn into_response(self) -> Response {
        let (mut response, units) = match self {
            Self::Json { status, text, units } => {
                ((status, [(CONTENT_TYPE, "application/json")], text).into_response(), units)
            }
            Self::Nothing { units } => (StatusCode::NO_CONTENT.into_response(), units),
            Self::Bytes { response, units } => (*response, units),
        };
        response.headers_mut().insert(QUOTA_UNITS, HeaderValue::from(units));
        response
    }
}

/// Attachments are untrusted: browsers save and never render them, and the name cannot break out of
/// its header.
fn download(content: AttachmentBytes, range: Option<&str>) -> Result<Response, Problem> {
    let told = content.attachment.size.and_then(|size| usize::try_from(size).ok());
    let length = content.bytes.as_ref().map_or(told.unwrap_or(usize::MAX), Vec::len);
    let (status, range) = match served(range, length) {
        Served::Whole => (StatusCode::OK, 0..length),
        Served::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Served::Outside => {
            let detail = format!("the attachment is {length} bytes long");
            return Err(Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_outside", detail)
                .at("range"));
        }
        Served::TooSmall(requested) => {
            let detail = format!(
                "this would be {requested} bytes, for which all {length} are read; ask for parts of {SHORTEST_PART} to {LONGEST_PART}, or for the end"
            );
            return Err(Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_too_small", detail)
                .at("range"));
        }
        Served::TooLarge(requested) => {
            let detail = format!(
                "this would be {requested} bytes; ask for a URL of it (GET …/attachments/{{part_id}}/url), or for parts of up to {LONGEST_PART}, as with `Range: bytes=0-{}`",
                LONGEST_PART - 1
            );
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "attachment_too_large",
                detail,
            )
            .at("range"));
        }
    };
    let (mut bytes, attachment) = (content.bytes.unwrap_or_default(), content.attachment);
    bytes.truncate(range.end);
    let mut response = (status, bytes.split_off(range.start.min(bytes.len()))).into_response();
    let headers = response.headers_mut();
    let mime_type = HeaderValue::from_str(media_type(&attachment.mime_type));
    headers.insert(CONTENT_TYPE, mime_type.unwrap_or(HeaderValue::from_static(BYTES)));
    let disposition = HeaderValue::try_from(disposition(&attachment.filename));
    headers
        .insert(CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    // Without it lambda_http decodes text types as UTF-8, which corrupts other charsets.
    headers.insert("content-encoding", HeaderValue::from_static("identity"));
    if status == StatusCode::PARTIAL_CONTENT {
        let content_range = format!("bytes {}-{}/{length}", range.start, range.end - 1);
        headers.insert(
            CONTENT_RANGE,
            HeaderValue::try_from(content_range)
                .unwrap_or_else(|_| HeaderValue::from_static("bytes */*")),
        );
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use email_connectors::domain::mail::Attachment;
    use email_connectors::domain::outgoing::attachment::bounded;

    use super::*;

    fn attachment(filename: &str, mime_type: &str) -> Attachment {
        Attachment {
            part_id: "1".into(),
            filename: filename.into(),
            mime_type: mime_type.into(),
            size: Some(3),
            inline: false,
            content_id: None,
        }
    }

    fn downloaded(
        filename: &str,
        mime_type: &str,
        range: Option<&str>,
    ) -> Result<Response, Problem> {
        let bytes = vec![0xff, 0xfe, 0x00];
        download(
            AttachmentBytes { attachment: attachment(filename, mime_type), bytes: Some(bytes) },
            range,
        )
    }

    fn header(response: &Response, name: &str) -> String {
        response
            .headers()
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default()
    }

    #[test]
    fn a_file_name_stays_within_its_header() {
        let table = [
            ("a.pdf", "attachment; filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
            (
                "a\"; x=\".pdf",
                "attachment; filename=\"a__ x__.pdf\"; filename*=UTF-8''a%22%3B%20x%3D%22.pdf",
            ),
            (
                "a\r\nSet-Cookie: b",
                "attachment; filename=\"aSet-Cookie_ b\"; filename*=UTF-8''aSet-Cookie%3A%20b",
            ),
            ("../..\\x", "attachment; filename=\".._.._x\"; filename*=UTF-8''.._.._x"),
            (
                "may\u{202e}fdp.exe",
                "attachment; filename=\"mayfdp.exe\"; filename*=UTF-8''mayfdp.exe",
            ),
            (
                "Rechnung für Mai.pdf",
                "attachment; filename=\"Rechnung f_r Mai.pdf\"; filename*=UTF-8''Rechnung%20f%C3%BCr%20Mai.pdf",
            ),
            ("", "attachment; filename=\"attachment\"; filename*=UTF-8''"),
        ];
        for (filename, expected) in table {
            let response = downloaded(filename, "application/pdf", None).unwrap();
            assert_eq!(header(&response, "content-disposition"), expected);
            assert_eq!(response.headers().get("set-cookie"), None);
        }
    }

    #[test]
    fn a_long_file_name_is_cut_and_keeps_its_extension() {
        let table = [
            (format!("{}.pdf", "a".repeat(4000)), format!("{}.pdf", "a".repeat(251))),
            ("ä".repeat(4000) + ".tar.gz", "ä".repeat(126) + ".gz"),
            ("a".repeat(4000), "a".repeat(255)),
            (format!("a.{}", "b".repeat(4000)), format!("a.{}", "b".repeat(253))),
            ("a".repeat(255), "a".repeat(255)),
        ];
        for (name, expected) in table {
            assert_eq!(bounded(&name), expected);
            let response = downloaded(&name, "application/pdf", None).unwrap();
            assert!(header(&response, "content-disposition").len() < 2_000);
        }
    }

    #[test]
    fn a_media_type_is_the_senders_only_if_it_is_one() {
        for (mime_type, expected) in [
            ("image/png", "image/png"),
            ("text/html", "text/html"),
            ("text/html; charset=x", "application/octet-stream"),
            ("a\r\nb/c", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            let response = downloaded("a", mime_type, None).unwrap();
            assert_eq!(header(&response, "content-type"), expected);
            assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        }
    }

    #[test]
    fn a_range_is_answered_as_partial_content() {
        let response = downloaded("a", "image/png", Some("bytes=1-1")).unwrap();
        assert_eq!(
            (response.status(), header(&response, "content-range")),
            (StatusCode::PARTIAL_CONTENT, "bytes 1-1/3".into())
        );
        assert_eq!(
            downloaded("a", "image/png", Some("bytes=3-")).unwrap_err().into_response().status(),
            StatusCode::RANGE_NOT_SATISFIABLE
        );
        assert_eq!(downloaded("a", "image/png", None).unwrap().status(), StatusCode::OK);
    }

    #[test]
    fn what_is_too_large_is_downloaded_in_parts() {
        let large = |range: Option<&str>| {
            let bytes = Some(vec![7; LONGEST_PART + 1]);
            download(AttachmentBytes { attachment: attachment("a", "image/png"), bytes }, range)
        };
        let refused = |range| large(range).unwrap_err().into_response().status();
        assert_eq!(refused(None), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(refused(Some("bytes=0-0")), StatusCode::RANGE_NOT_SATISFIABLE);
        let first = large(Some(&format!("bytes=0-{}", LONGEST_PART - 1))).unwrap();
        assert_eq!(first.status(), StatusCode::PARTIAL_CONTENT);
        let rest = large(Some(&format!("bytes={LONGEST_PART}-"))).unwrap();
        assert_eq!(
            header(&rest, "content-range"),
            format!("bytes {LONGEST_PART}-{LONGEST_PART}/{}", LONGEST_PART + 1)
        );
    }
}
