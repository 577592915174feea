"""No event came twice on the stacks of a test run, also long after the test that looked for it."""

import json
from collections import Counter
from pathlib import Path

from settings import CALLS, COLLECTED, LOCAL
from terminal import Failure, say

# Owners whose processor was killed between publishing and marking: theirs are published again.
KILLED = "killed-"


def check(stacks: list[str]) -> None:
    wrong = [found for name in stacks for found in doubled(LOCAL / name)]
    if wrong:
        raise Failure(f"came twice: {', '.join(wrong)}")


def doubled(folder: Path) -> list[str]:
    messages = [json.loads(line) for line in (folder / COLLECTED.name).read_text().splitlines()]
    events = [json.loads(message["body"]) for message in messages if message["of"] == "agent_run_queue"]
    # The rest are markers of tests, which are texts.
    fired = [event for event in events if isinstance(event, dict)]
    times = Counter((event["owner_id"], event["event_id"]) for event in fired)
    twice = sorted(" ".join(event) for event, count in times.items() if count > 1 and not event[0].startswith(KILLED))
    unheard = abandoned(folder / CALLS.name)
    say(f"  {folder.name}: {len(fired)} events of {len({event['owner_id'] for event in fired})} owners, {len(twice)} came twice, "
        f"{unheard} publications were not answered in time")
    if not fired:
        raise Failure(f"no event was collected on the stack {folder.name}")
    # What was published and not answered is published again, as it must be.
    return [] if unheard else twice


def abandoned(calls: Path) -> int:
    """How often the bus was called by who did not wait for its answer: on a machine with much else to do."""
    recorded = (json.loads(line) for line in calls.read_text().splitlines())
    return sum(1 for call in recorded if (call["action"], call["status"]) == ("PutEvents", None))
