"""Checks that no event came twice on the stacks of a test run, even after its test ended."""

import json
from collections import defaultdict
from pathlib import Path

from lines import json_lines, lines_of
from settings import CALLS, COLLECTED, LOCAL, LOGS
from terminal import Failure, say

# Owners whose processor was killed between publishing and marking; their events are published again.
KILLED = "killed-"


def check(stacks: list[str]) -> None:
    wrong = [found for name in stacks for found in doubled(LOCAL / name)]
    if wrong:
        raise Failure(f"came twice: {', '.join(wrong)}")


def doubled(folder: Path) -> list[str]:
    messages = json_lines(folder / COLLECTED.name)
    events = [json.loads(message["body"]) for message in messages if message["of"] == "agent_run_queue"]
    # Other messages are markers of tests, which are strings.
    fired = [event for event in events if isinstance(event, dict)]
    forms = defaultdict(list)
    for event in fired:
        forms[event["owner_id"], event["event_id"]].append(json.dumps(event))
    twice = {event: bodies for event, bodies in forms.items() if len(bodies) > 1}
    unanswered, stopped = abandoned(folder / CALLS.name), timed_out(folder / LOGS.name)
    say(f"  {folder.name}: {len(fired)} events of {len({event['owner_id'] for event in fired})} owners, {len(twice)} came twice, "
        f"{unanswered} publications were not answered in time, {stopped} invocations were stopped")
    if not fired:
        raise Failure(f"no event was collected on the stack {folder.name}")
    # A processor that stopped between publishing and marking makes the next one publish the same bytes again.
    excused = unanswered + stopped > 0
    wrong = [event for event, bodies in twice.items() if len(set(bodies)) > 1 or not (excused or event[0].startswith(KILLED))]
    return sorted(" ".join(event) for event in wrong)


def abandoned(calls: Path) -> int:
    """How often a function gave up waiting for the bus, as on a busy machine."""
    return sum(1 for call in json_lines(calls) if (call["action"], call["status"]) == ("PutEvents", None))


def timed_out(logs: Path) -> int:
    """How often the emulator ended an invocation of the processor at the function's own timeout."""
    lines = lines_of((logs / "ministack.log").read_text(errors="replace"))
    return sum(1 for line in lines if "HistoryProcessorFunction" in line and "Task timed out" in line)
