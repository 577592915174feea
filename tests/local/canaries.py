"""Looks for planted secrets in all output of a test run: logs, answers, queues, events, rows."""

import json
import re
from pathlib import Path

import canary_search
import function_logs
from deploy import client
from lifecycle import read
from lines import json_lines
from settings import CALLS, CANARIES, COLLECTED, LOCAL, SEEN, STATE
from terminal import Failure, heading, say

QUEUES = [
    "notification_queue_url", "dead_letter_queue_url", "quarantine_queue_url", "agent_run_queue_url", "agent_run_dead_letter_queue_url",
]
CALLBACK = re.compile(r"^GET .*/api/auth/\w+/\w+/callback$")
# The calls in which secrets must appear: to be sealed, and to be opened again for a call to a provider.
SEALING, OPENING = ("kms", "Encrypt", "request"), ("kms", "Decrypt", "answer")
SEALED, OPENED, FORWARDED = "secrets seen being sealed", "secrets seen being opened", "codes seen being forwarded"
# What each kind of call carries.
CARRIES = {("sqs", "SendMessage"): "sent messages", ("events", "PutEvents"): "published events", ("dynamodb", ""): "calls of the table"}


class Search:
    def __init__(self):
        self.looked_at: dict[str, int] = {}
        self.where: dict[str, int] = {}
        self.expected: dict[str, int] = {SEALED: 0, OPENED: 0, FORWARDED: 0}

    def look(self, kind: str, location: str, data: bytes) -> None:
        self.looked_at[kind] = self.looked_at.get(kind, 0) + 1
        self.find(kind, location, canary_search.count(data))

    def find(self, kind: str, location: str, canaries: int) -> None:
        if canaries:
            self.where[f"{kind}: {location}"] = self.where.get(f"{kind}: {location}", 0) + canaries

    def result(self) -> dict:
        return {"found": sum(self.where.values()), "looked_at": self.looked_at, "expected": self.expected, "where": self.where}


def run(stacks: list[str]) -> None:
    """Searches the running stacks in these subfolders, or the stack of this folder."""
    CANARIES.unlink(missing_ok=True)
    canary_search.check()
    search = Search()
    for kind in ("log lines", "answers of the API", "sent messages", "received messages", "published events", "calls of the table", "rows"):
        search.looked_at[kind] = 0
    for folder in [LOCAL / name for name in stacks] or [LOCAL]:
        state = read(folder / STATE.name)
        drain(state, folder / SEEN.name)
        logs(state, search)
        calls(folder / CALLS.name, search)
        seen(folder, search)
        rows(state, search)
    result = search.result()
    CANARIES.write_text(json.dumps(result, indent=2) + "\n")
    report(result)


def report(result: dict) -> None:
    heading("Planted secrets")
    for kind, count in result["looked_at"].items():
        say(f"  {count:>7}  {kind}")
    for kind, count in result["expected"].items():
        say(f"  {count:>7}  {kind}")
    for location, count in result["where"].items():
        say(f"  FOUND {count} in {location}")
    say(f"  {result['found']} found")
    blind = [kind for kind, count in result["looked_at"].items() if count == 0]
    if result["found"]:
        raise Failure("secrets were found where they must not be")
    if blind:
        raise Failure(f"nothing was looked at: {', '.join(blind)}")
    # A secret that must appear in these calls and is not found means that the search does not work.
    if result["expected"][SEALED] == 0 or result["expected"][OPENED] == 0:
        raise Failure("no secret was seen being sealed and opened")


def drain(state: dict, seen: Path) -> None:
    """Adds the messages that are still in the queues to those that the tests received."""
    sqs = client("sqs", state["aws_endpoint"])
    with seen.open("a") as output:
        for queue in QUEUES:
            request = {"QueueUrl": state[queue], "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "WaitTimeSeconds": 0}
            while messages := sqs.receive_message(**request).get("Messages"):
                for message in messages:
                    entry = {"kind": "message", "of": queue, "attributes": message.get("MessageAttributes"), "body": message["Body"]}
                    output.write(json.dumps(entry) + "\n")
                    sqs.delete_message(QueueUrl=state[queue], ReceiptHandle=message["ReceiptHandle"])


def logs(state: dict, search: Search) -> None:
    """Every line of every group: those of the functions, and the access log."""
    for group, events in function_logs.groups(state):
        for event in events:
            search.look("log lines", group, event["message"].encode())


def calls(recorded: Path, search: Search) -> None:
    """Counts the canaries that the recorder found in calls; it records no content."""
    for call in json_lines(recorded):
        service, action = call["service"], call["action"]
        kind = CARRIES.get((service, action)) or CARRIES.get((service, ""))
        if kind:
            search.looked_at[kind] += 1
        for way, canaries in call["canaries"].items():
            if (service, action, way) == SEALING:
                search.expected[SEALED] += canaries
            elif (service, action, way) == OPENING:
                search.expected[OPENED] += canaries
            else:
                search.find(kind or "calls", f"{way} of {service} {action} by {call['function']}", canaries)


def seen(folder: Path, search: Search) -> None:
    """Searches what the tests received, and what the collector received for them."""
    files = [folder / SEEN.name, folder / COLLECTED.name]
    for entry in (entry for file in files if file.exists() for entry in json_lines(file)):
        if entry["kind"] == "message":
            search.look("received messages", entry["of"], json.dumps(entry).encode())
            continue
        # The redirect flow passes the provider's code on to the frontend in this header, where it is expected.
        forwards = entry["status"] == 302 and CALLBACK.search(entry["of"])
        onward = [header for header in entry["headers"] if forwards and header.startswith("location: ")]
        search.expected[FORWARDED] += sum(canary_search.count(header.encode()) for header in onward)
        rest = entry | {"headers": [header for header in entry["headers"] if header not in onward]}
        search.look("answers of the API", entry["of"].split("$default")[-1], json.dumps(rest).encode())


def rows(state: dict, search: Search) -> None:
    """Searches every row of the table."""
    dynamodb = client("dynamodb", state["aws_endpoint"])
    for page in dynamodb.get_paginator("scan").paginate(TableName=state["table"]):
        for row in page["Items"]:
            search.look("rows", row["pk"]["S"].split("#")[0], b"\n".join(leaves(row)))


def leaves(value):
    """All names and values of a row, as bytes."""
    match value:
        case dict():
            for name, child in value.items():
                yield name.encode()
                yield from leaves(child)
        case list():
            for child in value:
                yield from leaves(child)
        case bytes():
            yield value
        case other:
            yield str(other).encode()
