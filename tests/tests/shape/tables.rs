//! Sections of documents that are made from the code's tables: compared, or written with
//! UPDATE_DOCS=1.
#![allow(clippy::disallowed_methods, reason = "whether to write is the environment's to say")]

/// Asserts that the text between two markers of a document in `docs/` is `made`; with UPDATE_DOCS=1
/// writes it.
pub fn check_section(document: &str, begin: &str, end: &str, made: &str) {
    let file = format!("{}/../docs/{document}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(begin).expect("the table begins");
    let (written, after) = rest.split_once(end).expect("the table ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, format!("{before}{begin}{made}{end}{after}")).unwrap();
        return;
    }
    assert!(
        written == made,
        "docs/{document} is not what the code says; run this test with UPDATE_DOCS=1"
    );
}
