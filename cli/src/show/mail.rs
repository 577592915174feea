//! Messages, threads, labels, drafts and attachments.

use serde_json::Value;

use super::table::{Columns, fields, table};
use super::{at, clean, list};

const MESSAGES: &Columns = &[
    ("ID", "/id"),
    ("TIME", "/timestamp"),
    ("FROM", "/from"),
    ("SUBJECT", "/subject"),
    ("LABELS", "/label_ids"),
    ("FILES", "/has_attachments"),
];
const IDS: &Columns = &[("ID", "/id"), ("THREAD", "/thread_id")];
const ATTACHMENTS: &Columns = &[
    ("PART", "/part_id"),
    ("NAME", "/filename"),
    ("TYPE", "/mime_type"),
    ("BYTES", "/size"),
    ("INLINE", "/inline"),
];

pub fn messages(answer: &Value) -> String {
    let only_ids =
        list(answer, "messages").first().is_some_and(|message| message.get("timestamp").is_none());
    table(answer, "messages", if only_ids { IDS } else { MESSAGES })
}

pub fn message(message: &Value) -> String {
    let head = fields(
        message,
        &[
            ("id", "/id"),
            ("thread", "/thread_id"),
            ("time", "/timestamp"),
            ("from", "/from"),
            ("authentication", "/authentication"),
            ("to", "/to"),
            ("cc", "/cc"),
            ("bcc", "/bcc"),
            ("reply to", "/reply_to"),
            ("subject", "/subject"),
            ("labels", "/label_ids"),
            ("message id", "/headers/message_id"),
            ("bytes", "/metadata/size_estimate"),
            ("snippet", "/snippet"),
        ],
    );
    let whole = |pointer: &str| message.pointer(pointer).and_then(Value::as_str).map(clean);
    let body = whole("/body/text").or_else(|| whole("/body/html")).or_else(|| whole("/raw"));
    let files = (!list(message, "attachments").is_empty())
        .then(|| table(message, "attachments", ATTACHMENTS));
    [Some(head), body, files].into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

pub fn attachments(answer: &Value) -> String {
    table(answer, "attachments", ATTACHMENTS)
}

pub fn threads(answer: &Value) -> String {
    table(answer, "threads", &[("ID", "/id"), ("HISTORY", "/history_id"), ("SNIPPET", "/snippet")])
}

pub fn thread(thread: &Value) -> String {
    let messages = list(thread, "messages").iter().map(message).collect::<Vec<_>>();
    [vec![fields(thread, &[("thread", "/id"), ("history id", "/history_id")])], messages]
        .concat()
        .join("\n\n---\n\n")
}

pub fn labels(answer: &Value) -> String {
    let columns: &Columns = &[
        ("ID", "/id"),
        ("NAME", "/name"),
        ("TYPE", "/type"),
        ("IN THE LIST", "/label_list_visibility"),
        ("ON MESSAGES", "/message_list_visibility"),
    ];
    table(answer, "labels", columns)
}

pub fn label(label: &Value) -> String {
    fields(
        label,
        &[
            ("id", "/id"),
            ("name", "/name"),
            ("type", "/type"),
            ("in the list", "/label_list_visibility"),
            ("on messages", "/message_list_visibility"),
            ("messages", "/messages_total"),
            ("unread messages", "/messages_unread"),
            ("threads", "/threads_total"),
            ("unread threads", "/threads_unread"),
            ("text colour", "/color/text_color"),
            ("background", "/color/background_color"),
        ],
    )
}

pub fn drafts(answer: &Value) -> String {
    table(
        answer,
        "drafts",
        &[("ID", "/id"), ("MESSAGE", "/message/id"), ("THREAD", "/message/thread_id")],
    )
}

pub fn draft(draft: &Value) -> String {
    let inner = draft.get("message").map(message).unwrap_or_default();
    format!("draft {}\n{inner}", at(draft, "/id"))
}

/// What is left of a message, thread or draft after something was done with it.
pub fn changed(answer: &Value) -> String {
    fields(
        answer,
        &[
            ("id", "/id"),
            ("thread", "/thread_id"),
            ("labels", "/label_ids"),
            ("message", "/message/id"),
            ("deleted", "/deleted"),
            ("how", "/how"),
            ("modified", "/modified"),
        ],
    )
}
