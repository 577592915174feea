//! What was done, line by line in a file, so that an interrupted run can be resumed. Contains no
//! token, sealed or open.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::failure::Failure;
use crate::migration::row::Code;

/// So many lines may be lost if the machine crashes; a crash of the process loses none.
const LINES_PER_SYNC: u32 = 100;
const VERSION: u32 = 1;

/// Where the users are migrated to; a journal is valid for one target only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub stack: String,
    pub table: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    journal: u32,
    #[serde(flatten)]
    target: Target,
}

/// What came of a row.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    pub row: u64,
    pub key: Uuid,
    pub owner: String,
    pub outcome: Done,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector_id: Option<String>,
    #[serde(default, skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    Connected,
    AlreadyConnected,
    /// Not done: the next run tries it again.
    Open,
}

pub struct Journal {
    path: PathBuf,
    file: File,
    done: HashSet<Uuid>,
    unsynced: u32,
}

impl Journal {
    /// Opens or creates the journal and locks it, so that no other run can open it.
    pub fn open(path: &Path, target: &Target) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::here(format!("the journal {}: {error}", path.display()))
        };
        let mut file = private(OpenOptions::new().read(true).append(true).create(true))
            .open(path)
            .map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(failed(&"another run holds it; wait for its end"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
        let (done, whole) = read(&file, target).map_err(|error| failed(&error))?;
        let length = file.metadata().map_err(|error| failed(&error))?.len();
        if whole == 0 && length > 0 {
            return Err(failed(&"this file is no journal; name another one with --journal"));
        }
        // A truncated last line counts as not written.
        file.set_len(whole)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(|error| failed(&error))?;
        let mut journal = Self { path: path.into(), file, done, unsynced: 0 };
        if whole == 0 {
            journal.line(&Header { journal: VERSION, target: target.clone() })?;
        }
        Ok(journal)
    }

    pub fn is_done(&self, key: Uuid) -> bool {
        self.done.contains(&key)
    }

    pub fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    pub fn write(&mut self, entry: &Entry) -> Result<(), Failure> {
        self.line(entry)?;
        if entry.outcome != Done::Open {
            self.done.insert(entry.key);
        }
        self.unsynced += 1;
        if self.unsynced >= LINES_PER_SYNC { self.sync() } else { Ok(()) }
    }

    pub fn sync(&mut self) -> Result<(), Failure> {
        self.unsynced = 0;
        self.file.sync_data().map_err(|error| self.failed(&error))
    }

    /// In one write, so that a line may be truncated but never mixed with others.
    fn line(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_vec(line).map_err(|error| self.failed(&error))?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::here(format!("the journal {} cannot be written: {error}", self.path.display()))
    }
}

/// Readable by this user only: the file names owners.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// What is done, and how long the whole lines are.
fn read(file: &File, target: &Target) -> Result<(HashSet<Uuid>, u64), String> {
    let (mut reader, mut done, mut whole, mut line) =
        (BufReader::new(file), HashSet::new(), 0, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if length == 0 || !line.ends_with(b"\n") {
            return Ok((done, whole));
        }
        if whole == 0 {
            let header: Header = serde_json::from_slice(&line)
                .map_err(|_| "is no journal of `connectors migrate`")?;
            if header.journal != VERSION || header.target != *target {
                let Target { stack, table } = header.target;
                return Err(format!(
                    "is of the stack {stack} and its table {table}; name another one with --journal"
                ));
            }
        } else {
            let entry: Entry = serde_json::from_slice(&line)
                .map_err(|error| format!("a line cannot be read: {error}"))?;
            if entry.outcome != Done::Open {
                done.insert(entry.key);
            }
        }
        whole += length as u64;
    }
}
