//! What is known of a mailbox's folders: the well-known ones, read once and kept for a while, and
//! any other that a message lies in, looked up.

use super::Calling;
use super::batch::get;
use super::client::parse;
use super::errors::Failure;
use super::wire::{Folder, Message};
use crate::adapters::system::System;
use crate::domain::provider::outlook::received::{Folders, Place, WellKnown};
use crate::ports::Clock;

/// The folder that all others are in.
const ROOT: &str = "msgfolderroot";
const FIELDS: &str = "id,parentFolderId,displayName";
/// Folders that one page of messages is looked up for; no real mail lies in more.
const MOST_LOOKED_UP: usize = 200;

impl Calling<'_> {
    /// The folders as they are known, with those of these messages; none, and no call, for none.
    pub async fn folders_of(&self, messages: &[Message]) -> Result<Folders, Failure> {
        if messages.is_empty() {
            return Ok(Folders::default());
        }
        let mut folders = self.folders().await?;
        // What excludes mail may have been moved since.
        folders.forget_below();
        let mut looked_up = 0;
        for message in messages {
            while let Place::Unknown(id) = folders.place(&message.parent_folder_id) {
                if id.is_empty() || looked_up == MOST_LOOKED_UP {
                    folders.learn(id, None);
                    continue;
                }
                looked_up += 1;
                let parent = self.parent_of(&id).await?;
                folders.learn(id, parent);
            }
        }
        if looked_up > 0 {
            self.mailbox.keep_folders(folders.clone(), System.now());
        }
        Ok(folders)
    }

    /// The well-known ones, and what was learned besides.
    pub async fn folders(&self) -> Result<Folders, Failure> {
        if let Some(known) = self.mailbox.folders(System.now()) {
            return Ok(known);
        }
        let folders = self.read_well_known().await?;
        self.mailbox.keep_folders(folders.clone(), System.now());
        Ok(folders)
    }

    async fn read_well_known(&self) -> Result<Folders, Failure> {
        let names = WellKnown::ALL.map(WellKnown::name).into_iter().chain([ROOT]);
        let part = |name| {
            let path = ["me", "mailFolders", name];
            self.outlook.client.relative(&path, &[("$select", FIELDS)]).map(get)
        };
        let parts = names.map(part).collect::<Result<Vec<_>, Failure>>()?;
        let answers = self.one_batch(&parts).await?;
        let mut known: Vec<Option<Folder>> = Vec::new();
        for answer in answers {
            known.push(match answer {
                Ok(body) => Some(parse(&body)?),
                // Some mailboxes lack one.
                Err(failure) if failure.is_missing() => None,
                Err(failure) => return Err(failure),
            });
        }
        let root = known.pop().flatten();
        let well_known = known.into_iter().zip(WellKnown::ALL);
        let mut folders =
            Folders::new(well_known.filter_map(|(folder, which)| Some((folder?.id, which))));
        if let Some(root) = root {
            folders.learn(root.id, None);
        }
        Ok(folders)
    }

    /// The folder in which another one lies; none for the root, and for one that is gone.
    async fn parent_of(&self, id: &str) -> Result<Option<String>, Failure> {
        match self.get::<Folder>(&["me", "mailFolders", id], &[("$select", FIELDS)]).await {
            Ok(folder) => Ok(folder.parent_folder_id.filter(|parent| parent != id)),
            Err(failure) if failure.is_missing() => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}
