"""Checks that no event came twice on the stacks of a test run, even after its test ended."""

import json
import re
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from lines import json_lines, lines_of
from settings import CALLS, COLLECTED, LOCAL, LOGS
from terminal import Failure, say

# Owners whose processor was killed between publishing and marking; their events are published again.
KILLED = "killed-"


def check(stacks: list[str], parameters: str) -> None:
    in_progress = int(re.search(r"ProcessorTimeout=(\d+)", parameters)[1])
    wrong = [found for name in stacks for found in doubled(LOCAL / name, in_progress)]
    if wrong:
        raise Failure(f"came twice: {', '.join(wrong)}")


def doubled(folder: Path, in_progress: int) -> list[str]:
    """The events that came twice and may not. Whoever finds an event unmarked `in_progress` seconds after it was decided
    publishes the same bytes again, and so it may come twice, never sooner, where its first publisher was stopped, had no
    answer of the bus or of the table, or was slower than that."""
    messages = json_lines(folder / COLLECTED.name)
    events = [(message["at"], json.loads(message["body"])) for message in messages if message["of"] == "agent_run_queue"]
    # Other messages are markers of tests, which are strings.
    fired = [(at, event) for at, event in events if isinstance(event, dict)]
    copies = defaultdict(list)
    for at, event in fired:
        copies[event["owner_id"], event["event_id"]].append((at - decided(event), json.dumps(event)))
    twice = {event: came for event, came in copies.items() if len(came) > 1}
    unanswered, stopped = abandoned(folder / CALLS.name), timed_out(folder / LOGS.name)
    say(f"  {folder.name}: {len(fired)} events of {len({owner for owner, _ in copies})} owners, {len(twice)} came twice, "
        f"{unanswered} publications or marks were not answered in time, {stopped} invocations were stopped")
    if not fired:
        raise Failure(f"no event was collected on the stack {folder.name}")

    def may_repeat(owner: str, came: list[tuple[float, str]]) -> bool:
        (first, bytes_of_first), *others = sorted(came)
        same = all(bytes == bytes_of_first for _, bytes in others)
        late = all(after >= in_progress for after, _ in others)
        return same and late and (unanswered + stopped > 0 or first >= in_progress or owner.startswith(KILLED))

    wrong = [event for event, came in twice.items() if not may_repeat(event[0], came)]
    return sorted(f"{' '.join(event)} ({', '.join(f'{after:.1f} s' for after, _ in copies[event])} after its decision)" for event in wrong)


def decided(event: dict) -> float:
    return datetime.fromisoformat(event["fired_at"]).timestamp()


def abandoned(calls: Path) -> int:
    """How often a function gave up waiting for the bus, or for the table to mark what it published."""
    given_up = {("PutEvents", None), ("TransactWriteItems", None)}
    return sum(1 for call in json_lines(calls) if (call["action"], call["status"]) in given_up)


def timed_out(logs: Path) -> int:
    """How often the emulator ended an invocation of the processor at the function's own timeout."""
    lines = lines_of((logs / "ministack.log").read_text(errors="replace"))
    return sum(1 for line in lines if "HistoryProcessorFunction" in line and "Task timed out" in line)
