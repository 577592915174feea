//! One finding: what was looked at, what was found, and if it is not well why, how it is mended,
//! and where to read on.

use serde_json::{Value, json};

use crate::show::clean;
use crate::show::table::aligned;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    Warn,
    Fail,
    Unchecked,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::Unchecked => "not checked",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Finding {
    pub id: String,
    pub verdict: Verdict,
    pub found: String,
    pub cause: String,
    /// A command, or what a person must do.
    pub fix: String,
    pub link: &'static str,
}

impl Finding {
    fn new(id: &str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            verdict,
            found: found.into(),
            cause: String::new(),
            fix: String::new(),
            link: "",
        }
    }

    pub fn ok(id: &str, found: impl Into<String>) -> Self {
        Self::new(id, Verdict::Ok, found)
    }

    pub fn warn(id: &str, found: impl Into<String>) -> Self {
        Self::new(id, Verdict::Warn, found)
    }

    pub fn fail(id: &str, found: impl Into<String>) -> Self {
        Self::new(id, Verdict::Fail, found)
    }

    pub fn unchecked(id: &str, found: impl Into<String>) -> Self {
        Self::new(id, Verdict::Unchecked, found)
    }

    /// Well, or else what `bad` makes of it.
    pub fn if_not(
        good: bool,
        id: &str,
        found: impl Into<String>,
        bad: impl FnOnce(Self) -> Self,
    ) -> Self {
        if good { Self::ok(id, found) } else { bad(Self::fail(id, found)) }
    }

    pub fn because(self, cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), ..self }
    }

    pub fn mend(self, fix: impl Into<String>) -> Self {
        Self { fix: fix.into(), ..self }
    }

    pub fn see(self, link: &'static str) -> Self {
        Self { link, ..self }
    }

    /// It is not as it should be, but works.
    pub fn only_warns(self) -> Self {
        let verdict = if self.verdict == Verdict::Fail { Verdict::Warn } else { self.verdict };
        Self { verdict, ..self }
    }

    pub fn document(&self) -> Value {
        let word = self.verdict.word().to_lowercase().replace(' ', "_");
        let mut document = json!({"id": self.id, "verdict": word, "found": self.found});
        for (name, text) in
            [("cause", self.cause.as_str()), ("fix", &self.fix), ("link", self.link)]
        {
            if !text.is_empty() {
                document[name] = json!(text);
            }
        }
        document
    }
}

/// A table of all, with cause, fix and link under what is not well, and how many there are of each.
pub fn report(findings: &[Finding]) -> String {
    let rows: Vec<Vec<String>> = findings
        .iter()
        .map(|finding| vec![finding.verdict.word().into(), finding.id.clone()])
        .collect();
    let table = aligned(vec!["".into(), "CHECK".into()], rows);
    let width = table.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (row, finding) in table.lines().skip(1).zip(findings) {
        lines.push(format!("{row:<width$}  {}", one_line(&finding.found)));
        for (name, text) in
            [("cause", finding.cause.as_str()), ("fix", &finding.fix), ("see", finding.link)]
        {
            if !text.is_empty() {
                lines.push(format!("{:<13}{name:<5}  {}", "", one_line(text)));
            }
        }
    }
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let counts = [Verdict::Ok, Verdict::Warn, Verdict::Fail, Verdict::Unchecked]
        .map(|verdict| format!("{} {}", count(verdict), verdict.word()));
    lines.push(counts.join(", "));
    lines.join("\n")
}

fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether anything fails.
pub fn fails(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.verdict == Verdict::Fail)
}
