"""The functions' logs, from the emulator's CloudWatch Logs."""

from datetime import datetime, timezone

from deploy import client
from lifecycle import read
from lines import lines_of
from settings import LOGS, STATE
from web import serves

FRAME = ("START RequestId", "END RequestId", "REPORT RequestId")


def collect(state: dict, last: int = 200) -> list[str]:
    """The last lines of all functions in the order of time."""
    logs, events = client("logs", state["aws_endpoint"]), []
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=name)
        for stream in (stream for page in pages for stream in page["logStreams"]):
            read = logs.get_log_events(logGroupName=name, logStreamName=stream["logStreamName"])["events"]
            events += [(event["timestamp"], name.rsplit("/", 1)[-1].removesuffix("LogGroup"), event["message"]) for event in read]
    lines = [
        f"{datetime.fromtimestamp(at / 1000, timezone.utc):%H:%M:%S.%f}"[:-3] + f"  {who:<17} {line}"
        for at, who, message in sorted(events, key=lambda event: event[0])
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
