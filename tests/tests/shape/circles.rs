//! Files use each other one way: of two files that use each other neither can be read first, nor
//! moved alone. A module and what lies in its folder are one thing, seen from outside, and may.

use std::collections::{BTreeMap, BTreeSet};

use super::rooms::files;

/// The modules of a crate, by their paths: `["adapters", "gmail"]`; the crate's own root is empty.
type Path = Vec<String>;

#[test]
fn no_files_use_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for source in [
        "lib/src",
        "cli/src",
        "functions/connectors-api/src",
        "functions/oauth-connect/src",
        "tests/src",
    ] {
        let uses = uses(source);
        for from in uses.keys() {
            let back = reached(&uses, from)
                .into_iter()
                .filter(|to| to > from && reached(&uses, to).contains(from));
            circles.extend(
                back.map(|to| format!("{source}: {} and {}", from.join("/"), to.join("/"))),
            );
        }
    }
    assert!(circles.is_empty(), "circles of files:\n{}", circles.join("\n"));
}

/// Which modules each module names, beside its own descendants and ancestors.
fn uses(source: &str) -> BTreeMap<Path, BTreeSet<Path>> {
    let texts: BTreeMap<Path, String> =
        files(source).into_iter().map(|(path, text)| (module(source, &path), text)).collect();
    let known: BTreeSet<Path> = texts.keys().cloned().collect();
    let of = |module: &Path, text: &str| {
        let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code: String = shipped
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        let named = named(&code).into_iter().filter_map(|path| resolved(module, &path, &known));
        named
            .filter(|to| !to.starts_with(module) && !module.starts_with(to))
            .collect::<BTreeSet<Path>>()
    };
    texts.iter().map(|(module, text)| (module.clone(), of(module, text))).collect()
}

fn module(source: &str, path: &str) -> Path {
    let inside = path.strip_prefix(source).unwrap().trim_start_matches('/').trim_end_matches(".rs");
    inside.split('/').filter(|name| *name != "lib" && *name != "main").map(String::from).collect()
}

/// Every path that begins at the crate or above, with the groups of `use` taken apart.
fn named(code: &str) -> Vec<Path> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        let begins = code[..at]
            .chars()
            .next_back()
            .is_none_or(|before| !before.is_alphanumeric() && before != '_' && before != ':');
        if begins {
            expand(&code[at..], &[], &mut found);
        }
    }
    found
}

/// Reads one path, and answers what follows it.
fn expand<'a>(text: &'a str, before: &[String], found: &mut Vec<Path>) -> &'a str {
    let mut path = before.to_vec();
    let mut rest = text.trim_start();
    loop {
        let end = rest
            .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .unwrap_or(rest.len());
        path.push(rest[..end].into());
        let Some(further) = rest[end..].strip_prefix("::") else {
            found.push(path);
            return &rest[end..];
        };
        let Some(mut group) = further.strip_prefix('{') else {
            rest = further;
            continue;
        };
        loop {
            group = expand(group, &path, found).trim_start();
            match group.strip_prefix(',') {
                Some(more) if !more.trim_start().starts_with('}') => group = more,
                _ => return group.split_once('}').map_or("", |(_, after)| after),
            }
        }
    }
}

/// The module that a path leads to, as far as it names modules.
fn resolved(from: &Path, path: &[String], known: &BTreeSet<Path>) -> Option<Path> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    let start = if ups > 0 { from[..from.len().checked_sub(ups)?].to_vec() } else { Vec::new() };
    let names = &path[ups.max(1)..];
    (1..=names.len())
        .rev()
        .map(|many| [&start[..], &names[..many]].concat())
        .find(|path| known.contains(path))
}

fn reached(uses: &BTreeMap<Path, BTreeSet<Path>>, from: &Path) -> BTreeSet<Path> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
    while let Some(module) = next.pop() {
        next.extend(
            uses.get(&module)
                .into_iter()
                .flatten()
                .filter(|to| seen.insert((*to).clone()))
                .cloned(),
        );
    }
    seen
}

#[test]
fn groups_are_taken_apart() {
    let found: BTreeSet<String> = named("use crate::a::{self, b::C, d};\nlet x = super::e::f(1);")
        .iter()
        .map(|path| path.join("::"))
        .collect();
    let expected =
        ["crate::a::self", "crate::a::b::C", "crate::a::d", "super::e::f"].map(String::from);
    assert_eq!(found, BTreeSet::from(expected));
}
