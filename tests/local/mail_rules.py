"""Judgements of differences that are of one kind: whose value is right, and why."""

import email
import email.policy
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.errors import MissingHeaderBodySeparatorDefect, NoBoundaryInMultipartDefect, StartBoundaryNotFoundDefect

from mail_answers import own_parts
from mail_compared import BODIES, FLAGS, Difference

PEOPLE = ("from", "to", "cc", "reply_to")
# What a forward passes on: the fake takes a mail apart for the product, and here the product does it by itself.
PASSED_ON = ("forward: text", "forward: quoted", "forward: files")
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
    return difference.others.keys() == {parser} and bool(difference.same or ": " in difference.field)


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
    """Whether all whom one can write to are the same, and in each that differs there is somebody else."""
    if difference.field not in PEOPLE:
        return False
    every = [difference.product, *difference.others.values()]
    return all(addressed(people) == addressed(difference.product) for people in every)


def addressed(people: list) -> list:
    return [one for one in people if "@" in (one[1] or "")]


def letters_in_a_word(difference: Difference) -> bool:
    """Whether an encoded word has a letter outside ASCII as it is, and the product lacks those."""
    raw = re.search(rb"=\?[\w-]+\?[qb]\?[^?\s]*[\x80-\xff]", difference.raw, re.IGNORECASE)
    return difference.field in ("subject", *PEOPLE) and raw is not None and str(difference.product).isascii()


def utf7(difference: Difference) -> bool:
    return difference.field in ("subject", *PEOPLE, *BODIES, "forward: quoted") and b"utf-7" in difference.raw.lower() and len(difference.others) == 1


def not_of_the_charset(difference: Difference) -> bool:
    """Whether the parsers mark letters as unknown, and all that is ASCII is the same."""
    values = [str(other) for other in difference.others.values()]
    same = all(ascii_of(value) == ascii_of(str(difference.product)) for value in values)
    return same and all(UNKNOWN in value for value in values) and not only("python", difference)


def ascii_of(text: str) -> str:
    return text.encode("ascii", "ignore").decode()


def python_gives_up(difference: Difference) -> bool:
    return only("python", difference) and ": " not in difference.field and UNKNOWN in str(difference.others["python"])


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


def broken_header(difference: Difference) -> bool:
    return only("python", difference) and ": " not in difference.field and has_defect(difference, MissingHeaderBodySeparatorDefect)


def headers_end(difference: Difference) -> bool:
    alone = only("mailparser", difference) and difference.field in ("text", "html", "reply_to", "attachments", *FLAGS)
    return (alone or difference.field in PASSED_ON) and has_defect(difference, MissingHeaderBodySeparatorDefect)


def no_parts(difference: Difference) -> bool:
    found = difference.field in ("text", "attachments", *FLAGS, *PASSED_ON)
    return found and has_defect(difference, NoBoundaryInMultipartDefect, StartBoundaryNotFoundDefect)


def has_defect(difference: Difference, *defects: type) -> bool:
    """Of the mail or of a part of it: those of a mail that is attached are its own."""
    mail = email.message_from_bytes(difference.raw, policy=email.policy.default)
    return any(isinstance(defect, defects) for part in own_parts(mail) for defect in part.defects)


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
    return difference.field in ("contents", "forward: files") and only("python", difference) and b"uuencode" in difference.raw.lower()


RULES = [
    Rule("comment as name", "product", "a comment behind an address is the old way to write a name", comment_as_name),
    Rule("address as name", "product", "a name that repeats the address is still a name", address_as_name),
    Rule("two addresses in one", "product", "one address in front of another's brackets is a name without quotes", two_addresses_in_one),
    Rule("no address", "nobody", "a mailbox without an address, to which nobody can write: each shows what stands there in its own way", no_address),
    Rule("utf-7", "nobody", "UTF-7, which browsers have given up, is decoded by some and left by others", utf7),
    Rule("not of the charset", "nobody", "bytes of no charset, or not of the one that is declared: each guesses, and Gmail's guess is not known", not_of_the_charset),
    Rule("python gives up", "product", "bytes that Python's codec refuses and the others read", python_gives_up),
    Rule("letters in a word", "parser", "raw letters within an encoded word: the fake drops them", letters_in_a_word),
    Rule("line break of mailparser", "product", "mailparser puts a line break for a text between pieces of HTML", line_break_of_mailparser),
    Rule("shown by mailparser", "product", "mailparser shows as text what the others attach: a mail within the mail, a text with a file name", shown_by_mailparser),
    Rule("broken header", "product", "Python begins the body at a header line that is none; the others pass over it", broken_header),
    Rule("headers end", "nobody", "a header line that is none: the fake and Python begin the body there, mailparser and a forward pass over it", headers_end),
    Rule("no parts", "nobody", "a multipart whose boundary never comes: each has something else of it, or nothing", no_parts),
    Rule("inline by content id", "nobody", "a part with a Content-ID and no disposition: the product says inline, the parsers do not", inline_by_content_id),
    Rule("type by name", "product", "mailparser makes a type of the file name where the mail has application/octet-stream", type_by_name),
    Rule("uuencoded", "nobody", "x-uuencode, which is no encoding of MIME: Python decodes it, the others leave it", uuencoded),
]
