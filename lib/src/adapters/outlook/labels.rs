//! Folders and categories as labels.

use reqwest::Method;
use serde_json::json;

use super::Calling;
use super::batch::get;
use super::client::{Repeat, parse};
use super::errors::Failure;
use super::reading::missing;
use super::wire::{Category, Folder, Page};
use crate::domain::invalid::Invalid;
use crate::domain::operation::answer::{Label, LabelList, LabelType, MailAnswer};
use crate::domain::operation::request::{LabelSpec, Listing};
use crate::domain::provider::outlook::labels::{
    CATEGORY, FOLDER, IMPORTANT, Label as Named, STARRED, UNREAD,
};
use crate::domain::provider::outlook::received::{Folders, WellKnown};
use crate::ports::ProviderError;

const FIELDS: &str =
    "id,displayName,parentFolderId,childFolderCount,totalItemCount,unreadItemCount";
const PAGE: &str = "250";
/// Graph takes a second for 20 of them.
const MOST_FOLDERS: usize = 2000;

impl Calling<'_> {
    /// All at once; our page token is the number of labels before the page, as Gmail's is.
    pub async fn labels(&self, listing: &Listing) -> Result<MailAnswer, ProviderError> {
        let labels = self.all_labels().await.map_err(|failure| failure.of_request(true))?;
        let before = listing.page_token.as_deref().and_then(|token| token.parse().ok());
        let before: usize = before.unwrap_or_default();
        let (all, size) = (labels.len(), listing.page_size as usize);
        let labels: Vec<Label> = labels.into_iter().skip(before).take(size).collect();
        let next = before.saturating_add(labels.len());
        let next_page_token = (!labels.is_empty() && next < all).then(|| next.to_string());
        Ok(MailAnswer::Labels(LabelList { labels, next_page_token }))
    }

    async fn all_labels(&self) -> Result<Vec<Label>, Failure> {
        let known = self.folders().await?;
        let mut labels: Vec<Label> = [UNREAD, STARRED, IMPORTANT].map(flag).into();
        let folders = self.all_folders().await?;
        labels.extend(folders.into_iter().map(|(name, folder)| label(&folder, name, &known)));
        labels.extend(self.categories().await?.into_iter().map(|name| category(&name)));
        Ok(labels)
    }

    /// Each with its path, parents before their children.
    async fn all_folders(&self) -> Result<Vec<(String, Folder)>, Failure> {
        let query = [("$select", FIELDS), ("$top", PAGE)];
        let page: Page = self.get(&["me", "mailFolders"], &query).await?;
        let mut found: Vec<(String, Folder)> = named("", page.items()?);
        let mut at = 0;
        while at < found.len() && found.len() < MOST_FOLDERS {
            let parents: Vec<(String, String)> = found[at..]
                .iter()
                .filter(|(_, folder)| folder.child_folder_count > 0)
                .map(|(name, folder)| (name.clone(), folder.id.clone()))
                .collect();
            at = found.len();
            let part = |(_, id): &(String, String)| {
                let path = ["me", "mailFolders", id, "childFolders"];
                self.outlook.client.relative(&path, &query).map(get)
            };
            let parts = parents.iter().map(part).collect::<Result<Vec<_>, Failure>>()?;
            for ((name, _), answer) in parents.iter().zip(self.batched(&parts).await?) {
                match answer {
                    Ok(body) => {
                        found.extend(named(&format!("{name}/"), parse::<Page>(&body)?.items()?))
                    }
                    Err(failure) if failure.is_missing() => {}
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(found)
    }

    /// None where the grant does not allow to read them; messages show theirs all the same.
    async fn categories(&self) -> Result<Vec<String>, Failure> {
        let path = ["me", "outlook", "masterCategories"];
        match self.get::<Page>(&path, &[]).await {
            Ok(page) => {
                let categories: Vec<Category> = page.items()?;
                Ok(categories.into_iter().map(|category| category.display_name).collect())
            }
            Err(failure) if matches!(failure.status, Some(401 | 403 | 404)) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    pub async fn label(&self, id: &str) -> Result<MailAnswer, ProviderError> {
        let label = match Named::parse(id) {
            Some(Named::Unread) => flag(UNREAD),
            Some(Named::Starred) => flag(STARRED),
            Some(Named::Important) => flag(IMPORTANT),
            Some(Named::Category(name)) => category(name),
            Some(Named::In(folder)) => self.counted(folder.name()).await?,
            Some(Named::Folder(folder)) => self.counted(folder).await?,
            None => return Err(missing("label")),
        };
        Ok(MailAnswer::Label(label))
    }

    async fn counted(&self, folder: &str) -> Result<Label, ProviderError> {
        let folder = self.folder(folder).await?;
        let known = self.folders().await.map_err(|failure| failure.of_request(true))?;
        let (total, unread) = (folder.total_item_count, folder.unread_item_count);
        let label = label(&folder, folder.display_name.clone(), &known);
        Ok(Label { messages_total: Some(total), messages_unread: Some(unread), ..label })
    }

    async fn folder(&self, id: &str) -> Result<Folder, ProviderError> {
        let read = self.get(&["me", "mailFolders", id], &[("$select", FIELDS)]).await;
        read.map_err(|failure| failure.of_request(true))
    }

    /// A folder, below those that stand before a slash.
    pub async fn label_created(&self, spec: &LabelSpec) -> Result<MailAnswer, ProviderError> {
        only_a_name(spec)?;
        let name = spec.name.as_deref().unwrap_or_default();
        let (parent, own) = match name.rsplit_once('/') {
            Some((path, own)) => (Some(self.folder_at(path).await?), own),
            None => (None, name),
        };
        let path = match &parent {
            Some(parent) => vec!["me", "mailFolders", parent.id.as_str(), "childFolders"],
            None => vec!["me", "mailFolders"],
        };
        let call = self.call(Method::POST, &path).map_err(Failure::of_api)?;
        let call = call.json(&json!({"displayName": own}));
        let answered = self.send(call, Repeat::Never).await;
        let folder: Folder =
            answered.map_err(|failure| failure.of_request(false)).and_then(|answered| {
                parse(&answered.body).map_err(|failure| failure.of_request(false))
            })?;
        self.mailbox.forget_folders();
        Ok(MailAnswer::Label(label(&folder, name.into(), &Folders::default())))
    }

    async fn folder_at(&self, path: &str) -> Result<Folder, ProviderError> {
        let all = self.all_folders().await.map_err(|failure| failure.of_request(true))?;
        let found = all.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(path));
        found.map(|(_, folder)| folder).ok_or_else(|| {
            let problem = format!("lies in {path}, which is no folder; make that first");
            Invalid::new("name", problem).into()
        })
    }

    /// Renames a folder where it is.
    pub async fn label_changed(
        &self,
        id: &str,
        spec: &LabelSpec,
    ) -> Result<MailAnswer, ProviderError> {
        only_a_name(spec)?;
        let folder = own_folder(id)?;
        let name = spec.name.as_deref().unwrap_or_default();
        if name.contains('/') {
            let problem = "has a slash; a folder is renamed where it is";
            return Err(Invalid::new("name", problem).into());
        }
        let call =
            self.call(Method::PATCH, &["me", "mailFolders", folder]).map_err(Failure::of_api)?;
        let body = self.done(call.json(&json!({"displayName": name}))).await?;
        let folder: Folder = parse(&body).map_err(|failure| failure.of_request(true))?;
        Ok(MailAnswer::Label(label(&folder, folder.display_name.clone(), &Folders::default())))
    }

    /// With a folder Outlook deletes what is in it, which no deletion of a label may.
    pub async fn label_deleted(&self, id: &str) -> Result<MailAnswer, ProviderError> {
        let folder = self.folder(own_folder(id)?).await?;
        if folder.total_item_count > 0 || folder.child_folder_count > 0 {
            let problem = "is a folder that is not empty, and Outlook deletes a folder with all that \
                           is in it; move that first";
            return Err(Invalid::new("label_id", problem).into());
        }
        let path = ["me", "mailFolders", folder.id.as_str()];
        let call = self.call(Method::DELETE, &path).map_err(Failure::of_api)?;
        self.done(call).await?;
        self.mailbox.forget_folders();
        Ok(MailAnswer::Done)
    }
}

fn named(path: &str, folders: Vec<Folder>) -> Vec<(String, Folder)> {
    let named = |folder: Folder| (format!("{path}{}", folder.display_name), folder);
    folders.into_iter().map(named).collect()
}

/// The id of a folder that somebody made.
fn own_folder(id: &str) -> Result<&str, ProviderError> {
    match Named::parse(id) {
        Some(Named::Folder(folder)) => Ok(folder),
        Some(Named::Category(_)) => {
            let problem = "is a category, which is changed in Outlook alone";
            Err(Invalid::new("label_id", problem).into())
        }
        Some(_) => Err(Invalid::new("label_id", "is one that Outlook gives by itself").into()),
        None => Err(missing("label")),
    }
}

/// Folders have neither a color nor a visibility.
fn only_a_name(spec: &LabelSpec) -> Result<(), ProviderError> {
    let given = [
        ("color", spec.color.is_some()),
        ("label_list_visibility", spec.label_list_visibility.is_some()),
        ("message_list_visibility", spec.message_list_visibility.is_some()),
    ];
    let wrong = given.into_iter().find(|(_, given)| *given).map(|(field, _)| field);
    match (wrong, &spec.name) {
        (Some(field), _) => {
            Err(Invalid::new(field, "is nothing that Outlook's folders have").into())
        }
        (None, None) => {
            Err(Invalid::new("name", "is missing; Outlook's folders have nothing else").into())
        }
        (None, Some(name)) if name.split('/').any(|part| part.trim().is_empty()) => {
            Err(Invalid::new("name", "has an empty part").into())
        }
        (None, Some(_)) => Ok(()),
    }
}

fn plain(id: String, name: String, kind: LabelType) -> Label {
    Label {
        id,
        name,
        kind,
        label_list_visibility: None,
        message_list_visibility: None,
        color: None,
        messages_total: None,
        messages_unread: None,
        threads_total: None,
        threads_unread: None,
    }
}

fn flag(id: &str) -> Label {
    plain(id.into(), id.into(), LabelType::System)
}

fn category(name: &str) -> Label {
    plain(format!("{CATEGORY}{name}"), name.into(), LabelType::User)
}

fn label(folder: &Folder, name: String, known: &Folders) -> Label {
    match known.well_known(&folder.id).map(WellKnown::label) {
        Some(label) => plain(label.into(), name, LabelType::System),
        None => plain(format!("{FOLDER}{}", folder.id), name, LabelType::User),
    }
}
