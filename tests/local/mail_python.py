"""Reads mail by Python's own `email` with `policy.default`: one of the two parsers that the product is compared with."""

import email
import email.policy
import hashlib
from collections.abc import Iterator
from email.message import EmailMessage

TEXTS = ("text/plain", "text/html")


def read(raw: bytes) -> dict:
    """The fields of a mail; one that this parser itself breaks at is {"failed": why}."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    fields = {
        "subject": lambda: first(mail, "subject"),
        "from": lambda: mailboxes(mail, "from")[:1],
        "to": lambda: mailboxes(mail, "to"),
        "cc": lambda: mailboxes(mail, "cc"),
        "reply_to": lambda: mailboxes(mail, "reply-to"),
        "message_id": lambda: first(mail, "message-id"),
        "in_reply_to": lambda: first(mail, "in-reply-to"),
        "references": lambda: first(mail, "references"),
        "text": lambda: texts(mail, "text/plain"),
        "html": lambda: texts(mail, "text/html"),
        "attachments": lambda: attachments(mail),
    }
    return {name: tried(field) for name, field in fields.items()}


def tried(field):
    # Known: this parser raises almost anything at a header or charset that is broken enough.
    try:
        return field()
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}


def first(mail: EmailMessage, name: str) -> str | None:
    value = mail[name]
    return None if value is None else text(value)


def text(value: str) -> str:
    """Bytes that are in no known charset, which this parser keeps as lone surrogates, become U+FFFD."""
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def mailboxes(mail: EmailMessage, name: str) -> list:
    """Of all headers of the name, groups taken apart."""
    headers = mail.get_all(name, [])
    found = [address for header in headers for address in header.addresses]
    # An empty path is "<>" here.
    return [[text(one.display_name), text(one.addr_spec) if one.addr_spec != "<>" else ""] for one in found]


def leaves(part: EmailMessage) -> Iterator[EmailMessage]:
    """The parts without sub-parts; a mail within the mail is one. A multipart whose boundary never comes has none."""
    if part.get_content_maintype() != "multipart":
        yield part
    elif part.is_multipart():
        for inner in part.iter_parts():
            yield from leaves(inner)


def is_body(part: EmailMessage) -> bool:
    return part.get_content_type() in TEXTS and not part.is_attachment() and not part.get_filename()


def texts(mail: EmailMessage, kind: str) -> str | None:
    found = [part.get_content() for part in leaves(mail) if is_body(part) and part.get_content_type() == kind]
    return text("\n".join(found)) if found else None


def attachments(mail: EmailMessage) -> list[dict]:
    return [attachment(part) for part in leaves(mail) if not is_body(part)]


def attachment(part: EmailMessage) -> dict:
    content = part.get_payload(decode=True)
    return {
        "filename": text(part.get_filename() or ""),
        "mime_type": part.get_content_type(),
        # Of a mail within the mail this parser does not keep the bytes.
        "sha256": None if content is None else hashlib.sha256(content).hexdigest(),
        "inline": part.get_content_disposition() == "inline",
        "content_id": str(part.get("content-id", "")).strip().strip("<>"),
    }
