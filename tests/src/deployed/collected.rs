//! The messages of the deployed queues: the collector writes one file, from which each test takes
//! its own.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    /// The queue's name in the template's words: `agent_run_queue`.
    pub of: String,
    pub body: String,
}

/// The messages since `from_now` that were not taken yet.
pub struct Collected {
    file: PathBuf,
    reading: Mutex<Reading>,
}

struct Reading {
    offset: u64,
    waiting: Vec<Message>,
}

impl Collected {
    /// Starts at the current end of the file, which is missing if the stack has no collector.
    pub fn from_now(file: PathBuf) -> Self {
        let offset = std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
        Self { file, reading: Mutex::new(Reading { offset, waiting: Vec::new() }) }
    }

    /// Removes and returns the wanted messages, oldest first.
    pub fn take(&self, wanted: impl FnMut(&mut Message) -> bool) -> Vec<Message> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = File::open(&self.file).unwrap_or_else(|error| {
            panic!("{}: {error}: this stack has no collector", self.file.display())
        });
        file.seek(SeekFrom::Start(reading.offset)).unwrap();
        let mut more = String::new();
        file.read_to_string(&mut more).unwrap();
        // The last line may be incomplete.
        let whole = more.rfind('\n').map_or(0, |end| end + 1);
        reading.offset += whole as u64;
        reading.waiting.extend(
            more[..whole].lines().map(|line| serde_json::from_str::<Message>(line).unwrap()),
        );
        reading.waiting.extract_if(.., wanted).collect()
    }
}
