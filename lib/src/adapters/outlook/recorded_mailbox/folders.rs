//! Folders: those that every mailbox has, and those that somebody made.

use serde_json::{Value, json};

use super::call::{Call, Outcome, Refusal, collection, selected};
use super::mailbox::{Folder, Mailbox, Message};
use crate::adapters::dry_run::Reply;

const ROOT: &str = "msgfolderroot";

fn shown(mailbox: &Mailbox, folder: &Folder) -> Value {
    let within = || mailbox.messages.values().filter(|message| message.is_in(folder));
    let is_unread = |message: &&Message| message.shown["isRead"] == false;
    json!({
        "id": folder.id, "displayName": folder.name, "parentFolderId": folder.parent,
        "childFolderCount": below(mailbox, &folder.id).count(),
        "totalItemCount": within().count(), "unreadItemCount": within().filter(is_unread).count(),
        "isHidden": false,
    })
}

/// The root lies in itself, and is not shown there.
fn below<'a>(mailbox: &'a Mailbox, parent: &'a str) -> impl Iterator<Item = &'a Folder> {
    mailbox.folders.iter().filter(move |folder| folder.parent == parent && folder.id != parent)
}

/// At the top, or in one folder. All are one page.
pub fn list(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let parent = &mailbox.folder(call.ids.first().map_or(ROOT, String::as_str))?.id;
    let select = call.parameter("$select");
    let folders = below(mailbox, parent);
    collection(folders.map(|folder| selected(&shown(mailbox, folder), select.as_deref())).collect())
}

pub fn get(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let folder = shown(mailbox, mailbox.folder(call.id(0))?);
    Ok(Reply::json(200, &selected(&folder, call.parameter("$select").as_deref())))
}

pub fn create(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let parent = mailbox.folder(call.ids.first().map_or(ROOT, String::as_str))?.id.clone();
    let name = call.text("displayName")?;
    check_name(mailbox, &parent, &name)?;
    let id = mailbox.new_folder_id(call.now);
    mailbox.folders.push(Folder { id: id.clone(), name, parent, well_known: None });
    Ok(Reply::json(201, &shown(mailbox, mailbox.folder(&id)?)))
}

pub fn update(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let (id, parent) = own(mailbox, call)?;
    let name = call.text("displayName")?;
    check_name(mailbox, &parent, &name)?;
    for folder in mailbox.folders.iter_mut().filter(|folder| folder.id == id) {
        folder.name.clone_from(&name);
    }
    Ok(Reply::json(200, &shown(mailbox, mailbox.folder(&id)?)))
}

/// With all that is in it.
pub fn delete(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let mut gone = vec![own(mailbox, call)?.0];
    while let Some(id) = gone.pop() {
        gone.extend(below(mailbox, &id).map(|folder| folder.id.clone()));
        mailbox.messages.retain(|_, message| message.text("parentFolderId") != id);
        mailbox.folders.retain(|folder| folder.id != id);
    }
    Ok(Reply::bare(204))
}

/// The ids of a folder that somebody made, and of the one that it is in.
fn own(mailbox: &Mailbox, call: &Call) -> Result<(String, String), Refusal> {
    let folder = mailbox.folder(call.id(0))?;
    match folder.well_known {
        Some(_) => Err(Refusal::distinguished_folder()),
        None => Ok((folder.id.clone(), folder.parent.clone())),
    }
}

fn check_name(mailbox: &Mailbox, parent: &str, name: &str) -> Result<(), Refusal> {
    match below(mailbox, parent).any(|folder| folder.name.eq_ignore_ascii_case(name)) {
        true => Err(Refusal::folder_exists()),
        false => Ok(()),
    }
}
