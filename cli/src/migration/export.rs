//! The export's rows, read one by one, so that only one row is in memory at a time.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::args::migrate::{Fields, Format};
use crate::failure::Failure;
use crate::fernet::Keys;
use crate::migration::row::{Bad, Candidate, Cells, Code, check};

/// Longer than any real row; bounds the memory for a file without line breaks.
const LONGEST_ROW: u64 = 1024 * 1024;

/// A row's line in the file, and the row, if it is as it must be.
pub type Checked = (u64, Result<Candidate, Bad>);

pub struct Export {
    path: PathBuf,
    format: Format,
    fields: Fields,
}

/// A row as it stands, or why it cannot be read. No message quotes its cells: they may be tokens.
pub struct Row {
    /// Its line in the file.
    pub number: u64,
    pub cells: Result<Cells, Bad>,
}

impl Export {
    pub fn new(path: &Path, format: Option<Format>, fields: Fields) -> Result<Self, Failure> {
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default()
            .to_ascii_lowercase();
        let format = match (format, ending.as_str()) {
            (Some(format), _) => format,
            (None, "jsonl" | "ndjson") => Format::Jsonl,
            (None, "csv") => Format::Csv,
            (None, _) => {
                return Err(Failure::here(format!(
                    "say what {} is: --format jsonl or --format csv",
                    path.display()
                )));
            }
        };
        let names = [&fields.owner, &fields.token, &fields.email, &fields.triggers];
        if names.iter().enumerate().any(|(at, name)| names[..at].contains(name)) {
            return Err(Failure::here(
                "--owner-field, --token-field, --email-field and --triggers-field must name four columns",
            ));
        }
        Ok(Self { path: path.into(), format, fields })
    }

    /// All rows from the beginning. An `Err` is an error of the file, not of a row.
    pub fn rows(&self) -> Result<Box<dyn Iterator<Item = Result<Row, Failure>> + '_>, Failure> {
        let file = File::open(&self.path).map_err(|error| self.failed(&error))?;
        match self.format {
            Format::Jsonl => {
                Ok(Box::new(JsonLines { export: self, file: BufReader::new(file), number: 0 }))
            }
            Format::Csv => self.csv_rows(file),
        }
    }

    /// Each row with what came of its check.
    pub fn checked<'a>(
        &'a self,
        keys: &'a Keys,
    ) -> Result<impl Iterator<Item = Result<Checked, Failure>> + 'a, Failure> {
        let check = |row: Row| {
            (row.number, row.cells.and_then(|cells| check(row.number, &cells, &self.fields, keys)))
        };
        Ok(self.rows()?.map(move |row| row.map(check)))
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::here(format!("cannot read {}: {error}", self.path.display()))
    }

    fn csv_rows(
        &self,
        file: File,
    ) -> Result<Box<dyn Iterator<Item = Result<Row, Failure>> + '_>, Failure> {
        let mut reader = csv::ReaderBuilder::new().from_reader(BufReader::new(file));
        let header =
            reader.headers().map_err(|_| self.failed(&"its header is no CSV in UTF-8"))?.clone();
        // A byte order mark is Excel's.
        let column = |name: &String| {
            header.iter().position(|title| title.trim_start_matches('\u{feff}').trim() == name)
        };
        let required = |name: &String| {
            column(name).ok_or_else(|| {
                Failure::here(format!(
                    "{} has no column `{name}`; name it with --…-field",
                    self.path.display()
                ))
            })
        };
        let (owner, token) = (required(&self.fields.owner)?, required(&self.fields.token)?);
        let (email, triggers) = (column(&self.fields.email), column(&self.fields.triggers));
        let cells = move |record: &csv::StringRecord| {
            let cell = |at: usize| Value::from(record.get(at).unwrap_or_default());
            let maybe = |at: Option<usize>| at.map_or(Value::Null, cell);
            Cells {
                owner: cell(owner),
                token: cell(token),
                email: maybe(email),
                triggers: maybe(triggers),
            }
        };
        Ok(Box::new(reader.into_records().map(move |record| match record {
            Ok(record) => Ok(Row { number: record.position().map_or(0, csv::Position::line), cells: Ok(cells(&record)) }),
            Err(error) => {
                let bad = |why: &str| Bad::new(Code::Unreadable, why);
                let number = error.position().map_or(0, csv::Position::line);
                match error.into_kind() {
                    csv::ErrorKind::Io(error) => Err(self.failed(&error)),
                    csv::ErrorKind::Utf8 { .. } => Ok(Row { number, cells: Err(bad("is not UTF-8")) }),
                    csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                        let why = format!("has {len} cells where the header has {expected_len}; an open quote takes the rows after it in");
                        Ok(Row { number, cells: Err(bad(&why)) })
                    }
                    _ => Ok(Row { number, cells: Err(bad("is no CSV")) }),
                }
            }
        })))
    }
}

struct JsonLines<'a> {
    export: &'a Export,
    file: BufReader<File>,
    number: u64,
}

impl JsonLines<'_> {
    /// The next line; `Some(None)` if it is too long.
    fn line(&mut self) -> std::io::Result<Option<Option<Vec<u8>>>> {
        let mut line = Vec::new();
        if self.file.by_ref().take(LONGEST_ROW).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let mut is_whole = line.ends_with(b"\n") || (line.len() as u64) < LONGEST_ROW;
        if is_whole {
            return Ok(Some(Some(line)));
        }
        while !is_whole {
            line.clear();
            let more = self.file.by_ref().take(LONGEST_ROW).read_until(b'\n', &mut line)?;
            is_whole = more == 0 || line.ends_with(b"\n");
        }
        Ok(Some(None))
    }

    fn cells(&self, line: &[u8]) -> Result<Cells, Bad> {
        let read: Result<Map<String, Value>, _> = serde_json::from_slice(line);
        let mut object = read.map_err(|error| {
            let why = match error.classify() {
                serde_json::error::Category::Data => "is no JSON object".to_string(),
                _ => format!("is no JSON from column {} on", error.column()),
            };
            Bad::new(Code::Unreadable, why)
        })?;
        let mut cell = |name: &String| object.remove(name).unwrap_or_default();
        let Fields { owner, token, email, triggers, .. } = &self.export.fields;
        Ok(Cells {
            owner: cell(owner),
            token: cell(token),
            email: cell(email),
            triggers: cell(triggers),
        })
    }
}

impl Iterator for JsonLines<'_> {
    type Item = Result<Row, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let cells = match self.line() {
                Ok(None) => return None,
                Ok(Some(Some(line))) if line.trim_ascii().is_empty() => continue,
                Ok(Some(Some(line))) => {
                    self.cells(line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line))
                }
                Ok(Some(None)) => {
                    Err(Bad::new(Code::Unreadable, format!("is longer than {LONGEST_ROW} bytes")))
                }
                Err(error) => return Some(Err(self.export.failed(&error))),
            };
            return Some(Ok(Row { number: self.number, cells }));
        }
    }
}
