//! Drafts: listed, made, replaced, changed, sent, deleted.

use super::messages::path;
use super::uploads::uploaded;
use super::{idempotency_key, named, paged};
use crate::args::mail::Drafts;
use crate::failure::Failure;
use crate::request::{Request, connector_path};
use crate::session::Session;
use crate::show::{done, mail as shown};

pub async fn run(session: &Session, command: Drafts) -> Result<(), Failure> {
    let all = |connector: &str| format!("{}/drafts", connector_path(connector));
    match command {
        Drafts::List(list) => {
            let request = Request::get(all(&list.connector.id)).with("query", list.query.as_ref());
            session.run(paged(request, &list.page), shown::drafts).await
        }
        Drafts::Get(get) => {
            let request = Request::get(path(&get.draft.connector, "drafts", &get.draft.item))
                .with("format", named(get.format));
            session.run(request, shown::draft).await
        }
        Drafts::Create(create) => {
            let connector = &create.connector.id;
            let mail = uploaded(session, connector, create.mail.json()?).await?;
            session.run(Request::post(all(connector), mail), shown::changed).await
        }
        Drafts::Update(update) => {
            let draft = &update.draft;
            let mail = uploaded(session, &draft.connector, update.mail.json()?).await?;
            let request = Request::put(path(&draft.connector, "drafts", &draft.item), mail);
            session.run(request, shown::changed).await
        }
        Drafts::Patch(patch) => {
            let draft = &patch.draft;
            let mail = uploaded(session, &draft.connector, patch.mail.json()?).await?;
            let request = Request::patch(path(&draft.connector, "drafts", &draft.item), mail);
            session.run(request, shown::changed).await
        }
        Drafts::Send(send) => {
            let key = idempotency_key(session, send.key.idempotency_key);
            let request = Request::post(
                path(&send.draft.connector, "drafts", &send.draft.item) + "/send",
                None,
            );
            session.run(request.header("idempotency-key", key), shown::changed).await
        }
        Drafts::Delete(delete) => {
            if !delete.yes.yes && !session.dry_run {
                session
                    .output
                    .confirm(&format!("Delete the draft {} for good?", delete.item.item))?;
            }
            session
                .run(
                    Request::delete(path(&delete.item.connector, "drafts", &delete.item.item)),
                    done,
                )
                .await
        }
    }
}
