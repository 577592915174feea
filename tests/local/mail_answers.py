"""Checks the drafts that answer the mails: recipients, threading, subject, text and form, as Python's `email` reads them.

What an answer should have is worked out here from the mail itself, by RFC 5322, section 3.6."""

import base64
import email
import email.policy
import re
from dataclasses import dataclass

import mail_python

MESSAGE_ID = re.compile(r"<[^<>\s]+>")
# RFC 5322, section 2.1.1, without the line end.
LONGEST_LINE = 998
# The product's own bound: between the first and the last, references may be left out.
LONGEST_REFERENCES = 4000
# What tests/src/bin/read-mails.rs writes into each answer.
SAID = "Thänk yöu, спасибо, ありがとう. . From here on: far far"


@dataclass(frozen=True)
class Kind:
    """How an answer follows from the mail: whom it goes to beside whom the request names, and what its subject begins with."""

    to_sender: bool = True
    # Headers of the mail whose mailboxes get it too.
    to_all_of: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    prefix: str = "Re:"
    is_threaded: bool = True

    def recipients(self, mail) -> set[str]:
        sender = (addresses(mail, "reply-to") or addresses(mail, "from")) if self.to_sender else set()
        return sender.union(self.named, *(addresses(mail, header) for header in self.to_all_of))


# By the names that tests/src/bin/read-mails.rs gives them.
KINDS = {
    "reply": Kind(),
    "reply_all": Kind(to_all_of=("to", "cc")),
    "forward": Kind(to_sender=False, named=("next@example.com",), prefix="Fwd:", is_threaded=False),
}


def fields(name: str, raw: bytes, answer) -> dict[str, tuple]:
    """What was written and what it should be, by field."""
    kind, original = KINDS[name], email.message_from_bytes(raw, policy=email.policy.default)
    recipients = mail_python.tried(lambda: sorted(kind.recipients(original)))
    if isinstance(answer, dict):
        # Refused, which is right if there is nobody to answer.
        problem = answer["problem"]
        refused = f"{answer['status']} {problem.get('field', '')} {problem.get('detail', '')}" if isinstance(problem, dict) else str(problem)
        return {"recipients": (refused, recipients)} if recipients else {}
    written = base64.b64decode(answer)
    draft = email.message_from_bytes(written, policy=email.policy.default)
    text, subject = draft.get_body(("plain",)), squeezed(draft["subject"])
    threading = {"in_reply_to": (ids(draft, "in-reply-to"), ids(original, "message-id")[:1]), "references": references(original, draft)}
    return (threading if kind.is_threaded else {}) | {
        "recipients": (sorted(addresses(draft, "to") | addresses(draft, "cc")), recipients),
        "subject": (subject, answered(squeezed(original["subject"]), subject, kind.prefix)),
        "text": (SAID in " ".join(text.get_content().split()) if text else False, True),
        "form": (malformed(written, draft), []),
    }


def addresses(mail, name: str) -> set[str]:
    """With domains as they are sent: in lower case, and in ASCII."""
    found = (address for _, address in mail_python.mailboxes(mail, name) if "@" in address)
    return {as_sent(address) for address in found}


def as_sent(address: str) -> str:
    local, domain = address.rsplit("@", 1)
    try:
        return f"{local}@{domain.encode('idna').decode().lower()}"
    except UnicodeError:
        return f"{local}@{domain.lower()}"


def ids(mail, name: str) -> list[str]:
    return MESSAGE_ID.findall(str(mail.get(name, "")))


def references(original, draft) -> tuple[list[str], list[str]]:
    """The original's references, or else the one mail that it answers, and itself."""
    # Which is how section 3.6.4 has it: more than one id in In-Reply-To tells nothing.
    before = ids(original, "references") or [one for one in [ids(original, "in-reply-to")] if len(one) == 1 for one in one]
    expected, written = before + ids(original, "message-id")[:1], ids(draft, "references")
    if len(" ".join(expected)) > LONGEST_REFERENCES and written[:1] == expected[:1]:
        expected = expected[:1] + expected[len(expected) - len(written) + 1 :]
    return written, expected


def answered(original: str, written: str, prefix: str) -> str:
    """The subject that was written if it is the original's with one prefix, or what it should be."""
    expected = original if original.lower().startswith(prefix.lower()) else f"{prefix} {original}".strip()
    cut_short = len(written.encode()) > LONGEST_LINE - 10 and expected.startswith(written.rstrip("…. "))
    return written if cut_short else expected


def squeezed(text) -> str:
    return " ".join(str(text or "").split())


def malformed(written: bytes, draft) -> list[str]:
    found = []
    if re.search(rb"\r(?!\n)|(?<!\r)\n|\0", written):
        found.append("a bare CR, a bare LF or NUL")
    if any(len(line) > LONGEST_LINE for line in written.split(b"\r\n")):
        found.append(f"a line of over {LONGEST_LINE} bytes")
    if not written.isascii():
        found.append("bytes that are not ASCII, in a mail that says nothing of it")
    parts = list(draft.walk())
    found += sorted({type(defect).__name__ for part in parts for defect in part.defects})
    found += sorted({f"{name}: {type(defect).__name__}" for part in parts for name, value in part.items() for defect in value.defects})
    return found
