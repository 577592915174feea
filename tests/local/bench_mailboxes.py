"""The measured operations on a mailbox: a connect, mail, a wake-up from the push to the last event."""

import time
import uuid
from dataclasses import dataclass

from bench_world import World
from terminal import Failure
from web import expect

STAGES = ["answered", "taken", "first request", "listed", "fetched", "decided", "on the bus", "in the queue"]
MAIL = {"subject": "invoice {n}", "from": "billing@example.com"}


@dataclass
class Mailbox:
    world: World
    email: str
    token: str
    connector: str = ""

    @classmethod
    def new(cls, world: World) -> "Mailbox":
        owner = f"owner-{uuid.uuid4().hex}"
        email = f"{owner}@example.com"
        expect("POST", f"{world.google}/admin/mailboxes", {"email": email})
        token = expect("POST", f"{world.google}/admin/user-tokens", {"sub": owner, "claims": {"role": "admin"}})["token"]
        return cls(world, email, token)

    def code(self) -> str:
        return expect("POST", f"{self.world.google}/admin/codes", {"email": self.email})["code"]

    def connect(self) -> float:
        """Seconds of `POST /api/auth/google/gmail`."""
        code = self.code()
        self.world.forget()
        answer, seconds = self.world.api("oauth-connect", "POST", "/api/auth/google/gmail", self.token, {"auth_code": code})
        self.connector = answer["connector_id"]
        return seconds

    def ready(self) -> "Mailbox":
        """Connected, with a trigger, and with a first mail handled: the watch is proven and the access token cached."""
        if not self.connector:
            self.connect()
        wanted = {"connector_id": self.connector, "filters": {"subject_contains": ["invoice"]}}
        self.world.api("connectors-api", "POST", "/api/triggers", self.token, {"type": "email", "agent_id": "agent-7", "config": wanted})
        self.settle()
        self.receive(1)
        self.settle()
        return self

    def receive(self, count: int, silent: bool = False) -> list[dict]:
        mail = MAIL | {"count": count, "silent": silent}
        return expect("POST", f"{self.world.google}/admin/mailboxes/{self.email}/messages", mail)

    def settle(self) -> None:
        """Waits until everything is pushed and handled, and empties the queue of events."""
        expect("POST", f"{self.world.google}/admin/push/flush")
        while self.world.work():
            pass
        self.events()

    def events(self) -> list[dict]:
        url, taken = self.world.outputs["AgentRunQueueUrl"], []
        while messages := self.world.receive(url):
            taken += messages
            self.world.delete(url, messages)
        return taken

    def wake_up(self, mails: int) -> dict:
        """Seconds from the push's arrival to each stage, for this many new mails; and the number of calls."""
        world = self.world
        world.forget()
        self.receive(mails)
        wait_until_soon(lambda: world.pushes, "the push")
        handled = None
        while handled is None:
            handled = world.work()
        events = self.events()
        deadline = time.monotonic() + 10
        while len(events) < mails:
            if time.monotonic() > deadline:
                raise Failure(f"{len(events)} of {mails} events came")
            events += self.events()
        return staged(world, handled, events)


def staged(world: World, handled: dict, events: list[dict]) -> dict:
    # After publishing, the processor marks the events. The recorder notes an answer after passing it on.
    wait_until_soon(lambda: world.calls.seen and world.calls.seen[-1]["action"] != "PutEvents", "the last call's record")
    push, google, calls = world.pushes[0], world.timings(), sorted(world.calls.seen, key=lambda call: call["began"])
    if push["status"] != 202:
        raise Failure(f"the webhook answered {push['status']}")
    google = [row for row in google if "/certs" not in row["path"]]
    fetches = [row for row in google if "/batch/" in row["path"] or "/messages/" in row["path"]]
    # A busy mailbox is listed further after its events are published.
    listings = [row for row in google if row["path"].endswith("/history")]
    before = [row for row in listings if row["answered"] <= fetches[0]["began"]]
    publishing = [call for call in calls if call["action"] == "PutEvents"]
    commits = [call for call in calls if call["action"] == "TransactWriteItems" and call["began"] < publishing[-1]["began"]]
    at = {
        "answered": push["answered"],
        "taken": handled["taken"],
        "first request": google[0]["began"] if google else None,
        "listed": max(row["answered"] for row in before),
        "fetched": max(row["answered"] for row in fetches),
        "decided": max(call["answered"] for call in commits),
        "on the bus": max(call["answered"] for call in publishing),
        # The queue's own timestamp, in whole milliseconds.
        "in the queue": max(int(event["Attributes"]["SentTimestamp"]) for event in events) / 1000,
    }
    seconds = {stage: moment - push["arrived"] for stage, moment in at.items()}
    return seconds | {"requests": len(google), "listings": len(listings), "aws": len(calls), "calls": [call["action"] for call in calls]}


def wait_until_soon(condition, what: str) -> None:
    """`wait_until` that polls every millisecond."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what} did not come")
        time.sleep(0.001)
