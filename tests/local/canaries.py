"""Looks for planted secrets in everything that a whole test run let out: logs, answers, queues, events, rows."""

import json
from pathlib import Path

import canary_search
from deploy import client
from lifecycle import read
from lines import json_lines
from settings import CALLS, CANARIES, COLLECTED, LOCAL, SEEN, STATE
from terminal import Failure, heading, say

QUEUES = [
    "notification_queue_url", "dead_letter_queue_url", "quarantine_queue_url", "agent_run_queue_url", "agent_run_dead_letter_queue_url",
]
# Where a secret must pass: to be sealed, and opened again for a call to Google.
SEALING, OPENING = ("kms", "Encrypt", "request"), ("kms", "Decrypt", "answer")
SEALED, OPENED, FORWARDED = "secrets seen being sealed", "secrets seen being opened", "codes seen being forwarded"
# Which call lets out what.
CARRIES = {("sqs", "SendMessage"): "sent messages", ("events", "PutEvents"): "published events", ("dynamodb", ""): "calls of the table"}


class Search:
    def __init__(self):
        self.looked_at: dict[str, int] = {}
        self.where: dict[str, int] = {}
        self.expected: dict[str, int] = {SEALED: 0, OPENED: 0, FORWARDED: 0}

    def look(self, kind: str, place: str, data: bytes) -> None:
        self.looked_at[kind] = self.looked_at.get(kind, 0) + 1
        self.find(kind, place, canary_search.count(data))

    def find(self, kind: str, place: str, canaries: int) -> None:
        if canaries:
            self.where[f"{kind}: {place}"] = self.where.get(f"{kind}: {place}", 0) + canaries

    def result(self) -> dict:
        return {"found": sum(self.where.values()), "looked_at": self.looked_at, "expected": self.expected, "where": self.where}


def run(stacks: list[str]) -> None:
    """Of the running stacks in these folders below the own one; or of the own stack."""
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
    for place, count in result["where"].items():
        say(f"  FOUND {count} in {place}")
    say(f"  {result['found']} found")
    blind = [kind for kind, count in result["looked_at"].items() if count == 0]
    if result["found"]:
        raise Failure("secrets lie where they should not")
    if blind:
        raise Failure(f"nothing was looked at: {', '.join(blind)}")
    # Where secrets do pass they must be seen, or the search is blind.
    if result["expected"][SEALED] == 0 or result["expected"][OPENED] == 0:
        raise Failure("no secret was seen being sealed and opened")


def drain(state: dict, seen: Path) -> None:
    """Adds what still lies in the queues to what the tests received."""
    sqs = client("sqs", state["aws_endpoint"])
    with seen.open("a") as output:
        for queue in QUEUES:
            asked = {"QueueUrl": state[queue], "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "WaitTimeSeconds": 0}
            while messages := sqs.receive_message(**asked).get("Messages"):
                for message in messages:
                    kept = {"kind": "message", "of": queue, "attributes": message.get("MessageAttributes"), "body": message["Body"]}
                    output.write(json.dumps(kept) + "\n")
                    sqs.delete_message(QueueUrl=state[queue], ReceiptHandle=message["ReceiptHandle"])


def logs(state: dict, search: Search) -> None:
    """Every line of every stream of every group: those of the functions, and the access log."""
    cloudwatch = client("logs", state["aws_endpoint"])
    for groups in cloudwatch.get_paginator("describe_log_groups").paginate():
        for group in (group["logGroupName"] for group in groups["logGroups"]):
            for streams in cloudwatch.get_paginator("describe_log_streams").paginate(logGroupName=group):
                for stream in streams["logStreams"]:
                    for line in lines(cloudwatch, group, stream["logStreamName"]):
                        search.look("log lines", group, line.encode())


def lines(cloudwatch, group: str, stream: str):
    asked = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    while True:
        page = cloudwatch.get_log_events(**asked)
        yield from (event["message"] for event in page["events"])
        # The end is where the token stays the same.
        if page["nextForwardToken"] == asked.get("nextToken"):
            return
        asked["nextToken"] = page["nextForwardToken"]


def calls(recorded: Path, search: Search) -> None:
    """What the recorder found in flight; of what was in it, it kept nothing."""
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
    """What the tests got to see, and what the collector took for them."""
    files = [folder / SEEN.name, folder / COLLECTED.name]
    for kept in (kept for file in files if file.exists() for kept in json_lines(file)):
        if kept["kind"] == "message":
            search.look("received messages", kept["of"], json.dumps(kept).encode())
            continue
        # The redirect flow hands Google's code on to the frontend, in this one header.
        forwards = kept["status"] == 302 and kept["of"].startswith("GET ") and kept["of"].endswith("/api/auth/google/gmail/callback")
        onward = [header for header in kept["headers"] if forwards and header.startswith("location: ")]
        search.expected[FORWARDED] += sum(canary_search.count(header.encode()) for header in onward)
        rest = kept | {"headers": [header for header in kept["headers"] if header not in onward]}
        search.look("answers of the API", kept["of"].split("$default")[-1], json.dumps(rest).encode())


def rows(state: dict, search: Search) -> None:
    """The table as it is stored."""
    dynamodb = client("dynamodb", state["aws_endpoint"])
    for page in dynamodb.get_paginator("scan").paginate(TableName=state["table"]):
        for row in page["Items"]:
            search.look("rows", row["pk"]["S"].split("#")[0], b"\n".join(leaves(row)))


def leaves(value):
    """All names and values of a row, as bytes."""
    match value:
        case dict():
            for name, held in value.items():
                yield name.encode()
                yield from leaves(held)
        case list():
            for held in value:
                yield from leaves(held)
        case bytes():
            yield value
        case other:
            yield str(other).encode()
