//! A migration's dry run: what the command reads and prints, and its exit code, without any
//! request.

use serde_json::{Value, json};

use crate::sealing::{ANOTHER_KEY, KEY, sealed};
use crate::server::{Folder, Ran, run};

const REFRESH: &str = "1//0canary-refresh";

fn migrate(folder: &Folder, file: &str, arguments: &[&str]) -> Ran {
    let path = folder.path(file);
    let ran =
        run(&[("CONNECTORS_FERNET_KEY", KEY)], &[&["migrate", &path], arguments].concat(), "");
    for secret in [REFRESH, "gAAAA", KEY, ANOTHER_KEY] {
        assert!(
            !ran.out.contains(secret) && !ran.err.contains(secret),
            "{secret}: {} {}",
            ran.out,
            ran.err
        );
    }
    ran
}

fn csv(folder: &Folder) {
    let (good, foreign) = (sealed(REFRESH, KEY), sealed(REFRESH, ANOTHER_KEY));
    let triggers = r#""[{""type"":""email:gmail"",""filters"":{""query"":""bill""}}]""#;
    let rows = [
        "id,email,user_id,gmail_refresh_token,triggers".to_string(),
        format!("1,ada@example.com,u-1,{good},{triggers}"),
        format!("2,,u-2,{good},"),
        format!("3,,u-3,{foreign},\\N"),
        "4,,u-4,,".to_string(),
        format!("5,{good},u-5"),
    ];
    folder.file("users.csv", rows.join("\n"));
}

#[test]
fn a_dry_run_says_what_would_be_done_and_which_rows_are_bad() {
    let folder = Folder::new();
    csv(&folder);
    let ran = migrate(&folder, "users.csv", &[]).ended(1);
    let expected = "rows               5\nwould connect      2\ntriggers           1\nneed a person      3\n  unreadable       1\n  no_token         1\n  \
                    wrong_key        1\nrow 4 (u-3): `gmail_refresh_token` was sealed under another key, or was changed since\nrow 5 (u-4): \
                    `gmail_refresh_token` is empty; leave out users who never connected a mailbox\nrow 6 (?): has 3 cells where the header \
                    has 5; an open quote takes the rows after it in\n";
    assert_eq!(ran.out, expected);
    assert!(
        ran.err.contains("nothing was done; --apply does it")
            && ran.err.contains("something needs a person"),
        "{}",
        ran.err
    );
    assert!(!folder.holds("users.csv.journal"));
    // Of several keys each is tried.
    folder.file("keys", format!("{ANOTHER_KEY}\n{KEY}\n"));
    let document = migrate(&folder, "users.csv", &["--key-file", &folder.path("keys"), "--json"])
        .ended(1)
        .json();
    assert_eq!(
        (&document["ready"], &document["bad"]),
        (&json!(3), &json!({"no_token": 1, "unreadable": 1}))
    );
    assert_eq!(document["named"][0]["code"], "no_token");
    // The global option means the same, and comes before.
    migrate(
        &folder,
        "users.csv",
        &["--apply", "--dry-run", "--key-command", &format!("echo {KEY}")],
    )
    .ended(1);
}

#[test]
fn columns_may_be_called_otherwise_and_json_lines_are_read_too() {
    let folder = Folder::new();
    let row = |id: Value| {
        json!({"uid": id, "secret": sealed(REFRESH, KEY), "other": {"a": 1}}).to_string()
    };
    folder.file(
        "users.jsonl",
        [row(json!(7)), String::new(), row(json!("u-8")), "[1]".into(), "{\"uid\": ".into()]
            .join("\n"),
    );
    let named = ["--owner-field", "uid", "--token-field", "secret", "--report"];
    let report = folder.path("report");
    let ran = migrate(&folder, "users.jsonl", &[&named[..], &[report.as_str()]].concat()).ended(1);
    assert!(
        ran.out.contains("would connect      2") && ran.out.contains("they are named in"),
        "{}",
        ran.out
    );
    let reported = std::fs::read_to_string(report).unwrap();
    let reasons: Vec<Value> =
        reported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reasons.iter().map(|row| row["row"].as_u64().unwrap()).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(
        (&reasons[0]["reason"], &reasons[1]["reason"]),
        (&json!("is no JSON object"), &json!("is no JSON from column 8 on"))
    );
}

#[test]
fn an_export_is_of_one_provider() {
    let folder = Folder::new();
    // Microsoft's refresh tokens are longer than any of Google's.
    let (token, kind) = (sealed(&"M".repeat(4000), KEY), "email:outlook");
    let row = |column: &str| json!({"user_id": "u", column: token, "triggers": [{"type": kind}]});
    folder.file("outlook.jsonl", row("outlook_refresh_token").to_string());
    folder.file("gmail.jsonl", row("gmail_refresh_token").to_string());
    let outlook = ["--provider", "outlook"];
    let ran = migrate(&folder, "outlook.jsonl", &outlook).ended(0);
    assert!(ran.out.contains("would connect      1\ntriggers           1\n"), "{}", ran.out);
    let ran = migrate(&folder, "gmail.jsonl", &outlook).ended(1);
    assert!(ran.out.contains("`outlook_refresh_token` is empty"), "{}", ran.out);
    let ran = migrate(&folder, "gmail.jsonl", &[]).ended(1);
    assert!(ran.out.contains("only `email:gmail` is taken over"), "{}", ran.out);
}

#[test]
fn what_cannot_be_begun_is_refused_with_the_way_out() {
    let folder = Folder::new();
    csv(&folder);
    folder.file("users.txt", "");
    folder.file("bare.csv", "a,b\n1,2\n");
    folder.file("none.jsonl", json!({"user_id": "u", "gmail_refresh_token": "x"}).to_string());
    folder.file("empty", "");
    let empty = folder.path("empty");
    let table: [(&str, &[&str], &str); 9] = [
        ("users.txt", &[], "--format jsonl or --format csv"),
        ("missing.csv", &[], "cannot read"),
        ("bare.csv", &[], "has no column `user_id`"),
        ("users.csv", &["--email-field", "user_id"], "must name four columns"),
        ("users.csv", &["--key-command", "false"], "the key command ended with"),
        ("users.csv", &["--key-command", "echo secret"], "a Fernet key is 32 bytes"),
        ("users.csv", &["--key-file", &empty], "a Fernet key is 32 bytes"),
        ("users.csv", &["--apply"], "say which stack"),
        ("none.jsonl", &["--apply", "--stack-name", "s"], "is it the right key"),
    ];
    for (file, arguments, expected) in table {
        let ran = migrate(&folder, file, arguments).ended(1);
        assert!(
            ran.err.contains(expected) && !ran.err.contains("secret"),
            "{file} {arguments:?}: {}",
            ran.err
        );
    }
    let path = folder.path("users.csv");
    let ran = run(&[], &["migrate", &path], "").ended(1);
    assert!(ran.err.contains("CONNECTORS_FERNET_KEY"), "{}", ran.err);
}
