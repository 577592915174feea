"""The functions' logs, from the emulator's CloudWatch Logs."""

from collections import Counter
from datetime import datetime, timezone

from deploy import client
from lifecycle import read
from lines import lines_of
from settings import LOGS, STATE
from terminal import Failure
from web import serves

# CloudWatch's own bound.
MOST_AT_ONCE = 10_000
FRAME = ("START RequestId", "END RequestId", "REPORT RequestId")


def groups(state: dict):
    """The name of each log group, and its events in the order of time. A group at a time: each call of a function may
    have a stream of its own, and there are thousands."""
    logs = client("logs", state["aws_endpoint"])
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            yield group["logGroupName"], events(logs, group["logGroupName"])


def events(logs, group: str):
    """The emulator gives no token for the next page: what follows is asked for by its time."""
    since, told = 0, Counter()
    while True:
        page = logs.filter_log_events(logGroupName=group, startTime=since)["events"]
        # What was told already comes first, all of it of one millisecond.
        again, new = told.copy(), []
        for event in page:
            if again[key := (event["logStreamName"], event["message"])] and event["timestamp"] == since:
                again[key] -= 1
            else:
                new.append(event)
        yield from new
        if len(page) < MOST_AT_ONCE:
            return
        if not new:
            raise Failure(f"{group} has more events of one millisecond than an answer holds")
        since = page[-1]["timestamp"]
        told = Counter((event["logStreamName"], event["message"]) for event in page if event["timestamp"] == since)


def collect(state: dict, last: int = 200) -> list[str]:
    """The last lines of all functions in the order of time."""
    all_events = [
        (event["timestamp"], name.rsplit("/", 1)[-1].removesuffix("LogGroup"), event["message"])
        for name, events in groups(state)
        for event in events
    ]
    lines = [
        f"{datetime.fromtimestamp(at / 1000, timezone.utc):%H:%M:%S.%f}"[:-3] + f"  {who:<17} {line}"
        for at, who, message in sorted(all_events, key=lambda event: event[0])
        for line in lines_of(message)
        if not line.startswith(FRAME)
    ]
    return lines[-last:]


def save(state: dict, last: int = 200):
    """Writes the lines to a file beside the other logs; returns its path."""
    file = LOGS / "functions.log"
    file.write_text("\n".join(collect(state, last)) + "\n")
    return file


def keep() -> None:
    """Saves all lines of a stack that is about to end; does nothing if it never came up."""
    state = read(STATE)
    if state and serves(f"{state['aws_endpoint']}/_ministack/ready"):
        save(state, 0)
