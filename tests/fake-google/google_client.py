#!/usr/bin/env python3
"""Drives the fake Google with Google's own client library: google_client.py URL

The client is built from the discovery document that it carries, so what it sends and how it reads answers is Google's own word.
Every method that the connector uses is called, and the answers are compared with what Gmail documents.
"""

import base64
import io
import json
import sys
import urllib.parse
import urllib.request
from email.message import EmailMessage

from google.oauth2.credentials import Credentials
from googleapiclient import discovery_cache
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest, MediaIoBaseUpload

EMAIL = "ada@example.com"
SCOPES = ["openid", "email", "https://mail.google.com/"]
# What the connector calls; a test of the library's own holds its table against the same document.
WANTED = {
    "users.getProfile", "users.watch", "users.stop", "users.history.list",
    *(f"users.messages.{name}" for name in ("list", "get", "send", "modify", "trash", "untrash", "delete", "batchModify", "batchDelete")),
    "users.messages.attachments.get",
    *(f"users.threads.{name}" for name in ("list", "get", "modify", "trash", "untrash", "delete")),
    *(f"users.labels.{name}" for name in ("list", "get", "create", "update", "patch", "delete")),
    *(f"users.drafts.{name}" for name in ("list", "get", "create", "update", "send", "delete")),
}
called = set()


def main(url: str) -> None:
    admin(url, "mailboxes", {"email": EMAIL})
    gmail = client(url, SCOPES)
    profile_and_watch(gmail)
    messages(gmail, url)
    sending(gmail)
    uploading(gmail)
    threads(gmail)
    labels(gmail)
    drafts(gmail)
    history(gmail)
    batch(gmail, url)
    refusals(gmail, url)
    missing = WANTED - called
    assert not missing, f"never called: {sorted(missing)}"
    violations = json.load(urllib.request.urlopen(f"{url}/admin/violations"))
    assert violations == [], violations
    print(f"Google's client and the fake agree on {len(called)} methods")


def admin(url: str, path: str, body: dict):
    request = urllib.request.Request(f"{url}/admin/{path}", json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as response:
        text = response.read()
    return json.loads(text) if text else None


def client(url: str, scopes: list[str]):
    """By the way every application goes: a code, exchanged for tokens."""
    code = admin(url, "codes", {"email": EMAIL, "scopes": scopes})["code"]
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": "postmessage",
        "client_id": "local-client.apps.googleusercontent.com", "client_secret": "local-secret",
    }
    data = "&".join(f"{name}={urllib.parse.quote(value)}" for name, value in form.items()).encode()
    with urllib.request.urlopen(f"{url}/token", data) as response:
        granted = json.load(response)
    document = json.loads(discovery_cache.get_static_doc("gmail", "v1"))
    document["rootUrl"] = f"{url}/"
    document.pop("mtlsRootUrl", None)
    credentials = Credentials(granted["access_token"])
    return build_from_document(document, credentials=credentials, client_options={"api_endpoint": url})


def run(request):
    """Executes, and notes which method it was."""
    called.add(request.methodId.removeprefix("gmail."))
    return request.execute()


def refused(request, status: int, reason: str) -> None:
    called.add(request.methodId.removeprefix("gmail."))
    try:
        request.execute()
    except HttpError as error:
        details = json.loads(error.content)["error"]
        assert (error.resp.status, details["errors"][0]["reason"]) == (status, reason), error
        return
    raise AssertionError(f"{request.methodId} was not refused")


def raw(mail: EmailMessage) -> str:
    return base64.urlsafe_b64encode(mail.as_bytes()).decode()


def written(subject: str, text: str, to: str = "bo@example.com") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = EMAIL, to, subject
    mail.set_content(text)
    return mail


def profile_and_watch(gmail) -> None:
    users = gmail.users()
    profile = run(users.getProfile(userId="me"))
    assert profile["emailAddress"] == EMAIL and int(profile["historyId"]) > 0
    watch = run(users.watch(userId="me", body={"topicName": "projects/p/topics/t"}))
    assert int(watch["expiration"]) > 0 and int(watch["historyId"]) > 0
    assert run(users.stop(userId="me")) == ""


def messages(gmail, url: str) -> None:
    users = gmail.users().messages()
    mail = {"subject": "Mail {n}", "text": "hello", "count": 7, "attachment": {"filename": "a.pdf", "mime_type": "application/pdf", "size": 300}}
    made = [one["id"] for one in admin(url, f"mailboxes/{EMAIL}/messages", mail)]
    found, request = [], users.list(userId="me", maxResults=3, q="subject:Mail has:attachment")
    while request is not None:
        answer = run(request)
        found += [one["id"] for one in answer["messages"]]
        request = users.list_next(request, answer)
    assert found == made[::-1], found
    full = run(users.get(userId="me", id=made[0]))
    attachment = full["payload"]["parts"][1]
    assert attachment["filename"] == "a.pdf" and base64.urlsafe_b64decode(full["payload"]["parts"][0]["body"]["data"]) == b"hello"
    data = run(users.attachments().get(userId="me", messageId=made[0], id=attachment["body"]["attachmentId"]))
    assert len(base64.urlsafe_b64decode(data["data"])) == data["size"] == 300
    again = run(users.get(userId="me", id=made[0]))["payload"]["parts"][1]["body"]["attachmentId"]
    assert again != attachment["body"]["attachmentId"], "an attachment's id is another one at each reading"
    assert "payload" not in run(users.get(userId="me", id=made[0], format="minimal"))
    assert run(users.get(userId="me", id=made[0], format="metadata", metadataHeaders=["Subject"]))["payload"]["headers"][0]["name"] == "Subject"
    assert b"Subject: Mail 1" in base64.urlsafe_b64decode(run(users.get(userId="me", id=made[0], format="raw"))["raw"])
    changed = run(users.modify(userId="me", id=made[0], body={"addLabelIds": ["STARRED"], "removeLabelIds": ["UNREAD"]}))
    assert set(changed["labelIds"]) == {"INBOX", "STARRED"}
    assert "TRASH" in run(users.trash(userId="me", id=made[0]))["labelIds"]
    assert "TRASH" not in run(users.untrash(userId="me", id=made[0])).get("labelIds", [])
    assert run(users.batchModify(userId="me", body={"ids": made, "addLabelIds": ["IMPORTANT"]})) == ""
    assert len(run(users.list(userId="me", labelIds=["IMPORTANT"]))["messages"]) == 7
    assert run(users.delete(userId="me", id=made[0])) == ""
    assert run(users.batchDelete(userId="me", body={"ids": made[1:3]})) == ""
    assert len(run(users.list(userId="me", labelIds=["IMPORTANT"]))["messages"]) == 4
    refused(users.get(userId="me", id=made[0]), 404, "notFound")
    refused(users.get(userId="me", id="not hexadecimal"), 400, "invalidArgument")
    refused(users.modify(userId="me", id=made[4], body={"addLabelIds": ["SENT"]}), 400, "invalidArgument")


def sending(gmail) -> None:
    users = gmail.users().messages()
    sent = run(users.send(userId="me", body={"raw": raw(written("Hello", "Grüße"))}))
    assert sent["labelIds"] == ["SENT"] and sent["threadId"] == sent["id"]
    full = run(users.get(userId="me", id=sent["id"]))
    assert "Grüße" in base64.urlsafe_b64decode(full["payload"]["body"]["data"]).decode()
    id_header = "<1@example.com>"
    first = written("Thread", "one", EMAIL)
    first["Message-ID"] = id_header
    first = run(users.send(userId="me", body={"raw": raw(first)}))
    answer = written("Re: Thread", "two", EMAIL)
    answer["In-Reply-To"] = answer["References"] = id_header
    joined = run(users.send(userId="me", body={"raw": raw(answer), "threadId": first["threadId"]}))
    assert joined["threadId"] == first["threadId"]
    stranger = run(users.send(userId="me", body={"raw": raw(written("Another", "three", EMAIL)), "threadId": first["threadId"]}))
    assert stranger["threadId"] != first["threadId"], "without subject and reference a mail does not join"
    assert len(run(users.list(userId="me", q="in:inbox subject:Thread"))["messages"]) == 2, "what is sent to oneself arrives"
    refused(users.send(userId="me", body={"raw": raw(written("x", "x", ""))}), 400, "invalidArgument")


def uploading(gmail) -> None:
    """A mail that goes up in chunks, as Google's client cuts them."""
    users = gmail.users()
    mail = written("Uploaded", "x" * 800_000)
    chunks = 0
    for method, body in ((users.messages().send, {}), (users.drafts().create, {"message": {}})):
        media = MediaIoBaseUpload(io.BytesIO(mail.as_bytes()), mimetype="message/rfc822", chunksize=256 * 1024, resumable=True)
        request, answer = method(userId="me", body=body, media_body=media), None
        while answer is None:
            _, answer = request.next_chunk()
            chunks += 1
        message = answer.get("message", answer)
        raw_back = run(users.messages().get(userId="me", id=message["id"], format="raw"))["raw"]
        if "message" in answer:
            run(users.drafts().delete(userId="me", id=answer["id"]))
        assert base64.urlsafe_b64decode(raw_back).replace(b"\r\n", b"\n") == mail.as_bytes().replace(b"\r\n", b"\n")
    assert chunks == 8, chunks


def threads(gmail) -> None:
    users = gmail.users().threads()
    listed, request = [], users.list(userId="me", maxResults=2)
    while request is not None:
        answer = run(request)
        listed += [one["id"] for one in answer["threads"]]
        request = users.list_next(request, answer)
    assert len(listed) == len(set(listed)) > 4
    thread = run(users.list(userId="me", q="in:sent subject:Thread"))["threads"][0]["id"]
    messages = run(users.get(userId="me", id=thread))["messages"]
    assert len(messages) == 2 and int(messages[0]["internalDate"]) <= int(messages[1]["internalDate"])
    run(users.modify(userId="me", id=thread, body={"addLabelIds": ["STARRED"]}))
    run(users.trash(userId="me", id=thread))
    assert all("TRASH" in one["labelIds"] for one in run(users.get(userId="me", id=thread, format="minimal"))["messages"])
    run(users.untrash(userId="me", id=thread))
    assert run(users.delete(userId="me", id=thread)) == ""
    refused(users.get(userId="me", id=thread), 404, "notFound")


def labels(gmail) -> None:
    users = gmail.users().labels()
    made = run(users.create(userId="me", body={"name": "Invoices", "labelListVisibility": "labelShow"}))
    assert made["id"].startswith("Label_") and made["name"] == "Invoices"
    refused(users.create(userId="me", body={"name": "invoices"}), 409, "aborted")
    refused(users.create(userId="me", body={"name": "INBOX"}), 400, "invalidArgument")
    assert run(users.patch(userId="me", id=made["id"], body={"name": "Bills"}))["name"] == "Bills"
    assert run(users.update(userId="me", id=made["id"], body={"name": "Bills 2026", "id": made["id"]}))["name"] == "Bills 2026"
    message = run(gmail.users().messages().list(userId="me", maxResults=1))["messages"][0]["id"]
    run(gmail.users().messages().modify(userId="me", id=message, body={"addLabelIds": [made["id"]]}))
    counted = run(users.get(userId="me", id=made["id"]))
    assert (counted["messagesTotal"], counted["threadsTotal"]) == (1, 1)
    assert {"INBOX", made["id"]} <= {one["id"] for one in run(users.list(userId="me"))["labels"]}
    assert run(users.delete(userId="me", id=made["id"])) == ""
    assert made["id"] not in run(gmail.users().messages().get(userId="me", id=message, format="minimal")).get("labelIds", [])


def drafts(gmail) -> None:
    users = gmail.users().drafts()
    made = run(users.create(userId="me", body={"message": {"raw": raw(written("Draft", "one"))}}))
    changed = run(users.update(userId="me", id=made["id"], body={"message": {"raw": raw(written("Draft", "two"))}}))
    assert changed["id"] == made["id"] and changed["message"]["id"] != made["message"]["id"]
    read = run(users.get(userId="me", id=made["id"]))
    assert read["message"]["labelIds"] == ["DRAFT"] and b"two" in base64.urlsafe_b64decode(read["message"]["payload"]["body"]["data"])
    assert [one["id"] for one in run(users.list(userId="me"))["drafts"]] == [made["id"]]
    assert run(users.send(userId="me", body={"id": made["id"]}))["labelIds"] == ["SENT"]
    refused(users.get(userId="me", id=made["id"]), 404, "notFound")
    other = run(users.create(userId="me", body={"message": {"raw": raw(written("Draft", "three"))}}))
    assert run(users.delete(userId="me", id=other["id"])) == ""


def history(gmail) -> None:
    users = gmail.users()
    before = run(users.getProfile(userId="me"))["historyId"]
    run(users.messages().send(userId="me", body={"raw": raw(written("News", "x", EMAIL))}))
    records = run(users.history().list(userId="me", startHistoryId=before, historyTypes=["messageAdded", "labelAdded"]))["history"]
    assert sum(len(record.get("messagesAdded", [])) for record in records) == 2, "one in SENT, one in INBOX"
    refused(users.history().list(userId="me", startHistoryId="1"), 404, "notFound")


def batch(gmail, url: str) -> None:
    listed = run(gmail.users().messages().list(userId="me", maxResults=5))["messages"]
    answers = {}

    def take(number, answer, error):
        answers[number] = error.resp.status if error else answer["id"]

    many = BatchHttpRequest(callback=take, batch_uri=f"{url}/batch/gmail/v1")
    for one in [*(one["id"] for one in listed), "ffff"]:
        many.add(gmail.users().messages().get(userId="me", id=one, format="metadata"), request_id=one)
    many.execute()
    assert answers == {**{one["id"]: one["id"] for one in listed}, "ffff": 404}, answers


def refusals(gmail, url: str) -> None:
    narrow = client(url, ["openid", "email", "https://www.googleapis.com/auth/gmail.metadata"]).users()
    message = run(gmail.users().messages().list(userId="me", maxResults=1))["messages"][0]["id"]
    assert run(narrow.messages().get(userId="me", id=message, format="metadata"))["id"] == message
    refused(narrow.messages().get(userId="me", id=message, format="full"), 403, "forbidden")
    refused(narrow.messages().list(userId="me", q="x"), 403, "forbidden")
    refused(narrow.messages().delete(userId="me", id=message), 403, "insufficientPermissions")


if __name__ == "__main__":
    main(sys.argv[1])
