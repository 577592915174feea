//! The published schemas of the events, and the validation of events against them.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::LazyLock;

use email_connectors::domain::event::Event;
use jsonschema::{Draft, Validator};
use serde_json::Value;

/// The published schemas, by detail type.
pub static PUBLISHED: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/schemas");
    let files =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.expect("a folder that can be listed").path();
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let schema = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), schema)
    };
    files.map(read).collect()
});

static VALIDATORS: LazyLock<BTreeMap<&str, Validator>> = LazyLock::new(|| {
    let compile = |(name, schema): (&'static String, &'static Value)| {
        let options =
            jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        let options = options.with_pattern_options(jsonschema::PatternOptions::regex());
        (
            name.as_str(),
            options.build(schema).unwrap_or_else(|error| panic!("{name} is no schema: {error}")),
        )
    };
    PUBLISHED.iter().map(compile).collect()
});

/// Every violation of the detail against the schema of its detail type.
pub fn faults(detail_type: &str, detail: &Value) -> Vec<String> {
    match VALIDATORS.get(detail_type) {
        Some(validator) if validator.is_valid(detail) => Vec::new(),
        Some(validator) => validator
            .iter_errors(detail)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect(),
        None => vec![format!("{detail_type} has no schema")],
    }
}

/// Panics if a published event violates its schema.
pub fn hold(detail_type: &str, detail: &Value) {
    let faults = faults(detail_type, detail);
    assert!(faults.is_empty(), "{detail_type} leaves its schema: {faults:?} in {detail}");
}

thread_local! {
    /// The shapes that were validated. Runs of the simulation publish much the same events with
    /// other numbers, and validating each of them takes a third of the time.
    static VALIDATED: RefCell<HashSet<u64>> = RefCell::default();
}

/// The same for an event that a port gets, once per shape: digits do not count.
pub fn hold_event(event: &Event) {
    let without_digits =
        |byte: u8| if matches!(byte, b'0'..=b'9' | b'a'..=b'f') { b'0' } else { byte };
    let mut shape = DefaultHasher::new();
    (event.detail_type.as_str(), event.detail.bytes().map(without_digits).collect::<Vec<u8>>())
        .hash(&mut shape);
    let shape = shape.finish();
    if VALIDATED.with_borrow(|shapes| shapes.contains(&shape)) {
        return;
    }
    let detail = serde_json::from_str(&event.detail)
        .unwrap_or_else(|error| panic!("{}: {error}", event.event_id));
    hold(event.detail_type.as_str(), &detail);
    VALIDATED.with_borrow_mut(|shapes| shapes.insert(shape));
}
