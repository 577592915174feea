"""Prints the security table: every case, with each of its rows."""

import json
import re
import shutil
from pathlib import Path

from settings import ROOT
from terminal import Failure, say

# Where each case is a test, `case_NN_…`, or with more digits.
CASES = ROOT / "tests" / "tests" / "security"
# The number of the search for planted secrets, which covers a whole run and so is not a test.
CANARIES = 29
WIDEST = 72


def clear(local: Path) -> None:
    """Deletes the results of an earlier run."""
    shutil.rmtree(local / "security", ignore_errors=True)
    (local / "canaries.json").unlink(missing_ok=True)


def table(local: Path) -> None:
    """Prints the table; raises if a row fails, a case did not end, or a case is missing."""
    cases = [read(local, number) for number in numbers()]
    for case in cases:
        say(f"\n{case['number']:>3}  {case['title']}")
        for row in case["rows"]:
            say(f"    {'pass' if row['pass'] else 'FAIL'}  {row['what']}: expected {short(row['expected'])}, got {short(row['got'])}")
    rows = [row for case in cases for row in case["rows"]]
    passing = sum(passes(case) for case in cases)
    say(f"\n{len(cases)} cases, {passing} pass; {len(rows)} rows, {sum(row['pass'] for row in rows)} pass")
    if passing < len(cases):
        raise Failure("not all pass: cases " + ", ".join(str(case["number"]) for case in cases if not passes(case)))


def numbers() -> list[int]:
    """The numbers of all cases."""
    written = [re.findall(r"^async fn case_(\d+)_", file.read_text(), re.MULTILINE) for file in CASES.glob("*.rs")]
    return sorted({CANARIES, *(int(number) for found in written for number in found)})


def passes(case: dict) -> bool:
    return case["ended"] and bool(case["rows"]) and all(row["pass"] for row in case["rows"])


def read(local: Path, number: int) -> dict:
    if number == CANARIES:
        return canaries(local / "canaries.json")
    file = local / "security" / f"{number:02}.json"
    if not file.exists():
        return missing(number, "not tried")
    case = json.loads(file.read_text())
    if not case["ended"]:
        case["rows"].append(row("the case itself", "an end", "it did not end", False))
    return case


def canaries(file: Path) -> dict:
    title = "planted secrets in answers, logs, events, queues and rows"
    if not file.exists():
        return missing(CANARIES, "not looked for", title)
    search = json.loads(file.read_text())
    looked = [row(f"looked at: {kind}", "at least 1", str(count), count > 0) for kind, count in sorted(search["looked_at"].items())]
    found = row("planted secrets found", "0", str(search["found"]), search["found"] == 0)
    return {"number": CANARIES, "title": title, "ended": True, "rows": [*looked, found]}


def missing(number: int, why: str, title: str = "missing") -> dict:
    return {"number": number, "title": title, "ended": False, "rows": [row("the case", "tried", why, False)]}


def row(what: str, expected: str, got: str, passes: bool) -> dict:
    return {"what": what, "expected": expected, "got": got, "pass": passes}


def short(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
