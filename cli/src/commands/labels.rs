//! Labels: listed, made, changed, deleted.

use serde_json::{Map, Value, json};

use super::messages::path;
use super::named;
use crate::args::mail::{Labels, Look};
use crate::failure::Failure;
use crate::request::{Request, connector_path};
use crate::session::Session;
use crate::show::{done, mail as shown};

pub async fn run(session: &Session, command: Labels) -> Result<(), Failure> {
    let all = |connector: &str| format!("{}/labels", connector_path(connector));
    match command {
        Labels::List(connector) => {
            session.run(Request::get(all(&connector.id)), shown::labels).await
        }
        Labels::Get(label) => {
            session
                .run(Request::get(path(&label.connector, "labels", &label.item)), shown::label)
                .await
        }
        Labels::Create(create) => {
            let request =
                Request::post(all(&create.connector.id), label(Some(create.name), create.look));
            session.run(request, shown::label).await
        }
        Labels::Update(update) => {
            let body = label(update.name, update.look);
            if body.as_object().is_some_and(Map::is_empty) {
                return Err(Failure::here("say what to change: --name, a visibility or colours"));
            }
            session
                .run(
                    Request::patch(
                        path(&update.label.connector, "labels", &update.label.item),
                        body,
                    ),
                    shown::label,
                )
                .await
        }
        Labels::Delete(delete) => {
            if !delete.yes.yes && !session.dry_run {
                session
                    .output
                    .confirm(&format!("Delete the label {}? Messages stay.", delete.item.item))?;
            }
            session
                .run(
                    Request::delete(path(&delete.item.connector, "labels", &delete.item.item)),
                    done,
                )
                .await
        }
    }
}

fn label(name: Option<String>, look: Look) -> Value {
    let mut label = Map::new();
    let texts = [
        ("name", name),
        ("label_list_visibility", named(look.label_list_visibility)),
        ("message_list_visibility", named(look.message_list_visibility)),
    ];
    label.extend(
        texts.into_iter().filter_map(|(name, text)| text.map(|text| (name.into(), json!(text)))),
    );
    if let (Some(text), Some(background)) = (look.text_color, look.background_color) {
        label.insert("color".into(), json!({"text_color": text, "background_color": background}));
    }
    Value::Object(label)
}
