//! One example of each body and answer that is worth one; a test checks them against their schemas.

use serde_json::{Value, json};

pub(super) fn body(name: &str) -> Option<Value> {
    Some(match name {
        "messages.send" => json!({
            "to": [{"name": "Bo", "address": "bo@example.com"}],
            "subject": "The invoice for May",
            "text": "It is attached.",
            "attachments": [{"filename": "may.txt", "mime_type": "text/plain", "content": "VG90YWw6IDcgRVVSCg=="}],
        }),
        "drafts.create" | "drafts.update" => {
            json!({"reply_to_message_id": "19b0000000000001", "text": "Thank you, I will look at it."})
        }
        "drafts.patch" => json!({"subject": "The invoice for June"}),
        "messages.modify" | "threads.modify" => {
            json!({"add_label_ids": ["STARRED"], "remove_label_ids": ["UNREAD"]})
        }
        "messages.batch_modify" => {
            json!({"ids": ["19b0000000000001", "19b0000000000002"], "remove_label_ids": ["UNREAD"]})
        }
        "messages.batch_delete" => json!({"ids": ["19b0000000000001"], "permanent": false}),
        "labels.create" => {
            json!({"name": "Invoices/2026", "color": {"text_color": "#ffffff", "background_color": "#16a765"}})
        }
        "labels.update" => json!({"name": "Invoices/2027"}),
        "uploads.create" => json!({"size": 25_165_824}),
        "connect" => json!({"auth_code": "4/0A..."}),
        "connect_sessions_open" => {
            json!({"origin": "https://app.example.com", "login_hint": "ada@example.com"})
        }
        "connectors_change" => json!({"paused": true}),
        "triggers_create" => json!({
            "type": "email",
            "agent_id": "billing-agent",
            "config": {"connector_id": "con_0190", "filters": {"subject_contains": ["invoice"], "has_attachment": true}},
        }),
        "triggers_change" => {
            json!({"config": {"filters": {"from_domain": ["shop.example"], "authenticated": true}}})
        }
        "triggers_fire" => json!({"order": 7}),
        _ => return None,
    })
}

pub(super) fn answer(name: &str) -> Option<Value> {
    let placed = |label: &str| json!({"id": "19b0000000000001", "thread_id": "19b0000000000001", "label_ids": [label]});
    let label = || json!({"id": "Label_7", "name": "Invoices/2026", "type": "user"});
    Some(match name {
        "messages.list" => json!({
            "messages": [message()],
            "next_page_token": "09876543210987654321",
            "result_size_estimate": 201,
        }),
        "messages.get" => message(),
        "messages.send" | "drafts.send" => placed("SENT"),
        "messages.modify" => placed("STARRED"),
        "messages.trash" => placed("TRASH"),
        "messages.untrash" => placed("INBOX"),
        "messages.delete" | "threads.delete" => {
            json!({"id": "19b0000000000001", "deleted": "trash"})
        }
        "messages.batch_modify" => json!({"count": 2}),
        "messages.batch_delete" => json!({"count": 1, "deleted": "trash"}),
        "attachments.list" => json!({
            "attachments": [attachment()],
            "embedded": [],
            "bodies": [{"part_id": "0", "filename": "", "mime_type": "text/plain", "size": 214, "inline": false}],
        }),
        "attachments.url" => json!({
            "url": "https://files.example.com/down/0f/con_0190/019b?X-Amz-Signature=fe5f",
            "expires_at": "2026-06-01T09:45:00.000Z",
            "size": 25_165_824,
            "mime_type": "application/pdf",
            "filename": "may.pdf",
        }),
        "uploads.create" => json!({
            "upload_id": "019b0000-0000-7000-8000-00000000001f",
            "method": "PUT",
            "url": "https://files.example.com/up/0f/con_0190/019b?X-Amz-Signature=fe5f",
            "headers": {"content-length": "25165824"},
            "expires_at": "2026-06-01T09:45:00.000Z",
        }),
        "threads.list" => {
            json!({"threads": [{"id": "19b0000000000001", "snippet": "It is attached.", "history_id": "4711"}], "result_size_estimate": 1})
        }
        "threads.get" => {
            json!({"id": "19b0000000000001", "history_id": "4711", "messages": [message()]})
        }
        "threads.modify" | "threads.trash" | "threads.untrash" => json!({"id": "19b0000000000001"}),
        "labels.list" => {
            json!({"labels": [{"id": "INBOX", "name": "INBOX", "type": "system"}, label()]})
        }
        "labels.get" => {
            json!({"id": "INBOX", "name": "INBOX", "type": "system", "messages_total": 12, "messages_unread": 3, "threads_total": 9, "threads_unread": 3})
        }
        "labels.create" | "labels.update" => label(),
        "drafts.list" => json!({"drafts": [draft()], "result_size_estimate": 1}),
        "drafts.create" | "drafts.update" | "drafts.patch" => draft(),
        "drafts.get" => json!({"id": "r-7", "message": message()}),
        "triggers_fire" => json!({"event_id": "evt_8eda594de71556bdb1d970662bc68251"}),
        "connect_sessions_open" => json!({
            "session_token": "cst_dXNlci0xNw.9Yf3",
            "url": "https://api.example.com/console/connect#session=cst_dXNlci0xNw.9Yf3",
            "expires_at": "2026-06-01T09:45:00.000Z",
        }),
        "connect_sessions_current" => json!({
            "origin": "https://app.example.com",
            "provider": "gmail",
            "connector": {"id": "con_0190", "email_address": "ada@example.com", "status": "needs_reauth"},
            "expires_at": "2026-06-01T09:45:00.000Z",
            "done": false,
        }),
        "me" => json!({
            "owner_id": "user-17",
            "role": "operator",
            "may": ["see", "connect", "operate", "fire", "read_mail"],
        }),
        "system_info" => json!({
            "name": "email-connectors",
            "version": "1.0.0",
            "app_public_url": "https://app.example.com",
            "callback_url": "https://app.example.com/auth/google/callback",
            "connector_types": ["email"],
            "providers": [{
                "id": "gmail",
                "name": "Gmail",
                "type": "email",
                "start": "/api/auth/google/gmail/start",
                "connect": "/api/auth/google/gmail",
            }, {
                "id": "outlook",
                "name": "Outlook",
                "type": "email",
                "start": "/api/auth/microsoft/outlook/start",
                "connect": "/api/auth/microsoft/outlook",
                "admin_consent": "/api/auth/microsoft/outlook/admin-consent",
            }],
        }),
        "triggers_firings" => json!({
            "firings": [{
                "event_id": "evt_8eda594de71556bdb1d970662bc68251",
                "connector_id": "con_0190",
                "decided_at": "2026-06-01T09:30:00.000Z",
                "detail_type": "TRIGGER_FIRED",
                "published": true,
                "message_id": "19b0000000000001",
            }],
        }),
        "connectors_health" => health(),
        "system_health" => json!({
            "status": "degraded",
            "checked_at": "2026-06-01T09:30:00.000Z",
            "checks": [
                {"name": "table", "status": "healthy", "detail": "the table answers", "remedy": null},
                {
                    "name": "dead_letters",
                    "status": "degraded",
                    "detail": "wake-ups were given up",
                    "remedy": "Find out what they died of, then: connectors replay dead-letters; see docs/operations.md#dead-letters",
                },
            ],
        }),
        "connectors_delete" => {
            json!({"watch_stopped": true, "grant_revoked": true, "data_purged": true})
        }
        _ => return None,
    })
}

fn health() -> Value {
    json!({
        "id": "con_0190",
        "email_address": "ada@example.com",
        "status": "down",
        "checked_at": "2026-06-01T09:30:00.000Z",
        "freshness": {
            "last_looked_at": "2026-06-01T09:29:10.000Z",
            "last_swept_at": null,
            "next_look_at": "2026-06-01T09:31:00.000Z",
            "last_event_at": "2026-06-01T08:00:00.000Z",
            "behind": false,
        },
        "watch": {
            "status": "active",
            "expiration": "2026-06-08T02:00:00.000Z",
            "renewed_at": "2026-06-01T02:00:00.000Z",
            "verified_at": "2026-06-01T02:00:01.000Z",
            "failure": null,
        },
        "auth": {
            "status": "active",
            "granted_at": "2026-05-01T10:00:00.000Z",
            "granted_scopes": ["openid", "https://www.googleapis.com/auth/gmail.modify"],
            "missing_scopes": [],
        },
        "circuit": {"state": "open", "failures": 5, "open_until": "2026-06-01T09:31:00.000Z"},
        "quota": {"units_per_minute": 6000, "spent": 12, "left": 5988},
        "backlog": {
            "unpublished_events": 0,
            "parked_messages": 0,
            "failing_messages": 0,
            "listing": false,
            "replaying": null,
            "put_off_until": "2026-06-01T09:31:00.000Z",
        },
        "triggers": 1,
        "paused": false,
        "last_error": "503 from Gmail",
        "findings": [{
            "code": "circuit_open",
            "severity": "down",
            "what": "Gmail failed 5 times in a row, and is not asked before 2026-06-01T09:31:00.000Z",
            "remedy": "Nothing, if it passes: the mailbox is tried again by itself, and nothing is lost.",
            "runbook": "docs/operations.md#circuit-open",
        }],
    })
}

fn message() -> Value {
    json!({
        "id": "19b0000000000001",
        "thread_id": "19b0000000000001",
        "subject": "The invoice for May",
        "from": {"name": "Ada", "address": "ada@example.com"},
        "authentication": {"spf": "pass", "dkim": "pass", "dmarc": "pass"},
        "to": [{"address": "bo@example.com"}],
        "cc": [],
        "reply_to": [],
        "timestamp": "2026-06-01T09:30:00.000Z",
        "snippet": "It is attached.",
        "body": {"text": "It is attached.\n"},
        "label_ids": ["INBOX", "UNREAD"],
        "has_attachments": true,
        "attachments": [attachment()],
        "headers": {"message_id": "<1@example.com>"},
        "metadata": {"history_id": "4711", "size_estimate": 2048},
    })
}

fn attachment() -> Value {
    json!({"part_id": "1", "filename": "may.pdf", "mime_type": "application/pdf", "size": 1024, "inline": false})
}

fn draft() -> Value {
    json!({"id": "r-7", "message": {"id": "19b0000000000002", "thread_id": "19b0000000000001"}})
}
