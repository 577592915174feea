//! Mail folders, and the categories of the whole mailbox.

use serde_json::{Value, json};

use super::Context;
use super::answer::{Answer, Outcome, Refusal};
use super::reading::{Page, listed, option, selected};
use crate::folders::Folder;
use crate::values::uuid_of;

pub(super) fn missing() -> Refusal {
    Refusal::new(404, "ErrorItemNotFound", "The specified folder could not be found in the store.")
}

/// The folder that the path names, by id or by a well-known name.
pub(super) fn find(context: &Context<'_>, at: usize) -> Result<Folder, Refusal> {
    context.mailbox.folders.find(&context.ids[at]).cloned().ok_or_else(missing)
}

pub(super) fn respond(context: &mut Context<'_>, name: &str) -> Outcome {
    match name {
        "folders.list" => list(context, &context.mailbox.folders.root()),
        "folders.children" => list(context, &find(context, 0)?.id),
        "folders.create" => create(context, &context.mailbox.folders.root()),
        "folders.createChild" => create(context, &find(context, 0)?.id),
        "folders.get" => {
            let folder = find(context, 0)?;
            Ok(entity(context, 200, &folder))
        }
        "folders.update" => rename(context),
        "folders.delete" => delete(context),
        "categories.list" => categories(context),
        _ => create_category(context),
    }
}

fn list(context: &Context<'_>, parent: &str) -> Outcome {
    let page = Page::of(&context.query, context.call.prefer)?;
    let mut found: Vec<&Folder> = context.mailbox.folders.under(parent);
    if let Some(filter) = option(&context.query, "filter") {
        let name = named(filter).ok_or_else(|| Refusal::bad_request("Invalid filter clause."))?;
        found.retain(|folder| folder.name.eq_ignore_ascii_case(&name));
    }
    let count = found.len();
    let (shown, more) = page.cut(found);
    let value = shown
        .into_iter()
        .map(|folder| selected(rendered(context, folder), &context.query))
        .collect();
    let kind = format!("users('{}')/mailFolders", context.mailbox.user.graph_id());
    Ok(listed(context, &kind, (value, more), &page, count))
}

/// The name in `displayName eq 'x'`, the one filter that the fake has here.
fn named(filter: &str) -> Option<String> {
    let name = filter.trim().strip_prefix("displayName eq '")?.strip_suffix('\'')?;
    Some(name.replace("''", "'"))
}

fn rendered(context: &Context<'_>, folder: &Folder) -> Value {
    let mailbox = &context.mailbox;
    let (all, unread) = mailbox.counted(folder, context.when.now_ms);
    json!({
        "id": folder.id,
        "displayName": folder.name,
        "parentFolderId": folder.parent,
        "childFolderCount": mailbox.folders.under(&folder.id).len(),
        "unreadItemCount": unread,
        "totalItemCount": all,
        "isHidden": false,
    })
}

fn entity(context: &Context<'_>, status: u16, folder: &Folder) -> Answer {
    let mut body = rendered(context, folder);
    let owner = context.mailbox.user.graph_id();
    let said = format!("{}/v1.0/$metadata#users('{owner}')/mailFolders/$entity", context.app.url);
    body["@odata.context"] = said.into();
    Answer::json(status, selected(body, &context.query))
}

fn wanted_name(context: &Context<'_>) -> Result<String, Refusal> {
    let body = context.call.json()?;
    let name = body["displayName"].as_str().map(str::trim).filter(|name| !name.is_empty());
    name.map(Into::into)
        .ok_or_else(|| Refusal::new(400, "ErrorInvalidRequest", "A display name is required."))
}

fn exists() -> Refusal {
    Refusal::new(409, "ErrorFolderExists", "A folder with the specified name already exists.")
}

fn create(context: &mut Context<'_>, parent: &str) -> Outcome {
    let name = wanted_name(context)?;
    let made = context.mailbox.folders.create(parent, &name).cloned().ok_or_else(exists)?;
    Ok(entity(context, 201, &made))
}

/// The well-known folders stay as they are.
fn own_folder(context: &Context<'_>) -> Result<Folder, Refusal> {
    let folder = find(context, 0)?;
    if folder.well_known.is_some() {
        let said = "Distinguished folders cannot be renamed, moved or deleted.";
        return Err(Refusal::new(400, "ErrorDeleteDistinguishedFolder", said));
    }
    Ok(folder)
}

fn rename(context: &mut Context<'_>) -> Outcome {
    let folder = own_folder(context)?;
    let name = wanted_name(context)?;
    let same = folder.name.eq_ignore_ascii_case(&name);
    if !same && context.mailbox.folders.is_taken(&folder.parent, &name) {
        return Err(exists());
    }
    context.mailbox.folders.rename(&folder.id, &name);
    Ok(entity(context, 200, &Folder { name, ..folder }))
}

/// With all that is in it. (A real one moves to Deleted Items first.)
fn delete(context: &mut Context<'_>) -> Outcome {
    let folder = own_folder(context)?;
    context.mailbox.remove_folder(&folder.id);
    Ok(Answer::empty(204))
}

fn category(context: &Context<'_>, (name, colour): &(String, String)) -> Value {
    let id = uuid_of(&format!("category|{}|{name}", context.mailbox.user.oid));
    json!({ "id": id, "displayName": name, "color": colour })
}

fn categories(context: &Context<'_>) -> Outcome {
    let page = Page::of(&context.query, context.call.prefer)?;
    let found: Vec<Value> =
        context.mailbox.categories.iter().map(|one| category(context, one)).collect();
    let count = found.len();
    let cut = page.cut(found);
    let kind = format!("users('{}')/outlook/masterCategories", context.mailbox.user.graph_id());
    Ok(listed(context, &kind, cut, &page, count))
}

fn create_category(context: &mut Context<'_>) -> Outcome {
    let name = wanted_name(context)?;
    let body = context.call.json()?;
    let colour = body["color"].as_str().unwrap_or("none").to_owned();
    if context.mailbox.categories.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
        return Err(Refusal::new(
            409,
            "ErrorOutlookCategoryExists",
            "A category of this name exists already.",
        ));
    }
    context.mailbox.categories.push((name.clone(), colour.clone()));
    Ok(Answer::json(201, category(context, &(name, colour))))
}
