//! How a command ends: its exit code, what it prints of a refusal, and the confirmation that it
//! wants first.

use serde_json::json;

use crate::server::{Folder, Reply, Server, TOKEN, run};

const SHOW: &str = "GET /api/connectors/con_1";

#[test]
fn the_exit_code_tells_denied_and_not_found_from_other_errors() {
    for (status, code, expected) in [
        (401, "unauthorized", 2),
        (403, "role_not_allowed", 2),
        (404, "not_found", 3),
        (400, "invalid_request", 1),
        (409, "conflict", 1),
        (500, "internal", 1),
        (503, "unavailable", 1),
    ] {
        let server =
            Server::scripted([(SHOW, Reply::problem(status, code).header("retry-after", 7))]);
        let ran = server.run(&["show", "con_1"]).ended(expected);
        assert!(
            ran.err.contains(&format!("{status} {code}: as it is")) && ran.err.contains("in 7 s"),
            "{}",
            ran.err
        );
        assert_eq!(ran.out, "", "what failed has no answer");

        let ran = server.run(&["show", "con_1", "--json"]).ended(expected);
        assert_eq!(ran.json()["code"], code, "the problem document, for a script");
    }
    assert_eq!(
        Server::scripted([(SHOW, Reply::json(json!({"id": "con_1"})))])
            .run(&["show", "con_1"])
            .code,
        0
    );
}

#[test]
fn an_api_that_is_not_there_is_an_error() {
    // The port of the discard protocol, on which nothing listens.
    let url = "http://127.0.0.1:9";
    let ran =
        run(&[("CONNECTORS_API_URL", url), ("CONNECTORS_TOKEN", TOKEN)], &["list"], "").ended(1);
    assert!(ran.err.contains("cannot reach"), "{}", ran.err);
}

#[test]
fn a_wrong_command_line_is_an_error_and_help_is_none() {
    for wrong in [
        &["nonsense"][..],
        &[],
        &["show"],
        &["show", "../admin"],
        &["show", "con_1", "--nonsense"],
        &["messages", "get", "con_1"],
        &["messages", "modify", "con_1", "m1"],
        &["triggers", "change", "trg_1"],
        &["triggers", "change", "trg_1", "--no-filters", "--query", "a"],
        &["triggers", "fire", "trg_1", "--data", "{"],
        &["labels", "update", "con_1", "Label_1"],
        &["list", "--token", "a", "--token-command", "b"],
    ] {
        let server = Server::answering(|_| Reply::json(json!({})));
        server.run(wrong).ended(1);
        assert_eq!(server.seen().len(), 0, "{wrong:?}");
    }
    for right in
        [&["--help"][..], &["--version"], &["messages", "send", "--help"], &["help", "tail"]]
    {
        assert_ne!(run(&[], right, "").ended(0).out, "");
    }
}

#[test]
fn where_and_who_must_be_said() {
    assert!(run(&[], &["list"], "").ended(1).err.contains("CONNECTORS_API_URL"));
    let nobody = run(&[("CONNECTORS_API_URL", "http://127.0.0.1:9")], &["list"], "").ended(1);
    assert!(nobody.err.contains("CONNECTORS_TOKEN"), "{}", nobody.err);
    let clear = run(
        &[("CONNECTORS_API_URL", "http://api.example.com"), ("CONNECTORS_TOKEN", TOKEN)],
        &["list"],
        "",
    )
    .ended(1);
    assert!(clear.err.contains("must be https"), "{}", clear.err);
}

#[test]
fn what_cannot_be_undone_needs_a_confirmation() {
    let answer = || {
        Reply::json(
            json!({"id": "con_1", "email_address": "ada@example.com", "deleted": "permanently"}),
        )
    };
    for (line, is_read_first) in [
        (&["remove", "con_1"][..], true),
        (&["triggers", "delete", "trg_1"], false),
        (&["messages", "delete", "con_1", "m1", "--permanent"], false),
        (&["threads", "delete", "con_1", "t1", "--permanent"], false),
        (&["messages", "batch-delete", "con_1", "m1", "--permanent"], false),
        (&["labels", "delete", "con_1", "Label_1"], false),
        (&["drafts", "delete", "con_1", "r1"], false),
    ] {
        for no in ["", "n\n", "\n", "maybe\n"] {
            let server = Server::answering(move |_| answer());
            let ran = server.run_saying(line, no).ended(1);
            assert!(
                ran.err.contains("[y/N]") && ran.err.contains("nothing was done"),
                "{}",
                ran.err
            );
            assert_eq!(
                server.seen().len(),
                usize::from(is_read_first),
                "{line:?}: {:?}",
                server.lines()
            );
        }
        let server = Server::answering(move |_| answer());
        server.run_saying(line, "y\n").ended(0);
        assert_eq!(
            server.seen().len(),
            1 + usize::from(is_read_first),
            "{line:?}: {:?}",
            server.lines()
        );
    }
    let server = Server::answering(move |_| answer());
    let prompt = server.run_saying(&["remove", "con_1"], "y").ended(0).err;
    assert!(prompt.contains("ada@example.com"), "{prompt}");
}

#[test]
fn an_expired_token_is_fetched_again_once() {
    let folder = Folder::new();
    let count = folder.path("count");
    let command = format!("echo x >> {count}; echo token-$(wc -l < {count})");
    let server = Server::answering(|seen| match seen.header("authorization") {
        "Bearer token-2" => Reply::json(json!({"connectors": []})),
        _ => Reply::problem(401, "unauthorized"),
    });
    let environment = [
        ("CONNECTORS_API_URL", server.url.as_str()),
        ("CONNECTORS_TOKEN_COMMAND", command.as_str()),
    ];
    let ran = run(&environment, &["list"], "").ended(0);
    assert_eq!((ran.out.as_str(), server.seen().len()), ("no connectors\n", 2));

    run(&environment, &["list"], "").ended(2);
    assert_eq!(server.seen().len(), 4, "a second refusal is believed");
}

#[test]
fn the_local_stack_is_one_flag() {
    let folder = Folder::new();
    let server = Server::answering(|seen| match seen.line.as_str() {
        "POST /admin/user-tokens" => Reply::json(json!({ "token": TOKEN })),
        _ => Reply::json(json!({"connectors": []})),
    });
    let mint = json!({"method": "POST", "url": format!("{}/admin/user-tokens", server.url), "body": {"sub": "local-owner"}});
    let file = folder
        .file("stack.json", json!({"api_url": format!("{}/base/", server.url), "mint_user_token": mint, "pids": {"a": 1}}).to_string());

    // The environment may be meant for another stack.
    run(&[("CONNECTORS_TOKEN", "other")], &["list", "--stack-json", &file], "").ended(0);
    let seen = server.seen();
    assert_eq!(seen[0].json(), json!({"sub": "local-owner", "claims": {"role": "admin"}}));
    assert_eq!(
        (seen[1].line.as_str(), seen[1].header("authorization")),
        ("GET /base/api/connectors", &*format!("Bearer {TOKEN}"))
    );

    run(&[("CONNECTORS_STACK_JSON", &file)], &["list", "--owner", "ada"], "").ended(0);
    assert_eq!(server.seen()[2].json()["sub"], "ada");
    let missing = run(&[], &["list", "--stack-json", "/nowhere/stack.json"], "").ended(1);
    assert!(missing.err.contains("make local-up"), "{}", missing.err);
}

#[test]
fn a_next_page_is_announced() {
    let server = Server::scripted([(
        "GET /api/connectors",
        Reply::json(json!({"connectors": [{"id": "con_1"}], "next_page_token": "abc"})),
    )]);
    assert!(server.run(&["list"]).ended(0).err.contains("--page-token abc"));
}
