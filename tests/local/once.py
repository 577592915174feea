"""No event came twice on the stack whose tests ran side by side, long after each of them had looked."""

import json
from collections import Counter

from settings import COLLECTED
from terminal import Failure, say

# Whom the tests kill the processor under: what it had published and not marked is published again, in the same bytes.
KILLED = "killed-"


def check() -> None:
    messages = [json.loads(line) for line in COLLECTED.read_text().splitlines()]
    bodies = {message["body"] for message in messages if message["of"] == "agent_run_queue"}
    events = [json.loads(message["body"]) for message in messages if message["of"] == "agent_run_queue"]
    fired = [event for event in events if isinstance(event, dict)]
    ids = Counter(event["event_id"] for event in fired if not event["owner_id"].startswith(KILLED))
    distinct = {json.loads(body)["event_id"] for body in bodies if body.startswith("{")}
    say(f"{len(fired)} events of {len({event['owner_id'] for event in fired})} owners, {len(distinct)} different ones")
    if twice := [event for event, times in ids.items() if times > 1]:
        raise Failure(f"came twice: {', '.join(sorted(twice))}")
    if len(distinct) < len({event["event_id"] for event in fired}) or len([body for body in bodies if body.startswith("{")]) != len(distinct):
        raise Failure("a repeat came in other bytes")
    if not ids:
        raise Failure("no event was collected")
