//! docs/another-provider.md lists the files that a provider touches outside of its own rooms.

use std::collections::BTreeSet;

use super::rooms::{code, files};

const DOCUMENT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/another-provider.md"));
const ROOMS: [&str; 8] = [
    "lib/src/domain/provider/outlook",
    "lib/src/adapters/outlook",
    "lib/src/config/microsoft.rs",
    "lib/src/flows/notified.rs",
    "functions/pubsub-webhook/src/graph.rs",
    "cli/src/doctor/gather/microsoft.rs",
    "cli/src/doctor/gather/probed.rs",
    "cli/src/doctor/judge/microsoft.rs",
];

#[test]
fn the_files_that_a_provider_touches_are_listed() {
    let touched = |(path, text): &(String, String)| {
        let code = code(text).to_lowercase();
        let is_shipped = !path.contains("/tests/");
        let is_own = ROOMS.iter().any(|room| path.starts_with(room));
        is_shipped && !is_own && (code.contains("outlook") || code.contains("microsoft"))
    };
    let all = ["lib/src", "functions", "cli/src"].into_iter().flat_map(files);
    let found: BTreeSet<String> = all.filter(touched).map(|(path, _)| path).collect();
    let row = |line: &'static str| line.strip_prefix("| `")?.split_once('`').map(|(path, _)| path);
    let listed: BTreeSet<String> = DOCUMENT
        .lines()
        .filter_map(row)
        .filter(|path| path.ends_with(".rs") && !path.contains('<'))
        .map(String::from)
        .collect();
    assert_eq!(found, listed, "what is found is on the left");
}
