"""Judgements of differences that are of one kind: whose value is right, and why."""

import email
import email.policy
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.errors import MissingHeaderBodySeparatorDefect

import mail_python
from mail_compared import BODIES, FLAGS, Difference

PEOPLE = ("from", "to", "cc", "reply_to")
IDS = ("message_id", "in_reply_to", "references", "reply: in_reply_to", "reply: references")
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Rule:
    """Judges the differences for which it `holds`."""

    name: str
    right: str
    why: str
    holds: Callable[[Difference], bool]


def only(parser: str, difference: Difference) -> bool:
    """Whether that parser differs and the other agrees with the product; of answers only Python judges."""
    return difference.others.keys() == {parser} and bool(difference.same or difference.field.startswith("reply: "))


def names_differ(difference: Difference, parser: str, how: Callable[[str | None, str | None, str], bool]) -> bool:
    """Whether only that parser differs, in names alone, and each in this way: the product's, the parser's, the address."""
    if difference.field not in PEOPLE or not only(parser, difference):
        return False
    others = difference.others[parser]
    if [address for _, address in others] != [address for _, address in difference.product]:
        return False
    return all(own == other or how(own, other, address) for (own, address), (other, _) in zip(difference.product, others))


def comment_as_name(difference: Difference) -> bool:
    return names_differ(difference, "python", lambda own, other, _: other is None and f"({own})".encode() in difference.raw)


def address_as_name(difference: Difference) -> bool:
    return names_differ(difference, "mailparser", lambda own, other, address: other is None and own == address)


def two_addresses_in_one(difference: Difference) -> bool:
    named = difference.field in PEOPLE and any("@" in (name or "") for name, _ in difference.product)
    return only("python", difference) and named


def no_address(difference: Difference) -> bool:
    if difference.field not in PEOPLE:
        return False
    with_one = ([one for one in other if "@" in (one[1] or "")] for other in difference.others.values())
    return all(other == difference.product for other in with_one)


def utf7(difference: Difference) -> bool:
    return difference.field in ("subject", *PEOPLE, *BODIES) and b"utf-7" in difference.raw.lower() and len(difference.others) == 1


def not_of_the_charset(difference: Difference) -> bool:
    """Whether the parsers mark letters as unknown, and all that is ASCII is the same."""
    values = [str(other) for other in difference.others.values()]
    same = all(ascii_of(value) == ascii_of(str(difference.product)) for value in values)
    return same and all(UNKNOWN in value for value in values) and not only("python", difference)


def ascii_of(text: str) -> str:
    return text.encode("ascii", "ignore").decode()


def python_gives_up(difference: Difference) -> bool:
    return only("python", difference) and UNKNOWN in str(difference.others["python"])


def charset_twice(difference: Difference) -> bool:
    """Whether the product read the UTF-8 of what Python has by another charset."""
    if "python" not in difference.others:
        return False
    try:
        twice = str(difference.product).encode("windows-1252").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return False
    return twice == str(difference.others["python"])


def id_without_at(difference: Difference) -> bool:
    """Whether the product has all ids but those."""
    if difference.field not in IDS:
        return False
    own, others = ids(difference.product), [ids(other) for other in difference.others.values()]
    return all(own == [one for one in other if "@" in one] and own != other for other in others)


def ids(value) -> list[str]:
    text = value if isinstance(value, list) else re.findall(r"<[^<>\s]+>", str(value)) or str(value or "").split()
    return list(text)


def line_break_of_mailparser(difference: Difference) -> bool:
    if difference.field != "html" or not only("mailparser", difference) or not difference.product:
        return False
    without = re.sub(r"\s*<br/>\s*", " ", str(difference.others["mailparser"])).strip()
    return without == re.sub(r"\s*<br/>\s*", " ", difference.product).strip()


def shown_by_mailparser(difference: Difference) -> bool:
    if not only("mailparser", difference):
        return False
    other = difference.others["mailparser"]
    if difference.field in ("text", "html"):
        return isinstance(other, str) and other.startswith(difference.product or "")
    if difference.field == "attachments":
        return other < difference.product
    return difference.field in FLAGS and difference.product is True and other is False


def flag_lacks(difference: Difference) -> bool:
    """Whether there are only attachments without a name; metadata shows no parts, so there it may be any."""
    if difference.field not in FLAGS or difference.product is not False or not all(other is True for other in difference.others.values()):
        return False
    unnamed = all(not one["filename"] for one in attached(difference))
    return unnamed or difference.field == "has_attachments metadata"


def flag_of_what_is_shown(difference: Difference) -> bool:
    """Whether both parsers see nothing but pictures of the HTML, or nothing in a multipart/mixed."""
    both = difference.field in FLAGS and difference.product is True and len(difference.others) == 2
    return both and bool(attached(difference))


def any_multipart(difference: Difference) -> bool:
    """The metadata has the mail's own headers alone, and its Content-Type was taken for an attachment."""
    both = difference.product is True and len(difference.others) == 2
    return difference.field == "has_attachments metadata" and both and b"multipart/" in difference.raw.lower()


def attached(difference: Difference) -> list[dict]:
    return mail_python.attachments(email.message_from_bytes(difference.raw, policy=email.policy.default))


def broken_header(difference: Difference) -> bool:
    if not only("python", difference):
        return False
    mail = email.message_from_bytes(difference.raw, policy=email.policy.default)
    return any(isinstance(defect, MissingHeaderBodySeparatorDefect) for defect in mail.defects)


def inline_by_content_id(difference: Difference) -> bool:
    """Of each attachment that differs, the product alone says inline."""
    if difference.field != "inline":
        return False
    pairs = [pair for other in difference.others.values() for pair in zip(difference.product, other) if pair[0] != pair[1]]
    return b"content-id" in difference.raw.lower() and all(pair == (True, False) for pair in pairs)


def type_by_name(difference: Difference) -> bool:
    if difference.field != "mime types" or not only("mailparser", difference):
        return False
    return all(own == other or own == "application/octet-stream" for own, other in zip(difference.product, difference.others["mailparser"]))


def uuencoded(difference: Difference) -> bool:
    return difference.field == "contents" and only("python", difference) and b"uuencode" in difference.raw.lower()


RULES = [
    Rule("comment as name", "product", "a comment behind an address is the old way to write a name", comment_as_name),
    Rule("address as name", "product", "a name that repeats the address is still a name", address_as_name),
    Rule("two addresses in one", "product", "one address in front of another's brackets is a name without quotes", two_addresses_in_one),
    Rule("no address", "nobody", "a mailbox without an address: the product lists only whom one can write to", no_address),
    Rule("utf-7", "nobody", "UTF-7, which browsers have given up, is decoded by some and left by others", utf7),
    Rule("not of the charset", "nobody", "bytes of no charset, or not of the one that is declared: each guesses, and Gmail's guess is not known", not_of_the_charset),
    Rule("python gives up", "product", "bytes that Python's codec refuses and the others read", python_gives_up),
    Rule("charset twice", "parser", "an encoded word with letters outside ASCII: the product takes their UTF-8 for the word's charset", charset_twice),
    Rule("id without @", "parser", "an id without @, which RFC 5322 does not allow and mailers thread by: the product drops it", id_without_at),
    Rule("line break of mailparser", "product", "mailparser puts a line break for a text between pieces of HTML", line_break_of_mailparser),
    Rule("shown by mailparser", "product", "mailparser shows as text what the others attach: a mail within the mail, a text with a file name", shown_by_mailparser),
    Rule("broken header", "product", "Python begins the body at a header line that is none; the others pass over it", broken_header),
    Rule("flag lacks", "parser", "an attachment does not count: one without a name, or one that Gmail's metadata does not show", flag_lacks),
    Rule("any multipart", "parser", "in the metadata any multipart/mixed counts as an attachment", any_multipart),
    Rule("flag of what is shown", "parser", "what the HTML shows, or a part without content, counts as an attachment", flag_of_what_is_shown),
    Rule("inline by content id", "nobody", "a part with a Content-ID and no disposition: the product says inline, the parsers do not", inline_by_content_id),
    Rule("type by name", "product", "mailparser makes a type of the file name where the mail has application/octet-stream", type_by_name),
    Rule("uuencoded", "nobody", "x-uuencode, which is no encoding of MIME: Python decodes it, the others leave it", uuencoded),
]
