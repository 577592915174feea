//! Hostile answers: an endless body, and a compressed one that inflates to megabytes.

use std::io::Write;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::response::Response;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use futures_util::stream;

use crate::app::App;
use crate::faults::Fault;

/// JSON allows blanks before its first brace, so a reader cannot tell early that nothing will come.
static BLANKS: [u8; 64 * 1024] = [b' '; 64 * 1024];
const LONGEST_BODY: u64 = 10 * 1024 * 1024 * 1024;
const MEGABYTE: usize = 1024 * 1024;
/// Deflate, no name, no time, the best compression, an unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];

/// The answer to the call of this number, as the fault wants it sent.
pub(crate) async fn spoilt(
    app: &Arc<App>,
    fault: Option<&Fault>,
    call: u64,
    answer: Response,
) -> Response {
    match fault {
        Some(fault) if fault.endless => endless(app.clone(), call, answer),
        Some(fault) if fault.gzip_bomb_mb > 0 => gzip_bomb(fault.gzip_bomb_mb, answer).await,
        _ => answer,
    }
}

/// Only blanks, until the peer hangs up. The log counts what it has taken.
fn endless(app: Arc<App>, call: u64, answer: Response) -> Response {
    app.state().calls.add_sent(call, 0);
    let blanks = stream::unfold((app, 0), move |(app, sent): (Arc<App>, u64)| async move {
        let more = BLANKS.len() as u64;
        (sent < LONGEST_BODY).then(|| {
            app.state().calls.add_sent(call, more);
            (Ok::<_, std::convert::Infallible>(Bytes::from_static(&BLANKS)), (app, sent + more))
        })
    });
    let (mut head, _) = answer.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from_stream(blanks))
}

/// So many megabytes of blanks and then the answer itself, about a thousandth of that on the wire.
async fn gzip_bomb(megabytes: u32, answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("the fake's own answers are in memory");
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let packed = packed(megabytes, &body).expect("a vector takes whatever is written");
    Response::from_parts(head, Body::from(packed))
}

/// One gzip member. Its blanks are deflated once and repeated: after a flush nothing refers to what
/// came before.
fn packed(megabytes: u32, end: &[u8]) -> std::io::Result<Vec<u8>> {
    let blanks = vec![b' '; MEGABYTE];
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(&blanks)?;
    deflated.flush()?;
    let mut deflated_end = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated_end.write_all(end)?;
    let (mut of_blanks, mut of_end, mut crc) = (Crc::new(), Crc::new(), Crc::new());
    of_blanks.update(&blanks);
    of_end.update(end);
    let mut packed = GZIP_HEADER.to_vec();
    for _ in 0..megabytes {
        packed.extend_from_slice(deflated.get_ref());
        crc.combine(&of_blanks);
    }
    packed.extend(deflated_end.finish()?);
    crc.combine(&of_end);
    let length = u64::from(megabytes) * MEGABYTE as u64 + end.len() as u64;
    packed.extend(crc.sum().to_le_bytes());
    // Gzip keeps the length modulo 2^32.
    packed.extend(&length.to_le_bytes()[..4]);
    Ok(packed)
}
