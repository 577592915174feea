"""No event came twice on the stack whose tests ran side by side, also long after the test that looked for it."""

import json
from collections import Counter

from settings import COLLECTED
from terminal import Failure, say


def check() -> None:
    messages = [json.loads(line) for line in COLLECTED.read_text().splitlines()]
    events = [json.loads(message["body"]) for message in messages if message["of"] == "agent_run_queue"]
    # The rest are markers of tests, which are texts.
    fired = [event for event in events if isinstance(event, dict)]
    times = Counter((event["owner_id"], event["event_id"]) for event in fired)
    say(f"{len(fired)} events of {len({event['owner_id'] for event in fired})} owners")
    if twice := sorted(" ".join(event) for event, count in times.items() if count > 1):
        raise Failure(f"came twice: {', '.join(twice)}")
    if not fired:
        raise Failure("no event was collected")
