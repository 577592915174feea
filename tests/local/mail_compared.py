"""Compares what the product reads of many mails with two independent parsers, field by field.

Every difference is judged: by a rule (`mail_rules.py`) or on its own (tests/mail-corpus/judged.json). A difference that
nobody judged is a failure, and so is a judgement or a rule that nothing needs any more."""

import hashlib
import json
import platform
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import mail_answers
import mail_python
from lines import lines_of
from mail_corpus import COMMITTED, NODE_MODULES
from terminal import Failure, say
from tools import node

JUDGED = COMMITTED / "judged.json"
HEADERS = ("subject", "from", "to", "cc", "reply_to", "message_id", "in_reply_to", "references")
BODIES = ("text", "html")
# Of the attachments, in their order, where there are equally many.
OF_EACH = {"filename": "filenames", "mime_type": "mime types", "sha256": "contents", "inline": "inline"}
FLAGS = ("has_attachments full", "has_attachments metadata", "has_attachments event")
# Whose value is right: a parser's that differs from the product's, or nobody's: where no rule says, it is a choice.
RIGHTS = ("product", "parser", "nobody")
SHOWN = 60


@dataclass
class Difference:
    """A field of a mail that the product reads in another way than at least one parser."""

    mail: str
    field: str
    product: object
    # The values of the parsers that differ from it, and of those that do not.
    others: dict[str, object]
    same: list[str]
    raw: bytes = field(repr=False)

    def against(self) -> str:
        return " and ".join(sorted(self.others))

    def values(self) -> str:
        """Tells whether the values are those that were judged."""
        value = json.dumps([self.product, self.others], sort_keys=True)
        return hashlib.sha256(value.encode()).hexdigest()[:12]


@dataclass
class Compared:
    mails: int = 0
    fields: int = 0
    events: int = 0
    # Fields at which a parser itself broke.
    broken: Counter = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


def by_mailparser(folder: Path) -> dict[str, dict]:
    program, _ = node()
    command = [program, str(COMMITTED / "read.mjs"), str(NODE_MODULES.parent), str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode != 0:
        raise Failure(f"mailparser: {ran.stderr.strip()[-2000:]}")
    return {read.pop("mail"): read for read in map(json.loads, lines_of(ran.stdout))}


def compare(folder: Path, products: list[dict]) -> Compared:
    compared, mailparser = Compared(), by_mailparser(folder)
    for read in products:
        raw = (folder / read["mail"]).read_bytes()
        parsed = {"python": mail_python.read(raw), "mailparser": mailparser[read["mail"]]}
        compared.mails += 1
        compared.events += read["event"] is not None
        values = {parser: normal(value) for parser, value in parsed.items()}
        for name, product in (own := of_product(read)).items():
            compare_field(compared, read["mail"], name, product, values, raw)
        for answer, made in read["answers"].items():
            for name, (written, expected) in mail_answers.fields(answer, raw, made, values | {"product": own}).items():
                compare_field(compared, read["mail"], f"{answer}: {name}", written, {"python": {f"{answer}: {name}": expected}}, raw)
    return compared


def compare_field(compared: Compared, mail: str, name: str, product, values: dict[str, dict], raw: bytes) -> None:
    expected = {parser: value.get("flag" if name in FLAGS else name) for parser, value in values.items()}
    for parser in [parser for parser, value in expected.items() if is_failed(value)]:
        compared.broken[parser] += 1
        del expected[parser]
    # Counted differently, attachments cannot be compared one by one: their number is the difference.
    comparable = {parser: value for parser, value in expected.items() if not (name in OF_EACH.values() and len(value) != len(product))}
    if name == "contents":
        # What a parser does not keep it cannot tell.
        comparable = {parser: [one or own for one, own in zip(value, product)] for parser, value in comparable.items()}
    compared.fields += len(comparable)
    others = {parser: value for parser, value in comparable.items() if value != product}
    if others:
        compared.differences.append(Difference(mail, name, product, others, sorted(comparable.keys() - others.keys()), raw))


def is_failed(value) -> bool:
    return isinstance(value, dict) and "failed" in value


def of_product(read: dict) -> dict:
    """The fields of the product's answers, as `normal` gives those of a parser."""
    full = read["full"]
    if "status" in full:
        return {"readable": f"{full['status']} {full['problem']}"}
    headers, body = full["headers"], full.get("body") or {}
    attachments = [one | {"sha256": read["contents"][one["part_id"]]} for one in own_files(full)]
    people = {name: [mailbox(one) for one in full[name]] for name in ("to", "cc", "reply_to")}
    fields = {"readable": True, "subject": full.get("subject"), "from": [mailbox(full["from"])] if full.get("from") else [], **people}
    fields |= {name: headers.get(name) for name in ("message_id", "in_reply_to", "references")}
    if body.get("text_from_html"):
        body = body | {"text": None}
    fields |= {name: body.get(name) for name in BODIES} | {"attachments": attachments}
    flags = {name: has_attachments(read[name.split(" ")[1]]) for name in FLAGS}
    del (same := normal(fields))["flag"]
    return same | {name: flag for name, flag in flags.items() if flag is not None}


def own_files(full: dict) -> list[dict]:
    """The parsers list what the HTML shows among the others, and do not enter a mail within the mail."""
    files = full["attachments"] + full.get("embedded", [])
    mails = [one["part_id"] for one in files if one["mime_type"].startswith("message/")]
    inside = tuple("" if mail == "root" else f"{mail}." for mail in mails)
    own = [one for one in files if one["part_id"] == "root" or not one["part_id"].startswith(inside)]
    return sorted(own, key=lambda one: [int(number) for number in one["part_id"].split(".") if number != "root"])


def has_attachments(message: dict | None):
    """`None` if there is no such message: nothing fired."""
    return None if message is None else message.get("has_attachments", message.get("status"))


def mailbox(address: dict) -> list:
    return [address.get("name"), address["address"]]


def normal(read: dict) -> dict:
    """With white space, empty fields and the order of keys out of the way."""
    if is_failed(read):
        return {name: read for name in ("readable", *HEADERS, *BODIES, "attachments", *OF_EACH.values(), "flag")}
    normal = {"readable": True}
    for name in ("subject", "message_id", "in_reply_to", "references", *BODIES):
        normal[name] = read[name] if is_failed(read[name]) else squeezed(read[name])
    for name in ("from", "to", "cc", "reply_to"):
        all_of = read[name]
        normal[name] = all_of if is_failed(all_of) else [[squeezed(person), squeezed(address)] for person, address in all_of if person or address]
    attachments = read["attachments"]
    if is_failed(attachments):
        return normal | {name: attachments for name in ("attachments", *OF_EACH.values(), "flag")}
    normal["attachments"] = len(attachments)
    for key, name in OF_EACH.items():
        normal[name] = [squeezed(one[key]) if key == "filename" else one[key] for one in attachments]
    return normal | {"flag": any(not is_shown(one, read["html"]) for one in attachments)}


def is_shown(attachment: dict, html) -> bool:
    """Whether the HTML shows it, as a logo, or it is the footer of a mailing list."""
    content_id = (attachment.get("content_id") or "").strip("<>")
    if content_id and isinstance(html, str) and f"cid:{content_id}" in html:
        return True
    return attachment["mime_type"] == "text/plain" and attachment["inline"] and not attachment["filename"]


def squeezed(text: str | None) -> str | None:
    return re.sub(r"[\s\0]+", " ", text).strip() or None if text is not None else None


def judge(compared: Compared, rules: list) -> None:
    """Raises unless every difference is judged, and every judgement needed."""
    judged = json.loads(JUDGED.read_text())
    same_python = judged["python"] == platform.python_version()
    alone = {(one["mail"], one["field"]): one for one in judged["differences"]}
    needed, used, verdicts, open_ones = set(), Counter(), Counter(), []
    for difference in compared.differences:
        rule = next((rule for rule in rules if rule.holds(difference)), None)
        one = alone.get((difference.mail, difference.field))
        if rule:
            used[rule.name] += 1
            verdicts[difference.field, rule.right] += 1
        elif one and (one["values"] == difference.values() or not same_python) and one["right"] in RIGHTS:
            needed.add((difference.mail, difference.field))
            verdicts[difference.field, one["right"]] += 1
        elif same_python or difference.others.keys() != {"python"}:
            open_ones.append(difference)
    table(compared, verdicts, used, rules, open_ones)
    stale = [one for key, one in alone.items() if key not in needed and not any((d.mail, d.field) == key for d in open_ones)]
    # Another Python may read some mails in another way.
    stale = [one for one in stale if same_python or one["against"] != "python"]
    idle = [rule.name for rule in rules if not used[rule.name]]
    whole = compared.mails >= judged["mails"]
    if not whole:
        stale, idle = [], []
    for difference in open_ones[:SHOWN]:
        say(f"not judged: {shown(difference)}")
    for one in stale:
        say(f"judged, but no longer so: {one['mail']}: {one['field']}")
    for name in idle:
        say(f"a rule that nothing needs: {name}")
    if whole and compared.events != judged["fired"]:
        raise Failure(f"{compared.events} mails fired a trigger without filters, and {judged['fired']} did when they were judged")
    if open_ones or stale or idle:
        raise Failure(f"{len(open_ones)} differences are not judged, {len(stale)} judgements and {len(idle)} rules are not needed")


def write_open(compared: Compared, rules: list) -> None:
    """Writes judged.json anew: what was judged and still occurs is kept, the rest waits for a judgement."""
    before = json.loads(JUDGED.read_text()) if JUDGED.exists() else {"differences": []}
    known = {(one["mail"], one["field"], one["values"]): one for one in before["differences"]}
    differences = []
    for difference in compared.differences:
        if not any(rule.holds(difference) for rule in rules):
            new = {"mail": difference.mail, "field": difference.field, "against": difference.against(), "values": difference.values()}
            differences.append(known.get((difference.mail, difference.field, difference.values()), new | {"right": "?", "why": "?"}))
    lines = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in differences)
    JUDGED.write_text(f'{{\n "python": "{platform.python_version()}",\n "mails": {compared.mails},\n "fired": {compared.events},\n "differences": [\n{lines}\n ]\n}}\n')


def table(compared: Compared, verdicts: Counter, used: Counter, rules: list, open_ones: list[Difference]) -> None:
    say(f"{compared.mails} mails, {compared.events} of them fired; {compared.fields} comparisons of fields, {len(compared.differences)} differences")
    say(f"fields at which a parser itself breaks: {', '.join(f'{count} {parser}' for parser, count in sorted(compared.broken.items())) or 'none'}\n")
    columns = ("python", "mailparser", "mailparser and python", "product", "parser", "nobody", "open")
    say("| field | differs from python | from mailparser | from both | judged for the product | for a parser | a choice | not judged |")
    say("|---|---|---|---|---|---|---|---|")
    against = Counter((difference.field, difference.against()) for difference in compared.differences)
    open_fields = Counter(difference.field for difference in open_ones)
    sums = Counter()
    for name in sorted({difference.field for difference in compared.differences}):
        row = {column: against[name, column] for column in columns[:3]}
        row |= {right: verdicts[name, right] for right in RIGHTS} | {"open": open_fields[name]}
        sums.update(row)
        say(f"| {name} | " + " | ".join(str(row[column]) for column in columns) + " |")
    say("| all | " + " | ".join(str(sums[column]) for column in columns) + " |\n")
    for rule in rules:
        if used[rule.name]:
            say(f"  {used[rule.name]:4}  {'right: the ' + rule.right if rule.right != 'nobody' else 'a choice'}: {rule.why}")


def shown(difference: Difference) -> str:
    values = {"product": difference.product, **difference.others}
    return f"{difference.mail}: {difference.field}\n" + "\n".join(f"    {name:10} {str(value)[:300]}" for name, value in values.items())
