"""Tests docs/operations.md on the running stack: provokes each runbook's trouble, runs its commands, checks output."""

import fcntl
import json
import os
import re
import shlex
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import tools
from deploy import client
from settings import PUBSUB_AUDIENCE, PUBSUB_SERVICE_ACCOUNT, PUBSUB_SUBSCRIPTION, PUSH_PATH, REGION, ROOT, STATE, aws_environment
from terminal import Failure, heading, say, step
from web import expect, wait_until

DOCS = ROOT / "docs" / "operations.md"
# Short ones of different kinds: a grant, the queues, a key and the audit log. `make test-long` walks all.
QUICK = ["token-refresh-failure", "dead-letters", "kms-denied", "who-did-what"]
TIMEOUT_SECONDS = 150
MAIL = "came-meanwhile"
# AWS CLI v1 ignores AWS_ENDPOINT_URL for SQS.
EMULATED = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'


@dataclass
class Block:
    """A command, its expected output, and whether to repeat it until that comes (`until`); or variables to export; or
    the name of a step in `THEN`. The block with `last` ends the stack."""

    command: str = ""
    expected: list[str] = field(default_factory=list)
    until: bool = False
    exports: bool = False
    last: bool = False
    then: str = ""


def sections() -> dict[str, list[Block]]:
    """The runbooks by their anchors, each with its blocks in order."""
    found: dict[str, list[Block]] = {}
    anchor, hint, kind, lines = "", "", "", []
    for line in DOCS.read_text().splitlines():
        if kind and line != "```":
            lines.append(line)
        elif kind:
            blocks = found[anchor]
            if kind == "sh" and not hint.startswith("not here"):
                blocks.append(Block("\n".join(lines), until=hint == "until", exports=hint == "exported", last=hint == "last"))
            elif kind == "text":
                blocks[-1].expected = [part for part in lines if part.strip()]
            kind, lines, hint = "", [], ""
        elif line.startswith("## "):
            anchor = line[3:].strip().lower().replace(" ", "-")
            found[anchor] = []
        elif line.startswith("```"):
            kind = line[3:]
        elif walked := re.fullmatch(r"<!-- walk: (.*) -->", line):
            hint = walked.group(1)
            if hint.startswith("then "):
                found[anchor].append(Block(then=hint.removeprefix("then ")))
                hint = ""
    return {anchor: blocks for anchor, blocks in found.items() if blocks}


@dataclass
class Trouble:
    """One runbook's own connector, and what happens to it."""

    state: dict
    anchor: str
    exported: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def google(self, method: str, path: str, body=None):
        return expect(method, f"{self.state['google_url']}/admin{path}", body)

    def api(self, method: str, path: str, body=None):
        headers = {"authorization": f"Bearer {self.token}"}
        return expect(method, f"{self.state['api_url']}/api{path}", body, headers)

    def connectors(self, *arguments: str) -> str:
        done = self.shell(" ".join(["connectors", *arguments]))
        if done.returncode != 0:
            raise Failure(f"connectors {' '.join(arguments)}: {done.stdout}")
        return done.stdout

    def shell(self, command: str, prelude: str = "") -> subprocess.CompletedProcess:
        return subprocess.run(
            ["bash", "-uo", "pipefail", "-c", f"{prelude}\n{command}"], env=self.environment(), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
        )

    def environment(self) -> dict[str, str]:
        """The variables that the document exports, and the addresses of the emulator and the fake Google."""
        target = os.environ.get("CARGO_TARGET_DIR") or str(ROOT / "target")
        path = f"{target}/debug{os.pathsep}{tools.AWS_VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECTORS_"))}
        # The output ApiUrl is AWS's address of the API, not the emulator's.
        local = {"CONNECTORS_API_URL": self.state["api_url"], "CONNECTORS_PUBSUB_API": self.state["google_url"]}
        exported = {name: self.variables[name] for name in self.exported if name in self.variables}
        # A time that only one runbook exports.
        exported |= {name: self.variables[name] for name in ("BEFORE",) if name in self.variables}
        return kept | aws_environment(self.state["aws_endpoint"]) | local | {"PATH": path} | exported

    def connect(self) -> None:
        """Connects a mailbox with a trigger, and waits until it was read."""
        name = f"{self.anchor}-{time.time_ns() // 1_000_000}"
        mailbox = f"{name}@example.com"
        token = self.google("POST", "/user-tokens", {"sub": name, "claims": {"role": "admin"}})["token"]
        self.variables |= {
            "CONNECTORS_STACK_NAME": self.state["stack_name"], "AWS_REGION": REGION, "CONNECTORS_TOKEN_COMMAND": f"printf %s {shlex.quote(token)}",
            "CONNECTORS_GOOGLE_TOKEN": "local-operator", "MAILBOX": mailbox, "OWNER": name,
        }
        self.token = token
        at_provider = self.make_mailbox(mailbox)
        self.connectors("connect", *at_provider, "--follow", "--login-hint", mailbox)
        connector = json.loads(self.connectors("list", "--json"))["connectors"][0]["id"]
        trigger = self.api("POST", "/triggers", {"type": "email", "config": {"connector_id": connector}, "agent_id": MAIL})
        self.variables |= {"CONNECTOR": connector, "TRIGGER": trigger["id"], "BEFORE": moment(timedelta())}
        self.connectors("health", "drill", connector)

    def make_mailbox(self, mailbox: str) -> list[str]:
        """Makes it, and tells how a connect names its provider."""
        self.google("POST", "/mailboxes", {"email": mailbox})
        return []

    def mail_comes(self) -> None:
        mail = {"from": "Bo <bo@example.com>", "subject": MAIL, "text": "It came."}
        self.google("POST", f"/mailboxes/{self.variables['MAILBOX']}/messages", mail)

    def fails(self, **fault) -> None:
        self.google("POST", "/faults", {"times": 0, "email": self.variables["MAILBOX"], **fault})

    def change(self, expression: str, values: dict | None = None) -> None:
        """Changes the connector's row, as time would."""
        request = {"TableName": self.state["table"], "Key": self.row(), "UpdateExpression": expression.replace("watch.", "#watch.")}
        named = {"ExpressionAttributeNames": {"#watch": "watch"}} if "watch." in expression else {}
        given = {"ExpressionAttributeValues": values} if values else {}
        client("dynamodb", self.state["aws_endpoint"]).update_item(**request, **named, **given)

    def swept(self) -> None:
        """Makes the connector due, and waits for the sweep."""
        due = {"N": str(int(time.time()))}
        self.change("SET due_at = :due", {":due": due})
        table = client("dynamodb", self.state["aws_endpoint"])

        def another() -> bool:
            row = table.get_item(TableName=self.state["table"], Key=self.row(), ConsistentRead=True)["Item"]
            return row.get("due_at") != due

        wait_until(another, TIMEOUT_SECONDS, "a sweep")

    def ends(self) -> None:
        """Repairs what the walk broke."""
        google_answers(self)
        pushes_come(self)
        client("kms", self.state["aws_endpoint"]).enable_key(KeyId=self.state["secrets_key_id"])

    def row(self) -> dict:
        return {"pk": {"S": f"MAILBOX#{self.variables['MAILBOX']}"}, "sk": {"S": f"CONNECTOR#{self.variables['CONNECTOR']}"}}


class OutlookTrouble(Trouble):
    """The same with a mailbox at the fake Microsoft, whose organization is its own."""

    def microsoft(self, method: str, path: str, body=None):
        return expect(method, f"{self.state['microsoft_url']}/admin{path}", body)

    def make_mailbox(self, mailbox: str) -> list[str]:
        self.tenant = str(uuid.uuid4())
        self.microsoft("POST", "/mailboxes", {"email": mailbox, "tid": self.tenant})
        return ["--provider", "outlook"]

    def mail_comes(self) -> None:
        mail = {"from": "Bo <bo@example.com>", "subject": MAIL, "text": "It came."}
        self.microsoft("POST", f"/mailboxes/{self.variables['MAILBOX']}/messages", mail)

    def ends(self) -> None:
        microsoft_answers(self)

    def row(self) -> dict:
        """Its partition is not named after its address."""
        table = client("dynamodb", self.state["aws_endpoint"]).get_paginator("scan")
        wanted = {"S": f"CONNECTOR#{self.variables['CONNECTOR']}"}
        for page in table.paginate(TableName=self.state["table"], ConsistentRead=True):
            for item in page["Items"]:
                if item["sk"] == wanted and item["pk"]["S"].startswith("MAILBOX#outlook:"):
                    return {"pk": item["pk"], "sk": item["sk"]}
        raise Failure("the connector has no row")


def moment(ago: timedelta) -> str:
    return (datetime.now(timezone.utc) - ago).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def grant_ends(trouble: Trouble) -> None:
    trouble.google("POST", "/grants/revoke", {"email": trouble.variables["MAILBOX"]})
    trouble.change("REMOVE access_token")
    trouble.mail_comes()


def quota_ends(trouble: Trouble) -> None:
    trouble.fails(status=429, reason="rateLimitExceeded", retry_after=20)
    trouble.mail_comes()


def client_is_refused(trouble: Trouble) -> None:
    """Google refuses the OAuth client."""
    trouble.google("POST", "/faults", {"method": "token", "times": 0, "status": 401, "reason": "invalid_client"})
    trouble.google("POST", "/access-tokens/expire", {"email": trouble.variables["MAILBOX"]})
    trouble.connectors("sync", trouble.variables["CONNECTOR"])


def pushes_stop(trouble: Trouble) -> None:
    """No push has come since the watch was renewed, some time ago."""
    trouble.google("PUT", "/push", push("http://127.0.0.1:9/elsewhere"))
    ago = moment(timedelta(minutes=20))
    trouble.change("SET watch.renewed_at = :ago REMOVE verified_at, checked_at", {":ago": {"S": ago}})
    trouble.swept()


def pushes_come(trouble: Trouble) -> None:
    trouble.google("PUT", "/push", push(trouble.state["api_url"] + PUSH_PATH))


def push(endpoint: str) -> dict:
    return {"endpoint": endpoint, "audience": PUBSUB_AUDIENCE, "subscription": PUBSUB_SUBSCRIPTION, "service_account": PUBSUB_SERVICE_ACCOUNT}


def watch_ends(trouble: Trouble) -> None:
    """As after days of refused renewals."""
    trouble.fails(method="watch", status=403, reason="forbidden")
    ended = {"S": moment(timedelta(days=1))}
    trouble.change("SET watch.expiration = :ended, watch.renewed_at = :ended", {":ended": ended})
    trouble.swept()


def history_ends(trouble: Trouble) -> None:
    trouble.mail_comes()
    trouble.google("POST", f"/mailboxes/{trouble.variables['MAILBOX']}/expire-history", {})
    trouble.connectors("sync", trouble.variables["CONNECTOR"])


def wake_up_is_given_up(trouble: Trouble) -> None:
    wake_up = {
        "schema_version": 1, "kind": "due", "email_address": trouble.variables["MAILBOX"], "correlation": {}, "published_at": "2026-01-01T00:00:00.000Z",
    }
    sqs = client("sqs", trouble.state["aws_endpoint"])
    sent = {"MessageBody": json.dumps(wake_up), "MessageGroupId": "runbook", "MessageDeduplicationId": f"runbook-{time.time_ns()}"}
    sqs.send_message(QueueUrl=trouble.state["dead_letter_queue_url"], **sent)


def gmail_fails(trouble: Trouble) -> None:
    trouble.fails(status=503, reason="backendError")
    trouble.mail_comes()
    connector = trouble.variables["CONNECTOR"]

    def opened() -> bool:
        trouble.connectors("sync", connector)
        time.sleep(1)
        return trouble.api("GET", f"/connectors/{connector}")["circuit"]["failures"] >= 5

    wait_until(opened, TIMEOUT_SECONDS, "five failures in a row")


def gmail_fails_a_little(trouble: Trouble) -> None:
    trouble.fails(status=503, reason="backendError")
    trouble.mail_comes()


def key_is_disabled(trouble: Trouble) -> None:
    client("kms", trouble.state["aws_endpoint"]).disable_key(KeyId=trouble.state["secrets_key_id"])
    # The row looks days older: its access token has expired, and its watch is due.
    ago, ends = {"S": moment(timedelta(days=4))}, {"S": moment(-timedelta(days=3))}
    trouble.change("SET watch.renewed_at = :ago, watch.expiration = :ends REMOVE access_token", {":ago": ago, ":ends": ends})
    trouble.google("POST", "/access-tokens/expire", {"email": trouble.variables["MAILBOX"]})
    trouble.swept()
    trouble.mail_comes()


def rows_are_lost(trouble: Trouble) -> None:
    """Deletes the rows after the restore: the emulator restores a table's current state, not an earlier one."""
    table, mailbox = client("dynamodb", trouble.state["aws_endpoint"]), trouble.row()["pk"]
    in_mailbox = {"TableName": trouble.state["table"], "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": mailbox}}
    rows = table.query(**in_mailbox)["Items"]
    if len(rows) < 2:
        raise Failure("the mailbox has no connector and trigger to lose")
    of_connector = {"IndexName": "told", "KeyConditionExpression": "told_of = :of", "ExpressionAttributeValues": {":of": {"S": trouble.variables["CONNECTOR"]}}}
    events = table.query(TableName=trouble.state["table"], **of_connector)["Items"]
    if not events:
        raise Failure("the connector has no delivery records to lose")
    for row in rows + events:
        table.delete_item(TableName=trouble.state["table"], Key={"pk": row["pk"], "sk": row["sk"]})


def owner_is_erased(trouble: Trouble) -> None:
    trouble.api("DELETE", "/owner/data")
    # The emulator may deliver a log line only with the next invocation.
    for _ in range(3):
        trouble.api("GET", "/owner/data")


def secret_expires(trouble: OutlookTrouble) -> None:
    trouble.microsoft("PUT", "/oauth", {"secret_expired": True})
    trouble.microsoft("POST", "/access-tokens/expire", {"email": trouble.variables["MAILBOX"]})
    trouble.change("REMOVE access_token")
    trouble.mail_comes()
    trouble.connectors("sync", trouble.variables["CONNECTOR"])


def consent_is_withdrawn(trouble: OutlookTrouble) -> None:
    trouble.microsoft("POST", f"/tenants/{trouble.tenant}/withdraw-consent")
    trouble.microsoft("POST", "/access-tokens/expire", {"email": trouble.variables["MAILBOX"]})
    trouble.change("REMOVE access_token")
    trouble.mail_comes()


def administrator_consents(trouble: OutlookTrouble) -> None:
    trouble.microsoft("PUT", f"/tenants/{trouble.tenant}", {"users_may_consent": False, "admin_consented": True})


def subscription_is_lost(trouble: OutlookTrouble) -> None:
    """Microsoft ended it, and nothing reaches the stack any more."""
    mailbox = trouble.variables["MAILBOX"]
    for subscription in trouble.microsoft("GET", f"/subscriptions?email={mailbox}"):
        trouble.microsoft("DELETE", f"/subscriptions/{subscription['id']}")
    trouble.microsoft("PUT", "/front", {"to": "http://127.0.0.1:9"})
    ended = {"S": moment(timedelta(days=1))}
    trouble.change("SET watch.expiration = :ended, watch.renewed_at = :ended", {":ended": ended})
    trouble.swept()


def microsoft_answers(trouble: OutlookTrouble) -> None:
    trouble.microsoft("PUT", "/oauth", {})
    trouble.microsoft("PUT", "/front", {"to": trouble.state["api_url"]})


def google_answers(trouble: Trouble) -> None:
    expect("DELETE", f"{trouble.state['google_url']}/admin/faults")


PROVOKED = {
    "token-refresh-failure": grant_ends,
    "rate-limit-exceeded": quota_ends,
    "push-notifications-stopped": pushes_stop,
    "watch-lapsed": watch_ends,
    "client-secret-expired": secret_expires,
    "consent-withdrawn": consent_is_withdrawn,
    "subscription-lost": subscription_is_lost,
    "history-gap": history_ends,
    "dead-letters": wake_up_is_given_up,
    "circuit-open": gmail_fails,
    "kms-denied": key_is_disabled,
    "outage": gmail_fails_a_little,
    "who-did-what": owner_is_erased,
    "key-compromise": lambda _: None,
    "restore": lambda _: None,
}
OF_OUTLOOK = {"client-secret-expired", "consent-withdrawn", "subscription-lost"}
THEN = {
    "microsoft-answers": microsoft_answers,
    "administrator-consents": administrator_consents,
    "google-answers": google_answers,
    "pushes-come": pushes_come,
    "rows-are-lost": rows_are_lost,
    "client-is-refused": client_is_refused,
}


@dataclass
class Beginning:
    """The document's prerequisites: exported variables, and shell functions."""

    exported: list[str]
    prelude: str


def command_line() -> None:
    """Installs AWS's command line, and builds the project's."""
    tools.aws()
    built = subprocess.run(["cargo", "build", "--locked", "--quiet", "--workspace", "--bin", "connectors"], cwd=ROOT)
    if built.returncode != 0:
        raise Failure("the command line does not build")


def beginning() -> Beginning:
    blocks = sections()["before-you-begin"]
    exported = re.findall(r"\s(\w+)=", "\n".join(block.command for block in blocks if block.exports))
    return Beginning(exported, "\n".join([EMULATED, *(block.command for block in blocks if not block.exports)]))


def run(state: dict, wanted: list[str]) -> None:
    command_line()
    before = beginning()
    walks = {anchor: blocks for anchor, blocks in sections().items() if anchor != "before-you-begin" and not blocks[-1].last}
    if missing := set(walks) ^ set(PROVOKED):
        raise Failure(f"a runbook without what provokes it, or the other way round: {', '.join(sorted(missing))}")
    heading("Runbooks")
    with STATE.with_name("runbooks.lock").open("w") as lock:
        alone(lock)
        for anchor in wanted or PROVOKED:
            with step(anchor) as current:
                kind = OutlookTrouble if anchor in OF_OUTLOOK else Trouble
                walk(kind(state, anchor, before.exported), walks[anchor], before.prelude)
                current.note(f"{sum(1 for block in walks[anchor] if block.command)} commands")
    say("  every runbook did what it says")


def alone(lock) -> None:
    """Locks the stack: each walk breaks shared parts, and repairs them at its end."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failure("another walk is under way on this stack; wait for its end") from None


def walk(trouble: Trouble, blocks: list[Block], prelude: str) -> None:
    trouble.connect()
    if unknown := set(trouble.exported) - set(trouble.variables):
        raise Failure(f"no value is known to export as {', '.join(sorted(unknown))}")
    try:
        PROVOKED[trouble.anchor](trouble)
        for block in blocks:
            if block.then:
                THEN[block.then](trouble)
            else:
                follow(trouble, block, prelude)
    finally:
        trouble.ends()


def follow(trouble: Trouble, block: Block, prelude: str) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        done = trouble.shell(block.command, prelude)
        if fits(block, done):
            if os.environ.get("RUNBOOKS_VERBOSE"):
                say("\n".join(f"    $ {line}" for line in block.command.splitlines()) + "\n" + "\n".join(f"    {line}" for line in done.stdout.splitlines()))
            return
        if not block.until or time.monotonic() > deadline:
            expected = "\n".join(block.expected) or "(no error)"
            raise Failure(f"{block.command}\nended with {done.returncode} and printed\n{done.stdout}\ninstead of\n{expected}")
        time.sleep(1)


def fits(block: Block, done: subprocess.CompletedProcess) -> bool:
    """Whether all expected lines are in the output, in order (`…` is any text); without any, whether it succeeded."""
    if not block.expected:
        return done.returncode == 0
    lines = iter(done.stdout.splitlines())
    patterns = [".*".join(re.escape(part) for part in line.split("…")) for line in block.expected]
    return all(any(re.fullmatch(pattern, line.strip()) for line in lines) for pattern in (pattern.strip() for pattern in patterns))
