//! One case of the security table: what was done, expected and got. It is recorded whether it
//! passes or fails.

use std::fmt::Display;
use std::path::PathBuf;

use serde::Serialize;

#[derive(Serialize)]
pub struct Case {
    number: u32,
    title: &'static str,
    /// Whether the case ran to its end: the rows of one that panicked prove nothing.
    ended: bool,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    what: String,
    expected: String,
    got: String,
    pass: bool,
}

impl Case {
    pub fn new(number: u32, title: &'static str) -> Self {
        Self { number, title, ended: false, rows: Vec::new() }
    }

    pub fn check<T: PartialEq + Display>(&mut self, what: impl Display, expected: T, got: T) {
        let pass = expected == got;
        self.note(what, expected, got, pass);
    }

    /// Records a row whose expectation is not one value but a bound or one of several.
    pub fn note(
        &mut self,
        what: impl Display,
        expected: impl Display,
        got: impl Display,
        pass: bool,
    ) {
        self.rows.push(Row {
            what: what.to_string(),
            expected: expected.to_string(),
            got: got.to_string(),
            pass,
        });
    }

    fn write(&self) {
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{:02}.json", self.number));
        std::fs::write(&file, serde_json::to_vec_pretty(self).unwrap()).unwrap();
    }
}

/// `security` in the stack's local folder.
fn folder() -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let local = std::env::var("LOCAL_DIR")
        .ok()
        .filter(|local| !local.is_empty())
        .unwrap_or_else(|| ".local".into());
    PathBuf::from(root).join(local).join("security")
}

impl Drop for Case {
    fn drop(&mut self) {
        self.ended = !std::thread::panicking();
        self.write();
        for Row { what, expected, got, pass } in &self.rows {
            let mark = if *pass { "  " } else { "!!" };
            println!("{mark} {:>3}  {what}: expected {expected}, got {got}", self.number);
        }
        if self.ended {
            assert!(!self.rows.is_empty(), "case {} shows nothing", self.number);
            let failed = self.rows.iter().filter(|row| !row.pass).count();
            assert!(failed == 0, "case {}: {failed} rows fail", self.number);
        }
    }
}
