//! Every Rust file is compiled: what no `mod` names is left out without a word, and its tests with
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::rooms::files;

#[test]
fn every_file_is_a_module_of_something() {
    let all: Vec<(String, String)> = ["lib", "functions", "cli", "tests", "examples"]
        .iter()
        .flat_map(|room| files(room))
        .collect();
    let declared: BTreeMap<&str, BTreeSet<&str>> =
        all.iter().map(|(path, text)| (path.as_str(), modules(text))).collect();
    // `#[path = "shape/rooms.rs"] mod rooms;`
    let elsewhere: BTreeSet<&str> =
        all.iter().flat_map(|(_, text)| text.lines()).filter_map(path_attribute).collect();
    let is_named = |path: &str| {
        let (file, name) =
            (Path::new(path), Path::new(path).file_stem().unwrap().to_str().unwrap());
        // A module may also be declared inside of one that stands in braces.
        let parents = file.ancestors().skip(1).map(|folder| folder.display().to_string());
        let mut parents = parents.flat_map(|folder| {
            [format!("{folder}.rs"), format!("{folder}/lib.rs"), format!("{folder}/main.rs")]
        });
        parents
            .any(|parent| declared.get(parent.as_str()).is_some_and(|names| names.contains(name)))
            || elsewhere.iter().any(|named| path.ends_with(&format!("/{named}")))
    };
    let orphans: Vec<&String> =
        all.iter().map(|(path, _)| path).filter(|path| !is_root(path) && !is_named(path)).collect();
    assert!(orphans.is_empty(), "no `mod` names {orphans:?}");
}

fn modules(text: &str) -> BTreeSet<&str> {
    let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    code.filter_map(|line| line.strip_suffix(';')?.rsplit_once("mod ").map(|(_, name)| name))
        .collect()
}

fn path_attribute(line: &str) -> Option<&str> {
    line.trim().strip_prefix("#[path = \"")?.strip_suffix("\"]")
}

/// What cargo finds by itself.
fn is_root(path: &str) -> bool {
    let path = Path::new(path);
    let (name, folder) = (path.file_name().unwrap(), path.parent().unwrap().file_name().unwrap());
    name == "main.rs"
        || name == "lib.rs"
        || name == "build.rs"
        || folder == "bin"
        || folder == "tests"
        || folder == "fuzz_targets"
}
