"""Checks the drafts that answer the mails: recipients, threading, subject, text and form, as Python's `email` reads them.

What an answer should have is worked out here from the mail itself, by RFC 5322, section 3.6."""

import base64
import email
import email.policy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import mail_python

MESSAGE_ID = re.compile(r"<[^<>\s]+>")
# RFC 5322, section 2.1.1, without the line end.
LONGEST_LINE = 998
# The product's own bound: between the first and the last, references may be left out.
LONGEST_REFERENCES = 4000
# What tests/src/bin/read-mails.rs writes into each answer.
SAID = "Thänk yöu, спасибо, ありがとう. . From here on: far far"
PEOPLE = ("from", "to", "cc", "reply_to")
IDS = ("message_id", "in_reply_to", "references")
BODIES = {"text": "text/plain", "html": "text/html"}
# A 400 that names who cannot be written to.
REFUSED = "refused"


@dataclass(frozen=True)
class Kind:
    """How an answer follows from the mail: whom it goes to beside whom the request names, and what its subject begins with."""

    to_sender: bool = True
    # Headers of the mail whose mailboxes get it too.
    to_all_of: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    prefix: str = "Re:"
    is_threaded: bool = True
    # Whether the mail's own text and files are in it.
    passes_on: bool = False

    def headers(self, original) -> list[str]:
        sender = ["reply_to" if original["reply_to"] else "from"] if self.to_sender else []
        return [*sender, *self.to_all_of]

    def recipients(self, original) -> list[str] | str:
        """Nobody may be left out in silence: if one cannot be addressed, or there is none at all, it is refused."""
        people = [person for header in self.headers(original) for person in original[header]]
        if any(not is_addressed(person) for person in people):
            return REFUSED
        return sorted({*self.named, *(as_sent(address) for _, address in people)}) or REFUSED

    def bodies(self, original) -> set[str]:
        """Which the answer has at least. What has no text but HTML may be passed on as HTML alone."""
        in_html = self.passes_on and bool(original["html"])
        return {"html"} if in_html and not original["text"] else {"text", "html"} if in_html else {"text"}


# By the names that tests/src/bin/read-mails.rs gives them.
KINDS = {
    "reply": Kind(),
    "reply_all": Kind(to_all_of=("to", "cc")),
    "forward": Kind(to_sender=False, named=("next@example.com",), prefix="Fwd:", is_threaded=False, passes_on=True),
}


class ByPython:
    """The fields of a mail that an answer follows from."""

    def __init__(self, raw: bytes):
        self.mail = email.message_from_bytes(raw, policy=email.policy.default)

    def __getitem__(self, name: str):
        if name in PEOPLE:
            return [person for person in mail_python.mailboxes(self.mail, name.replace("_", "-")) if any(person)]
        if name in BODIES:
            return squeezed(mail_python.texts(self.mail, BODIES[name]))
        value = self.mail[name.replace("_", "-")]
        return squeezed(value) if name == "subject" else ids(value)


class ByProduct:
    """The same, as the product reads what it reads in another way: that is a difference by itself, and judged there."""

    def __init__(self, original: ByPython, values: dict[str, dict]):
        self.original, self.values = original, values

    def __getitem__(self, name: str):
        by_python, by_product = (self.values[parser].get(name) for parser in ("python", "product"))
        if by_product == by_python or name not in self.values["product"]:
            return self.original[name]
        return ids(by_product) if name in IDS else by_product or ""


def fields(name: str, raw: bytes, answer, values: dict[str, dict]) -> dict[str, tuple]:
    """What was written and what it should be, by field. `values` are the mail's fields as Python and the product read them."""
    kind, original = KINDS[name], ByPython(raw)
    readings = [original, ByProduct(original, values)]

    def compared(written, expected) -> tuple:
        every = [mail_python.tried(lambda: expected(reading)) for reading in readings]
        return written, written if written in every else every[0]

    if isinstance(answer, dict):
        return {"recipients": compared(refusal(answer), kind.recipients)}
    written = base64.b64decode(answer)
    draft = email.message_from_bytes(written, policy=email.policy.default)
    subject, bodies = squeezed(draft["subject"]), {name: body for name in BODIES if (body := body_of(draft, name)) is not None}
    # Whom it names twice, it has twice.
    people = sorted(as_sent(address) for header in ("to", "cc") for _, address in mail_python.mailboxes(draft, header))
    said = {name: SAID in squeezed(body.replace("<br>", " ")) for name, body in bodies.items()}
    found = {
        "recipients": compared(people, kind.recipients),
        "subject": compared(subject, lambda original: answered(original["subject"], subject, kind.prefix)),
        "text": compared(said, lambda original: dict.fromkeys(bodies.keys() | kind.bodies(original), True)),
        "form": (malformed(written, draft), []),
    }
    if kind.is_threaded:
        found["in_reply_to"] = compared(ids(draft["in-reply-to"]), lambda original: original["message_id"][:1])
        found["references"] = compared(ids(draft["references"]), lambda original: references(original, ids(draft["references"])))
    if kind.passes_on:
        found["quoted"] = compared(True, lambda original: all(original[name] in body for name, body in bodies.items()))
        found["files"] = passed_on(files(draft), mail_python.tried(lambda: files(original.mail)))
    return found


def refusal(answer: dict) -> str:
    problem = answer["problem"]
    if not isinstance(problem, dict):
        return f"{answer['status']} {problem}"
    if answer["status"] == 400 and problem.get("field") == "to":
        return REFUSED
    return f"{answer['status']} {problem.get('field', '')} {problem.get('detail', '')}"


def is_addressed(person: list) -> bool:
    """Whether one can write to them: to letters that are not ASCII in front of the @ not every server can."""
    local, at, domain = (person[1] or "").rpartition("@")
    return bool(local and at and domain) and local.isascii()


def body_of(draft, name: str) -> str | None:
    body = draft.get_body((BODIES[name].removeprefix("text/"),))
    return None if body is None else squeezed(body.get_content())


def as_sent(address: str) -> str:
    """With the domain as it is sent: in lower case, and in ASCII."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode().lower()}"
    except UnicodeError:
        return f"{local}@{domain.lower()}"


def ids(value) -> list[str]:
    return MESSAGE_ID.findall(str(value or ""))


def references(original, written: list[str]) -> list[str]:
    """The original's references, or else the one mail that it answers, and itself."""
    # Which is how section 3.6.4 has it: more than one id in In-Reply-To tells nothing.
    before = original["references"] or (original["in_reply_to"] if len(original["in_reply_to"]) == 1 else [])
    expected = before + original["message_id"][:1]
    if len(" ".join(expected)) > LONGEST_REFERENCES and written[:1] == expected[:1]:
        expected = expected[:1] + expected[len(expected) - len(written) + 1 :]
    return expected


def answered(original: str, written: str, prefix: str) -> str:
    """The subject that was written if it is the original's with one prefix, or what it should be."""
    expected = original if original.lower().startswith(prefix.lower()) else f"{prefix} {original}".strip()
    cut_short = len(written.encode()) > LONGEST_LINE - 10 and expected.startswith(written.rstrip("…. "))
    return written if cut_short else expected


def files(mail) -> list[list[str]]:
    """The type, the content and the name of each attachment, in any order."""
    parts = [part for part in mail_python.leaves(mail) if not mail_python.is_body(part)]
    return sorted([part.get_content_type(), content(part), squeezed(part.get_filename())] for part in parts)


def passed_on(written: list[list[str]], expected) -> tuple:
    """One that had no name has got one."""
    if isinstance(expected, list) and len(written) == len(expected):
        written = [one if name else [*one[:2], ""] for one, (*_, name) in zip(written, expected)]
    return written, expected


def content(part) -> str:
    """Of a mail, whose bytes this parser does not keep, the words."""
    whole = part.get_payload(decode=True)
    if whole is None:
        whole = b"\n".join(one.as_bytes(policy=email.policy.compat32) for one in part.get_payload())
        if str(part.get("content-transfer-encoding", "")).strip().lower() == "base64":
            whole = base64.b64decode(whole)
        whole = b" ".join(whole.split())
    return hashlib.sha256(whole).hexdigest()[:12]


def squeezed(text) -> str:
    return " ".join(str(text or "").split())


def malformed(written: bytes, draft) -> list[str]:
    """Of the mail itself: what a mail that is passed on as a file has inside is its own."""
    found = []
    if re.search(rb"\r(?!\n)|(?<!\r)\n|\0", written):
        found.append("a bare CR, a bare LF or NUL")
    if any(len(line) > LONGEST_LINE for line in written.split(b"\r\n")):
        found.append(f"a line of over {LONGEST_LINE} bytes")
    if not written.isascii() and squeezed(draft["content-transfer-encoding"]).lower() not in ("8bit", "binary"):
        found.append("bytes that are not ASCII, in a mail that says nothing of it")
    parts = list(own_parts(draft))
    found += sorted({type(defect).__name__ for part in parts for defect in part.defects})
    found += sorted({f"{name}: {type(defect).__name__}" for part in parts for name, value in part.items() for defect in value.defects})
    return found


def own_parts(part) -> Iterator:
    yield part
    if part.get_content_maintype() == "multipart":
        for inner in part.iter_parts():
            yield from own_parts(inner)
