//! Each row is accounted for: counted, and if it needs a person, named.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::journal::private;
use super::row::{Bad, Code};
use crate::failure::Failure;

/// So many rows are named where no report file was given.
const MOST_NAMED: usize = 1000;

/// What came of all rows.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    pub rows: u64,
    /// Of a dry run: those that would be taken over.
    pub ready: u64,
    pub connected: u64,
    /// The connector was there.
    pub already_connected: u64,
    /// As the journal says.
    pub done_before: u64,
    /// Triggers that were made; of a dry run those that would be.
    pub triggers: u64,
    /// Connected, and Gmail does not notify yet: the renewer goes on trying.
    pub not_watched: u64,
    /// Rows that need a person.
    pub bad: BTreeMap<Code, u64>,
}

impl Tally {
    pub fn needs_person(&self) -> u64 {
        self.bad.values().sum()
    }

    pub fn to_json(&self) -> Value {
        let bad: serde_json::Map<String, Value> =
            self.bad.iter().map(|(code, count)| (code.as_str().into(), json!(count))).collect();
        json!({
            "rows": self.rows, "ready": self.ready, "connected": self.connected, "already_connected": self.already_connected,
            "done_before": self.done_before, "triggers": self.triggers, "not_watched": self.not_watched,
            "needs_person": self.needs_person(), "bad": bad,
        })
    }

    pub fn lines(&self, dry_run: bool) -> String {
        let mut lines = vec![format!("rows               {}", self.rows)];
        let mut line = |name: &str, count: u64| lines.push(format!("{name:<18} {count}"));
        if dry_run {
            line("would connect", self.ready);
            line("triggers", self.triggers);
        } else {
            line("connected", self.connected);
            line("already connected", self.already_connected);
            line("done before", self.done_before);
            line("triggers made", self.triggers);
            if self.not_watched > 0 {
                line("not watched yet", self.not_watched);
            }
        }
        line("need a person", self.needs_person());
        for (code, count) in &self.bad {
            line(&format!("  {}", code.as_str()), *count);
        }
        lines.join("\n")
    }
}

/// The rows that need a person: written to a file as they come, or collected to be printed.
pub struct Report {
    file: Option<(PathBuf, File)>,
    named: Vec<Value>,
    pub tally: Tally,
}

impl Report {
    pub fn new(path: Option<&Path>) -> Result<Self, Failure> {
        let made =
            |path: &Path| match private(OpenOptions::new().write(true).create(true).truncate(true))
                .open(path)
            {
                Ok(file) => Ok((path.to_path_buf(), file)),
                Err(error) => Err(Failure::here(format!(
                    "the report {} cannot be written: {error}",
                    path.display()
                ))),
            };
        Ok(Self { file: path.map(made).transpose()?, named: Vec::new(), tally: Tally::default() })
    }

    pub fn bad(&mut self, row: u64, bad: &Bad) -> Result<(), Failure> {
        *self.tally.bad.entry(bad.code).or_default() += 1;
        let entry = json!({"row": row, "owner": bad.owner, "code": bad.code, "reason": bad.reason});
        match &mut self.file {
            Some((path, file)) => {
                file.write_all(format!("{entry}\n").as_bytes()).map_err(|error| {
                    Failure::here(format!(
                        "the report {} cannot be written: {error}",
                        path.display()
                    ))
                })
            }
            None if self.named.len() < MOST_NAMED => {
                self.named.push(entry);
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub fn to_json(&self, dry_run: bool) -> Value {
        let mut document = self.tally.to_json();
        document["dry_run"] = json!(dry_run);
        if self.file.is_none() {
            document["named"] = json!(self.named);
        }
        document
    }

    pub fn lines(&self, dry_run: bool) -> String {
        let mut lines = vec![self.tally.lines(dry_run)];
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or("?").to_string();
        lines.extend(self.named.iter().map(|row| {
            format!("row {} ({}): {}", row["row"], text(row, "owner"), text(row, "reason"))
        }));
        let unnamed = self.tally.needs_person() - self.named.len() as u64;
        match &self.file {
            Some((path, _)) if unnamed > 0 => {
                lines.push(format!("they are named in {}", path.display()))
            }
            None if unnamed > 0 => {
                lines.push(format!("and {unnamed} more: --report FILE names them all"))
            }
            _ => {}
        }
        lines.join("\n")
    }
}
