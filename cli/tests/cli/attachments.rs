//! Attachments are downloaded whole, part by part, into a file that was not there.

use serde_json::json;

use crate::server::{Folder, Reply, Seen, Server};

const PART: usize = 4 * 1024 * 1024;

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// Serves one file by ranges, unless something is wrong with an answer.
fn serving(length: usize, wrong: fn(usize, Reply) -> Reply) -> Server {
    let mut nth = 0;
    Server::answering(move |seen: &Seen| {
        if seen.line.ends_with("/attachments") {
            return Reply::json(
                json!({"attachments": [{"part_id": "0.1", "filename": "../../etc/a.bin", "size": length}]}),
            );
        }
        nth += 1;
        let whole = content(length);
        let Some(range) = seen.header("range").strip_prefix("bytes=") else {
            return wrong(nth, Reply::new(200, whole));
        };
        let (from, to) = range.split_once('-').unwrap();
        let (from, to) =
            (from.parse::<usize>().unwrap(), to.parse::<usize>().unwrap().min(length - 1));
        let reply = Reply::new(206, &whole[from..=to]).header("content-type", "application/x-bin");
        wrong(nth, reply.header("content-range", format!("bytes {from}-{to}/{length}")))
    })
}

fn get(server: &Server, output: &str) -> crate::server::Ran {
    server.run(&["attachments", "get", "con_1", "m1", "0.1", "-o", output])
}

#[test]
fn a_large_one_comes_in_parts_and_is_whole() {
    let (length, folder) = (2 * PART + 5, Folder::new());
    let server = serving(length, |_, reply| reply);
    let output = folder.path("a.bin");
    let ran = get(&server, &output).ended(0);
    assert!(ran.out.contains(&format!("{length} bytes (application/x-bin)")), "{}", ran.out);
    assert!(std::fs::read(&output).unwrap() == content(length));
    let ranges: Vec<String> =
        server.seen()[1..].iter().map(|seen| seen.header("range").to_string()).collect();
    assert_eq!(ranges, ["bytes=0-4194303", "bytes=4194304-8388607", "bytes=8388608-12582911"]);
    assert_eq!(server.seen()[1].line, "GET /api/connectors/con_1/messages/m1/attachments/0.1");
}

#[test]
fn an_empty_one_is_an_empty_file() {
    let folder = Folder::new();
    let output = folder.path("empty");
    get(&serving(0, |_, reply| reply), &output).ended(0);
    assert_eq!(std::fs::read(&output).unwrap(), b"");
}

#[test]
fn a_file_that_is_there_is_kept() {
    let folder = Folder::new();
    let output = folder.file("a.bin", "mine");
    let ran = get(&serving(10, |_, reply| reply), &output).ended(1);
    assert!(ran.err.contains("is kept"), "{}", ran.err);
    assert_eq!(std::fs::read(&output).unwrap(), b"mine");
}

#[test]
fn a_wrong_part_leaves_no_partial_file() {
    let wrongs: [fn(usize, Reply) -> Reply; 5] = [
        |nth, reply| if nth == 2 { Reply::problem(503, "unavailable") } else { reply },
        |nth, reply| {
            if nth == 2 {
                Reply::new(206, "x").header("content-range", "bytes 0-0/8388608")
            } else {
                reply
            }
        },
        |nth, reply| if nth == 2 { Reply::new(200, "x") } else { reply },
        |nth, reply| {
            if nth == 2 {
                Reply::new(206, "").header("content-range", "bytes 4194304-4194303/8388608")
            } else {
                reply
            }
        },
        |_, _| Reply::new(206, "x").header("content-range", "bytes 0-99/100"),
    ];
    for (number, wrong) in wrongs.into_iter().enumerate() {
        let folder = Folder::new();
        get(&serving(2 * PART, wrong), &folder.path("a.bin")).ended(1);
        assert!(!folder.holds("a.bin"), "wrong answer {number}");
    }
}

#[test]
fn a_part_that_is_not_there_is_not_found() {
    let (server, folder) = (serving(10, |_, reply| reply), Folder::new());
    let output = folder.path("a.bin");
    let ran = server.run(&["attachments", "get", "con_1", "m1", "9", "-o", &output]).ended(3);
    assert!(ran.err.contains("no attachment in part 9"), "{}", ran.err);
    assert!(!folder.holds("a.bin"));
}

#[test]
fn standard_output_takes_the_bytes_alone() {
    assert_eq!(get(&serving(5, |_, reply| reply), "-").ended(0).out.as_bytes(), content(5));
}

#[test]
fn a_large_file_is_uploaded_before_its_mail_is_sent() {
    let (bytes, folder) = (content(PART), Folder::new());
    let file = folder.path("scans.zip");
    std::fs::write(&file, &bytes).unwrap();
    let server = Server::answering(|seen: &Seen| match seen.line.split(' ').next() {
        Some("PUT") => Reply::new(200, ""),
        _ if seen.line.ends_with("/uploads") => Reply::json(
            json!({"upload_id": "019b", "url": format!("http://{}/put?signed", seen.header("host"))}),
        ),
        _ => Reply::json(json!({"id": "m1", "thread_id": "m1", "label_ids": ["SENT"]})),
    });
    server.run(&["messages", "send", "con_1", "--to", "a@b.example", "--attach", &file]).ended(0);
    let seen = server.seen();
    let lines: Vec<&str> = seen.iter().map(|seen| seen.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "POST /api/connectors/con_1/uploads",
            "PUT /put?signed",
            "POST /api/connectors/con_1/messages"
        ]
    );
    assert_eq!(seen[0].json(), json!({"size": bytes.len()}));
    assert!(seen[1].body == bytes && seen[1].header("authorization").is_empty());
    let attached =
        json!([{"filename": "scans.zip", "mime_type": "application/zip", "upload_id": "019b"}]);
    assert_eq!(seen[2].json()["attachments"], attached);
}
