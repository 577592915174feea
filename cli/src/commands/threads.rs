//! Threads: listed, read, labelled, deleted.

use super::messages::{path, relabel, remove, search};
use super::named;
use crate::args::mail::Threads;
use crate::failure::Failure;
use crate::request::Request;
use crate::session::Session;
use crate::show::mail as shown;

pub async fn run(session: &Session, command: Threads) -> Result<(), Failure> {
    match command {
        Threads::List(list) => session.run(search(&list, "threads"), shown::threads).await,
        Threads::Get(get) => {
            let request = Request::get(path(&get.thread.connector, "threads", &get.thread.item))
                .with("format", named(get.format));
            session.run(request, shown::thread).await
        }
        Threads::Modify(modify) => session.run(relabel(&modify, "threads"), shown::changed).await,
        Threads::Trash(item) => {
            session
                .run(
                    Request::post(path(&item.connector, "threads", &item.item) + "/trash", None),
                    shown::changed,
                )
                .await
        }
        Threads::Untrash(item) => {
            session
                .run(
                    Request::post(path(&item.connector, "threads", &item.item) + "/untrash", None),
                    shown::changed,
                )
                .await
        }
        Threads::Delete(delete) => remove(session, delete, "threads").await,
    }
}
