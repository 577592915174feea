"""Migrates users of an older system with the built command, which is killed twice on the way."""

import json
import os
import secrets
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from cryptography.fernet import Fernet
from deploy import client
from settings import ROOT, STATE, parameters
from terminal import Failure, say, step
from web import DIRECT, expect

# At most this many bad rows; in a small export, every twentieth row is bad.
MOST_BAD = 50
LEAST_BETWEEN = 20
# Of the older system's app at Microsoft: no fewer than the stack's.
SCOPES = "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send"
KINDS = ["wrong_key", "broken_token", "no_token", "invalid_grant", "missing_scopes", "another_address", "invalid_triggers", "another_account"]


def run(state: dict, rows: int) -> None:
    for kind, share in ((Migration, rows), (OfOutlook, max(LEAST_BETWEEN, rows // 5))):
        with tempfile.TemporaryDirectory() as folder:
            kind(state, Path(folder), share).run()


class Migration:
    provider, token_column, vendor = "gmail", "gmail_refresh_token", "google"

    def __init__(self, state: dict, folder: Path, rows: int):
        self.state, self.folder, self.rows = state, folder, rows
        self.name = f"mig-{secrets.token_hex(3)}"
        self.key, self.other_key = Fernet.generate_key(), Fernet.generate_key()
        self.secrets: list[str] = [self.key.decode()]
        self.expected: dict[str, int] = {}
        self.output = ""

    def run(self) -> None:
        with step(f"An older system with {self.rows} users of {self.provider}"):
            lines = [json.dumps(self.user(number)) for number in range(self.rows)]
            (self.folder / "users.jsonl").write_text("\n".join(lines))
        good = self.rows - sum(self.expected.values())
        with step("Dry run") as current:
            summary = self.end(self.start("--json"), 1)
            # A dry run does not find errors that only Google reports.
            current.note(f"{summary['ready']} would be connected, {summary['needs_person']} not")
        for part in (3, 3 / 2):
            with step("Killed on its way") as current:
                current.note(f"after {self.kill_at(int(good / part))} rows")
        with step("Gone on with") as current:
            began = time.monotonic()
            summary = self.end(self.start("--json", "--apply", "--report", str(self.folder / "report")), 1)
            current.note(f"{time.monotonic() - began:.1f} s")
        self.check(summary, good)

    def user(self, number: int) -> dict:
        every = max(LEAST_BETWEEN, self.rows // MOST_BAD)
        kind = KINDS[number // every % len(KINDS)] if number % every == every // 2 else None
        if kind:
            self.expected[kind] = self.expected.get(kind, 0) + 1
        address = f"{self.name}-{number}@example.com"
        self.admin("/mailboxes", {"email": address})
        token = self.refresh_token(address, kind == "missing_scopes")
        if kind == "invalid_grant":
            self.admin("/grants/revoke", {"email": address})
        sealed = Fernet(self.other_key if kind == "wrong_key" else self.key).encrypt(token.encode()).decode()
        self.secrets += [token, sealed]
        owner = number - 1 if kind == "another_account" else number
        trigger = {"type": "cron" if kind == "invalid_triggers" else f"email:{self.provider}", "id": number, "filters": {"subject_contains": ["invoice"]}}
        return {
            "user_id": f"{self.name}-{owner}",
            "email": "somebody@example.com" if kind == "another_address" else address,
            self.token_column: {"broken_token": sealed[:50], "no_token": ""}.get(kind, sealed),
            "triggers": [trigger],
        }

    def admin(self, path: str, body: dict):
        return expect("POST", f"{self.state[f'{self.vendor}_url']}/admin{path}", body)

    def refresh_token(self, address: str, few_scopes: bool) -> str:
        given = parameters(self.state["google_url"])
        wish = {"email": address, "redirect_uri": "postmessage", "with_refresh_token": True}
        code = self.admin("/codes", wish | ({"scopes": ["openid", "email"]} if few_scopes else {}))["code"]
        form = {
            "client_id": given["GoogleClientId"], "client_secret": given["GoogleClientSecret"], "grant_type": "authorization_code",
            "code": code, "redirect_uri": "postmessage",
        }
        return expect_form(given["GoogleTokenUrl"], form)["refresh_token"]

    def start(self, *arguments: str) -> subprocess.Popen:
        binary = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "debug" / "connectors"
        command = [binary, "migrate", self.folder / "users.jsonl", "--provider", self.provider, "--stack-json", STATE, *arguments]
        environment = {"CONNECTORS_FERNET_KEY": self.key.decode(), "PATH": os.environ["PATH"]}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self, process: subprocess.Popen, code: int) -> dict:
        out, err = process.communicate()
        self.output += out + err
        if process.returncode != code:
            raise Failure(f"connectors migrate ended with {process.returncode}: {err}")
        return json.loads(out)

    def kill_at(self, lines: int) -> int:
        journal = self.folder / "users.jsonl.journal"
        process = self.start("--json", "--apply")
        while not journal.exists() or journal.read_text().count("\n") <= lines:
            if process.poll() is not None:
                raise Failure(f"it ended before it could be killed: {process.communicate()[1]}")
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        out, err = process.communicate()
        self.output += out + err
        return journal.read_text().count("connector_id")

    def check(self, summary: dict, good: int) -> None:
        taken_over = summary["connected"] + summary["already_connected"] + summary["done_before"]
        say(f"  {json.dumps(summary)}")
        if (taken_over, summary["bad"]) != (good, self.expected):
            raise Failure(f"{taken_over} of {good} were taken over, and {summary['bad']} instead of {self.expected} refused")
        slots, triggers, watched = 0, 0, 0
        table = client("dynamodb", self.state["aws_endpoint"]).get_paginator("scan")
        for page in table.paginate(TableName=self.state["table"], ConsistentRead=True):
            for item in page["Items"]:
                key, what = item["pk"]["S"], item["sk"]["S"]
                slots += key.startswith(f"OWNER#{self.name}-") and what.startswith("SLOT#")
                triggers += key.startswith(f"OWNER#{self.name}-") and what.startswith("TRIGGER#")
                mine = item.get("owner_id", {}).get("S", "").startswith(f"{self.name}-")
                watched += mine and "TRIGGER#" not in what and "expiration" in json.dumps(item.get("watch"))
        if (slots, triggers, watched) != (good, good, good):
            raise Failure(f"the table has {slots} connectors with {triggers} triggers, {watched} of them watched, instead of {good}")
        everything = self.output + "".join((self.folder / name).read_text() for name in ("users.jsonl.journal", "report"))
        leaked = [secret[:12] for secret in self.secrets if secret in everything]
        if leaked or "ya29." in everything:
            raise Failure(f"secrets were printed or written: {leaked}")
        say(f"  {good} connectors with a trigger each, {sum(self.expected.values())} rows reported, no secret in output, journal or report.")


class OfOutlook(Migration):
    """The same of another provider, and fewer rows."""

    provider, token_column, vendor = "outlook", "outlook_refresh_token", "microsoft"

    def refresh_token(self, address: str, few_scopes: bool) -> str:
        given = parameters(self.state["google_url"], self.state["microsoft_url"])
        redirect = "http://localhost/old"
        wish = {"email": address, "redirect_uri": redirect, "scopes": "openid offline_access User.Read" if few_scopes else SCOPES}
        form = {
            "client_id": given["MicrosoftClientId"], "client_secret": given["MicrosoftClientSecret"], "grant_type": "authorization_code",
            "code": self.admin("/codes", wish)["code"], "redirect_uri": redirect,
        }
        return expect_form(f"{self.state['microsoft_url']}/common/oauth2/v2.0/token", form)["refresh_token"]


def expect_form(url: str, fields: dict) -> dict:
    data = urllib.parse.urlencode(fields).encode()
    with DIRECT.open(urllib.request.Request(url, data=data), timeout=30) as answer:
        return json.loads(answer.read() or b"{}")
