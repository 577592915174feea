//! `restore` and `revoke-grants` change nothing unless the command line says for whom.

use crate::server::run;

const NO_STACK: &str = "say which stack";

#[test]
fn it_must_be_said_what_comes_back() {
    let refused = run(&[], &["restore", "--from", "t", "--apply"], "").ended(1).err;
    for way_out in ["--connector con_…", "--owner …", "--all", "without --apply"] {
        assert!(refused.contains(way_out), "{refused}");
    }
    // With a choice, or without --apply, only the stack is missing.
    let choices: [&[&str]; 5] = [
        &["--connector", "con_1", "--connector", "con_2", "--apply"],
        &["--owner", "one", "--owner", "two", "--connector", "con_1", "--apply"],
        &["--all", "--apply"],
        &["--owner", "one"],
        &[],
    ];
    for choice in choices {
        let ran = run(&[], &[&["restore", "--from", "t"], choice].concat(), "").ended(1);
        assert!(ran.err.contains(NO_STACK), "{choice:?}: {}", ran.err);
    }
}

#[test]
fn all_is_all() {
    for narrowed in [["--connector", "con_1"], ["--owner", "one"]] {
        let ran = run(
            &[],
            &[&["restore", "--from", "t", "--all", "--apply"], &narrowed[..]].concat(),
            "",
        )
        .ended(1);
        assert!(ran.err.contains("cannot be used with"), "{}", ran.err);
    }
}

#[test]
fn it_must_be_said_whose_grants_are_withdrawn() {
    let refused = run(&[], &["revoke-grants", "--apply"], "").ended(1).err;
    for way_out in ["--connector con_…", "--all", "without --apply"] {
        assert!(refused.contains(way_out), "{refused}");
    }
    for choice in [&["--connector", "con_1", "--apply"][..], &["--all", "--apply"], &["--all"], &[]]
    {
        let ran = run(&[], &[&["revoke-grants"], choice].concat(), "").ended(1);
        assert!(ran.err.contains(NO_STACK), "{choice:?}: {}", ran.err);
    }
    let both = run(&[], &["revoke-grants", "--all", "--connector", "con_1"], "").ended(1).err;
    assert!(both.contains("cannot be used with"), "{both}");
}
