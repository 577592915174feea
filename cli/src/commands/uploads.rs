//! The files of a mail: those that are too large for one request are uploaded first.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::request::{Request, connector_path};
use crate::session::Session;
use crate::show::at;

/// In base64; with it a request is as long as one may be.
const MOST_WITHIN: usize = 5_000_000;

/// The mail with uploads in place of its files, if these are too large together.
pub async fn uploaded(
    session: &Session,
    connector: &str,
    mut mail: Value,
) -> Result<Value, Failure> {
    let files = mail.get_mut("attachments").and_then(Value::as_array_mut);
    let Some(files) = files.filter(|files| !session.dry_run && length(files) > MOST_WITHIN) else {
        return Ok(mail);
    };
    for file in files {
        let content = at(file, "/content");
        let bytes = STANDARD
            .decode(&content)
            .map_err(|error| Failure::here(format!("{}: {error}", at(file, "/filename"))))?;
        let request = Request::post(
            format!("{}/uploads", connector_path(connector)),
            json!({"size": bytes.len()}),
        );
        let Some(answer) = session.send(&request).await? else { continue };
        let upload = answer.json()?;
        session.api().await?.put(&at(&upload, "/url"), bytes).await?;
        if let Some(file) = file.as_object_mut() {
            file.remove("content");
            file.insert("upload_id".into(), json!(at(&upload, "/upload_id")));
        }
    }
    Ok(mail)
}

fn length(files: &[Value]) -> usize {
    files.iter().map(|file| file.get("content").and_then(Value::as_str).map_or(0, str::len)).sum()
}
