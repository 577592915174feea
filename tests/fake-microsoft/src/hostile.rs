//! Hostile answers: a body without an end, one that inflates to megabytes, pages that go on for
//! ever, and any text in place of the true one.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body as HttpBody, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;

use crate::app::App;
use crate::faults::Fault;
use crate::graph::Call;
use crate::graph::answer::{Answer, Body, JSON};

/// JSON allows blanks before its first brace, so a reader cannot tell early that nothing will come.
static BLANKS: [u8; 64 * 1024] = [b' '; 64 * 1024];
const LONGEST_BODY: u64 = 10 * 1024 * 1024 * 1024;

/// The true answer, as the fault wants it sent.
pub(crate) fn spoilt(app: &App, call: &Call, fault: &Fault, mut answer: Answer) -> Answer {
    if let Some(text) = &fault.body {
        answer.body = Body::Bytes { mime_type: JSON.into(), bytes: text.clone().into_bytes() };
    }
    if let Body::Json(page) = &mut answer.body
        && fault.endless_pages
        && page["value"].is_array()
    {
        let again = format!("{}/v1.0{}?{}", app.url, call.path, call.query);
        page["@odata.nextLink"] = again.into();
    }
    if let Body::Json(page) = &answer.body
        && fault.gzip_bomb_mb > 0
        && !call.in_batch
    {
        let packed = gzip_bomb(fault.gzip_bomb_mb, page.to_string().as_bytes());
        answer.body = packed.map_or(Body::Empty, Body::Gzip);
    }
    answer
}

/// Only blanks, until the peer hangs up.
pub(crate) fn endless(taken: Arc<AtomicU64>) -> HttpBody {
    let more = BLANKS.len() as u64;
    let blanks =
        stream::unfold((taken, 0), move |(taken, sent): (Arc<AtomicU64>, u64)| async move {
            taken.fetch_add(more, Ordering::Relaxed);
            (sent < LONGEST_BODY).then(|| {
                let chunk = Ok::<_, std::convert::Infallible>(Bytes::from_static(&BLANKS));
                (chunk, (taken, sent + more))
            })
        });
    HttpBody::from_stream(blanks)
}

/// So many megabytes of blanks and then the answer itself, about a thousandth of that on the wire.
fn gzip_bomb(megabytes: u32, end: &[u8]) -> Option<Vec<u8>> {
    let mut deflated = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..megabytes * 16 {
        deflated.write_all(&BLANKS).ok()?;
    }
    deflated.write_all(end).ok()?;
    deflated.finish().ok()
}
