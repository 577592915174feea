//! The planted bugs still apply: the text that each replaces occurs once in its file.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Asserts that each tooth of a folder applies; returns their names.
fn fitting(folder: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "tooth") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.splitn(3, '\n');
        let (whose, file, rest) =
            (lines.next().unwrap(), lines.next().unwrap(), lines.next().unwrap());
        let (old, _) = rest.trim_start_matches("<<<<<<<\n").split_once("\n=======\n").unwrap();
        let code = std::fs::read_to_string(root().join(file)).unwrap();
        assert_eq!(
            code.matches(old).count(),
            1,
            "{}: what it replaces must stand once in {file}",
            path.display()
        );
        assert!(!whose.is_empty(), "{} says whose bug it is, or what is taken out", path.display());
        names.push(path.file_stem().unwrap().to_str().unwrap().into());
    }
    assert!(names.len() >= 10, "{folder} has {} planted bugs", names.len());
    names
}

#[test]
fn every_tooth_fits_the_code() {
    fitting("tests/teeth");
}

#[test]
fn every_check_that_is_taken_out_names_the_case_that_must_fail() {
    let folder = root().join("tests/tests/security");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let cases: String = files.collect();
    for name in fitting("tests/teeth/security") {
        let (number, _) = name.split_once('_').unwrap();
        assert_eq!(
            cases.matches(&format!("async fn case_{number}_")).count(),
            1,
            "{name} names case {number}"
        );
    }
}
