//! Documents name only existing files, sections and targets of the Makefile, and keep to their
//! form.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const LONGEST_README: usize = 150;
const LONGEST_DECISION: usize = 30;
const WIDEST_PROSE: usize = 120;
/// The folders that a path in a document may be relative to, beside the document's own.
const ROOTS: [&str; 3] = ["", "lib/src", "tests"];
/// Folders that are not in the repository.
const MADE: [&str; 4] = [".local", ".aws-sam", "target", "node_modules"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// All files of these kinds, as paths from the root, without hidden and built ones.
pub fn files(kinds: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    collect(&root(), kinds, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, kinds: &[&str], found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !name.starts_with('.') && !MADE.contains(&name) {
                collect(&path, kinds, found);
            }
        } else if kinds.iter().any(|kind| name.ends_with(*kind)) {
            found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().into());
        }
    }
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|_| panic!("{path} is not there"))
}

/// A document, split into prose and code blocks.
struct Document {
    path: String,
    /// Lines outside code blocks, with their number.
    lines: Vec<(usize, String)>,
    /// The lines of code blocks.
    blocks: Vec<String>,
}

impl Document {
    fn read(path: &str) -> Self {
        let mut document = Self { path: path.into(), lines: Vec::new(), blocks: Vec::new() };
        let mut in_block = false;
        for (number, line) in read(path).lines().enumerate() {
            if line.trim_start().starts_with("```") {
                in_block = !in_block;
            } else if in_block {
                document.blocks.push(line.into());
            } else {
                document.lines.push((number + 1, line.into()));
            }
        }
        assert!(!in_block, "{path}: a code block does not end");
        document
    }

    /// Each paragraph's prose without inline code, and that code.
    fn paragraphs(&self) -> Vec<(String, Vec<String>)> {
        let text: Vec<&str> = self.lines.iter().map(|(_, line)| line.as_str()).collect();
        // Each row of a table is a paragraph, so that a stray backtick affects only its row.
        let text = text.join("\n").replace("\n|", "\n\n|");
        let parts = text
            .split("\n\n")
            .map(|paragraph| paragraph.split('`').map(String::from).collect::<Vec<_>>());
        parts
            .map(|parts| {
                let prose: Vec<&str> = parts.iter().step_by(2).map(String::as_str).collect();
                (prose.join(""), parts.iter().skip(1).step_by(2).cloned().collect())
            })
            .collect()
    }

    fn links(&self) -> Vec<String> {
        let prose = self.paragraphs().into_iter().map(|(prose, _)| prose);
        prose
            .flat_map(|prose| {
                prose
                    .split("](")
                    .skip(1)
                    .map(|rest| rest.split(')').next().unwrap().to_string())
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    fn codes(&self) -> Vec<String> {
        self.paragraphs().into_iter().flat_map(|(_, codes)| codes).collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    fn anchors(&self) -> BTreeSet<String> {
        let mut anchors = BTreeSet::new();
        for (_, line) in &self.lines {
            let title = line.trim_start_matches('#');
            if title.len() == line.len() || !title.starts_with(' ') {
                continue;
            }
            let kept = title.trim().to_lowercase();
            let kept: String = kept
                .chars()
                .filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter))
                .collect();
            let anchor = kept.replace(' ', "-");
            let mut numbered = (1..).map(|number| format!("{anchor}-{number}"));
            let anchor = if anchors.contains(&anchor) {
                numbered.find(|name| !anchors.contains(name)).unwrap()
            } else {
                anchor
            };
            anchors.insert(anchor);
        }
        anchors
    }

    fn beside(&self, path: &str) -> PathBuf {
        root().join(&self.path).parent().unwrap().join(path)
    }
}

fn documents() -> Vec<Document> {
    let documents: Vec<Document> =
        files(&[".md"]).iter().map(|path| Document::read(path)).collect();
    assert!(documents.len() > 20, "only {} documents were found", documents.len());
    documents
}

fn has_section(document: &Path, section: &str) -> bool {
    let path = document.canonicalize().unwrap();
    let path = path.strip_prefix(root().canonicalize().unwrap()).unwrap();
    Document::read(path.to_str().unwrap()).anchors().contains(section)
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        for link in document.links() {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, section) = link.split_once('#').unwrap_or((&link, ""));
            let target =
                if file.is_empty() { root().join(&document.path) } else { document.beside(file) };
            if !target.exists() || (!section.is_empty() && !has_section(&target, section)) {
                broken.push(format!("{}: {link}", document.path));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn every_file_that_a_document_names_is_there() {
    let mut missing = Vec::new();
    for document in documents() {
        for code in document.codes() {
            let kinds = [".rs", ".py", ".sh", ".yaml", ".md", ".tooth", ".toml", "/"];
            let named = code.contains('/')
                && kinds.iter().any(|kind| code.ends_with(*kind))
                && !code.starts_with('/');
            let literal =
                code.chars().all(|letter| letter.is_alphanumeric() || "/._-".contains(letter));
            let made = MADE.iter().any(|folder| code.starts_with(folder));
            if named && literal && !made {
                let paths = ROOTS
                    .iter()
                    .map(|folder| root().join(folder).join(&code))
                    .chain([document.beside(&code)]);
                if !paths.into_iter().any(|path| path.exists()) {
                    missing.push(format!("{}: {code}", document.path));
                }
            }
        }
    }
    assert!(missing.is_empty(), "files that are not there:\n{}", missing.join("\n"));
}

#[test]
fn every_make_target_that_a_document_names_is_there() {
    let makefile = read("Makefile");
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(target, _)| target)
        .collect();
    let mut named = 0;
    for document in documents() {
        for line in document
            .codes()
            .iter()
            .flat_map(|code| code.lines())
            .chain(document.blocks.iter().map(String::as_str))
        {
            for target in make_targets(line) {
                assert!(
                    targets.contains(target),
                    "{} names `make {target}`, which the Makefile does not have",
                    document.path
                );
                named += 1;
            }
        }
    }
    assert!(named > 20, "only {named} were found");
}

/// The targets of `make` commands in a line: at its beginning, or after a prompt, another command
/// or a variable.
fn make_targets(line: &str) -> Vec<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let begins = index == 0
            || ["$", "&&", ";"].contains(&words[index - 1])
            || words[..index].iter().any(|word| word.contains('='));
        let target = words.get(index + 1).copied().unwrap_or_default();
        if *word == "make"
            && begins
            && target.starts_with(|letter: char| letter.is_ascii_lowercase())
        {
            found.push(target);
        }
    }
    found
}

/// Alarms, remedies and messages name a page, often with its section.
#[test]
fn every_document_that_the_code_names_is_there() {
    let mut named = 0;
    for path in files(&[".rs", ".py", ".sh", ".yaml", ".toml", "Makefile"]) {
        let text = read(&path);
        let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for rest in shipped.split("docs/").skip(1) {
            let page: String = rest
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || "/._-".contains(*letter))
                .collect();
            let Some(page) = page
                .strip_suffix('.')
                .unwrap_or(&page)
                .strip_suffix(".md")
                .map(|name| format!("docs/{name}.md"))
            else {
                continue;
            };
            assert!(root().join(&page).exists(), "{path} names {page}, which is not there");
            named += 1;
            let after = &rest[page.len() - "docs/".len()..];
            let Some(section) = after.strip_prefix('#').filter(|section| !section.starts_with('{'))
            else {
                continue;
            };
            let section: String = section
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '-')
                .collect();
            assert!(
                has_section(&root().join(&page), &section),
                "{path} names {page}#{section}, which is not there"
            );
        }
    }
    assert!(named > 40, "only {named} were found");
}

#[test]
fn the_readme_is_short_and_prose_is_narrow() {
    let lines = read("README.md").lines().count();
    assert!(lines <= LONGEST_README, "README.md has {lines} lines; {LONGEST_README} are enough");
    for document in documents() {
        let mut made = false;
        for (number, line) in &document.lines {
            made = (made || line.contains(": made by")) && !line.starts_with("<!-- end of");
            let wide = line.chars().count() > WIDEST_PROSE && !line.starts_with(['|', '#']);
            assert!(
                made || !wide,
                "{}:{number} is over {WIDEST_PROSE} characters wide",
                document.path
            );
        }
    }
}

#[test]
fn every_decision_has_its_context_and_its_price_and_is_in_the_index() {
    let index: BTreeSet<String> =
        Document::read("docs/decisions/README.md").links().into_iter().collect();
    let mut records = 0;
    for document in
        documents().iter().filter(|document| document.path.starts_with("docs/decisions/"))
    {
        let name = document.path.rsplit('/').next().unwrap();
        if name == "README.md" {
            continue;
        }
        records += 1;
        assert!(index.contains(name), "docs/decisions/README.md does not name {name}");
        let text = read(&document.path);
        for part in ["# ", "\n**Context.** ", "\n**Decision.** ", "\n**Price.** "] {
            assert!(text.contains(part), "{name} lacks `{}`", part.trim());
        }
        assert!(text.lines().count() <= LONGEST_DECISION, "{name} is no short record");
    }
    assert!(records > 20, "only {records} were found");
}

#[test]
fn every_phase_of_the_proof_is_described() {
    let runner = std::fs::read_to_string(root().join("tests/local/verify.py")).unwrap();
    let described = std::fs::read_to_string(root().join("docs/testing.md")).unwrap();
    let begun = ["Phase(\"", ".phase(\""].iter().flat_map(|call| runner.split(call).skip(1));
    let titles: BTreeSet<&str> = begun.map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(titles.len() > 20, "{titles:?}");
    let missing: Vec<&&str> = titles.iter().filter(|title| !described.contains(**title)).collect();
    assert!(missing.is_empty(), "docs/testing.md does not name the phases {missing:?}");
}
