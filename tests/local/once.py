"""No event came twice on the stacks of a test run, also long after the test that looked for it."""

import json
from collections import defaultdict
from pathlib import Path

from lines import json_lines, lines_of
from settings import CALLS, COLLECTED, LOCAL, LOGS
from terminal import Failure, say

# Owners whose processor was killed between publishing and marking: theirs are published again.
KILLED = "killed-"


def check(stacks: list[str]) -> None:
    wrong = [found for name in stacks for found in doubled(LOCAL / name)]
    if wrong:
        raise Failure(f"came twice: {', '.join(wrong)}")


def doubled(folder: Path) -> list[str]:
    messages = json_lines(folder / COLLECTED.name)
    events = [json.loads(message["body"]) for message in messages if message["of"] == "agent_run_queue"]
    # The rest are markers of tests, which are texts.
    fired = [event for event in events if isinstance(event, dict)]
    forms = defaultdict(list)
    for event in fired:
        forms[event["owner_id"], event["event_id"]].append(json.dumps(event))
    twice = {event: bodies for event, bodies in forms.items() if len(bodies) > 1}
    unheard, stopped = abandoned(folder / CALLS.name), timed_out(folder / LOGS.name)
    say(f"  {folder.name}: {len(fired)} events of {len({event['owner_id'] for event in fired})} owners, {len(twice)} came twice, "
        f"{unheard} publications were not answered in time, {stopped} invocations were stopped")
    if not fired:
        raise Failure(f"no event was collected on the stack {folder.name}")
    # Who was stopped between publishing and marking leaves what the next one must publish again, in the same bytes.
    excused = unheard + stopped > 0
    wrong = [event for event, bodies in twice.items() if len(set(bodies)) > 1 or not (excused or event[0].startswith(KILLED))]
    return sorted(" ".join(event) for event in wrong)


def abandoned(calls: Path) -> int:
    """How often the bus was called by who did not wait for its answer: on a machine with much else to do."""
    return sum(1 for call in json_lines(calls) if (call["action"], call["status"]) == ("PutEvents", None))


def timed_out(logs: Path) -> int:
    """How often the emulator ended an invocation of the processor at the function's own timeout."""
    lines = lines_of((logs / "ministack.log").read_text(errors="replace"))
    return sum(1 for line in lines if "HistoryProcessorFunction" in line and "Task timed out" in line)
