//! The help names every command.

use crate::server::run;

/// The names in a help's list of commands.
fn commands(of: &[&str]) -> Vec<String> {
    let help = run(&[], &[of, &["--help"]].concat(), "").ended(0).out;
    let list = help.split("Commands:\n").nth(1).unwrap_or_else(|| panic!("{help}"));
    let names = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(String::from)
        .collect()
}

#[test]
fn every_command_is_listed() {
    let all = "list show register enable disable rename remove sync renew health circuit metrics triggers test messages attachments threads \
               labels drafts replay revoke-grants restore doctor tail migrate";
    let table = [
        (&[][..], all),
        (&["triggers"], "list create show change delete test firings rotate-secret fire"),
        (&["test"], "list get send labels drafts threads reads"),
        (&["messages"], "list get send modify trash untrash delete batch-modify batch-delete"),
        (&["attachments"], "list get"),
        (&["threads"], "list get modify trash untrash delete"),
        (&["labels"], "list get create update delete"),
        (&["drafts"], "list get create update patch send delete"),
        (&["replay"], "parked dead-letters"),
        (&["health"], "drill"),
    ];
    for (of, expected) in table {
        assert_eq!(commands(of), expected.split_whitespace().collect::<Vec<_>>(), "{of:?}");
    }
}

#[test]
fn connect_is_another_name_for_register() {
    assert!(run(&[], &["connect", "--help"], "").ended(0).out.contains("Connect a mailbox"));
}

/// Every command is written about, with an example.
#[test]
fn the_documentation_shows_every_command() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md")).unwrap();
    for group in [
        &[][..],
        &["triggers"],
        &["test"],
        &["messages"],
        &["attachments"],
        &["threads"],
        &["labels"],
        &["drafts"],
        &["replay"],
        &["health"],
    ] {
        for name in commands(group) {
            let example = [&["connectors"], group, &[name.as_str()]].concat().join(" ");
            assert!(text.contains(&example), "docs/cli.md has no example of `{example}`");
        }
    }
}
