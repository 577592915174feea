//! Messages: listed, read, sent, labelled, deleted.

use serde_json::{Value, json};

use super::uploads::uploaded;
use super::{idempotency_key, named, paged};
use crate::args::mail::{
    BatchDelete, BatchModify, Delete, LabelChange, Many, Messages, Modify, Permanently, Search,
    Send,
};
use crate::failure::Failure;
use crate::request::{Id, Request, connector_path, id};
use crate::session::Session;
use crate::show::mail as shown;

/// As many as Gmail changes at once.
const MOST_AT_ONCE: usize = 1000;

pub async fn run(session: &Session, command: Messages) -> Result<(), Failure> {
    match command {
        Messages::List(list) => {
            let request = search(&list.search, "messages").with("format", named(list.format));
            session.run(request, shown::messages).await
        }
        Messages::Get(get) => {
            let request = Request::get(path(&get.message.connector, "messages", &get.message.item))
                .with("format", named(get.format));
            session.run(request, shown::message).await
        }
        Messages::Send(send) => self::send(session, *send).await,
        Messages::Modify(modify) => session.run(relabel(&modify, "messages"), shown::changed).await,
        Messages::Trash(item) => {
            session
                .run(
                    Request::post(path(&item.connector, "messages", &item.item) + "/trash", None),
                    shown::changed,
                )
                .await
        }
        Messages::Untrash(item) => {
            session
                .run(
                    Request::post(path(&item.connector, "messages", &item.item) + "/untrash", None),
                    shown::changed,
                )
                .await
        }
        Messages::Delete(delete) => remove(session, delete, "messages").await,
        Messages::BatchModify(batch) => batch_modify(session, batch).await,
        Messages::BatchDelete(batch) => batch_delete(session, batch).await,
    }
}

/// Something of a kind in a mailbox.
pub fn path(connector: &str, kind: &str, item: &str) -> String {
    format!("{}/{kind}/{item}", connector_path(connector))
}

pub fn search(search: &Search, kind: &str) -> Request {
    let labels = (!search.labels.is_empty()).then(|| search.labels.join(","));
    let request = Request::get(format!("{}/{kind}", connector_path(&search.connector.id)));
    let request = request.with("query", search.query.as_ref()).with("label_ids", labels);
    paged(request.flag("include_spam_trash", search.include_spam_trash), &search.page)
}

pub fn relabel(modify: &Modify, kind: &str) -> Request {
    Request::post(
        path(&modify.item.connector, kind, &modify.item.item) + "/modify",
        changes(&modify.labels),
    )
}

fn changes(labels: &LabelChange) -> Value {
    json!({"add_label_ids": labels.add_label, "remove_label_ids": labels.remove_label})
}

async fn send(session: &Session, send: Send) -> Result<(), Failure> {
    let body = uploaded(session, &send.connector.id, send.mail.json()?).await?;
    let key = idempotency_key(session, send.key.idempotency_key);
    let request = Request::post(format!("{}/messages", connector_path(&send.connector.id)), body);
    session.run(request.header("idempotency-key", key), shown::changed).await
}

/// Deleting for good needs a confirmation.
pub async fn remove(session: &Session, delete: Delete, kind: &str) -> Result<(), Failure> {
    sure(session, &delete.how, &delete.item.item)?;
    let request = Request::delete(path(&delete.item.connector, kind, &delete.item.item));
    session.run(request.flag("permanent", delete.how.permanent), shown::changed).await
}

fn sure(session: &Session, how: &Permanently, what: &str) -> Result<(), Failure> {
    if !how.permanent || how.yes.yes || session.dry_run {
        return Ok(());
    }
    session.output.confirm(&format!("Delete {what} for good? Nothing brings it back."))
}

async fn batch_modify(session: &Session, batch: BatchModify) -> Result<(), Failure> {
    let mut body = changes(&batch.labels);
    body["ids"] = json!(ids(&batch.many)?);
    let path = format!("{}/messages/batch-modify", connector_path(&batch.many.connector.id));
    session.run(Request::post(path, body), shown::changed).await
}

async fn batch_delete(session: &Session, batch: BatchDelete) -> Result<(), Failure> {
    let ids = ids(&batch.many)?;
    if batch.many.messages == ["-"] && batch.how.permanent && !batch.how.yes.yes && !session.dry_run
    {
        return Err(Failure::here(
            "standard input holds the ids, so nobody can be asked: say --yes",
        ));
    }
    sure(session, &batch.how, &format!("{} messages", ids.len()))?;
    let path = format!("{}/messages/batch-delete", connector_path(&batch.many.connector.id));
    session
        .run(
            Request::post(path, json!({"ids": ids, "permanent": batch.how.permanent})),
            shown::changed,
        )
        .await
}

fn ids(many: &Many) -> Result<Vec<Id>, Failure> {
    let given = match &many.messages[..] {
        [dash] if dash == "-" => {
            let text = std::io::read_to_string(std::io::stdin());
            let text = text
                .map_err(|error| Failure::here(format!("cannot read standard input: {error}")))?;
            text.split_whitespace().map(String::from).collect()
        }
        messages => messages.to_vec(),
    };
    let checked: Vec<Id> = given
        .iter()
        .map(|text| id(text).map_err(|why| Failure::here(format!("`{text}` {why}"))))
        .collect::<Result<_, _>>()?;
    match checked.len() {
        1..=MOST_AT_ONCE => Ok(checked),
        0 => Err(Failure::here("no message was named")),
        more => Err(Failure::here(format!(
            "{more} messages are more than {MOST_AT_ONCE}: do it in parts"
        ))),
    }
}
