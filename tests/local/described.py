"""Tests the API by its OpenAPI description with schemathesis: no server error, and no undescribed answer."""

import json
import re
import subprocess
import urllib.request
import uuid
from pathlib import Path

from settings import APP_ORIGIN, LOCAL
from terminal import Failure, say
from tools import schemathesis

# Generated requests per operation, and per ending operation, and the least total.
WHOLE, SHORT = (60, 10, 2000), (5, 2, 1000)
# Operations that delete what the others need; tested last.
ENDINGS = [
    "messages_delete", "messages_batch_delete", "threads_delete", "labels_delete", "drafts_send", "drafts_delete",
    "triggers_delete", "connectors_delete", "owner_erase",
]
# Its body is a signed token, which cannot be generated.
UNWRITABLE = ["security_event"]
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def run(stack: dict, short: bool) -> None:
    examples, endings, least = SHORT if short else WHOLE
    folder = LOCAL / "described"
    folder.mkdir(parents=True, exist_ok=True)
    world = prepare(stack)
    with urllib.request.urlopen(f"{stack['api_url']}/api/openapi.json", timeout=30) as response:
        (folder / "openapi.json").write_bytes(response.read())
    left_out = [f"--exclude-operation-id={name}" for name in [*ENDINGS, *UNWRITABLE]]
    cases = tried(stack, world, folder, "all but the endings", examples, left_out)
    cases += tried(stack, world, folder, "the endings", endings, [f"--include-operation-id={name}" for name in ENDINGS])
    say(f"{cases} requests made up after the description")
    if cases < least:
        raise Failure(f"{cases} requests are fewer than {least}: the description lacks something")


def prepare(stack: dict) -> dict[str, str]:
    """A mailbox with a message, a label, a draft and a trigger, whose ids half of the generated requests use."""
    owner = f"described-{uuid.uuid4().hex}"
    email = f"{owner}@example.com"
    google, api = stack["google_url"], stack["api_url"]
    token = call("POST", f"{google}/admin/user-tokens", {"sub": owner, "claims": {"role": "admin"}})["token"]
    call("POST", f"{google}/admin/mailboxes", {"email": email, "sub": owner})
    mail = {"from": "bo@example.com", "subject": "invoice", "text": "It is attached.", "count": 5, "silent": True}
    mail["attachment"] = {"filename": "invoice.pdf", "mime_type": "application/pdf", "size": 300}
    messages = call("POST", f"{google}/admin/mailboxes/{email}/messages", mail)
    scopes = ["openid", "email", "https://mail.google.com/", "https://www.googleapis.com/auth/gmail.modify"]
    code = call("POST", f"{google}/admin/codes", {"email": email, "scopes": scopes})["code"]
    headers = {"authorization": f"Bearer {token}", "origin": APP_ORIGIN, "x-requested-with": "XMLHttpRequest"}
    connector = call("POST", f"{api}/api/auth/google/gmail", {"auth_code": code}, headers)["connector_id"]
    trigger = {"type": "email", "config": {"connector_id": connector, "filters": {"subject_contains": ["invoice"]}}}
    mailbox = f"{api}/api/connectors/{connector}"
    return {
        "token": token,
        "connector_id": connector,
        "trigger_id": call("POST", f"{api}/api/triggers", trigger, headers)["id"],
        "message_id": messages[0]["id"],
        "thread_id": messages[1]["id"],
        "label_id": call("POST", f"{mailbox}/labels", {"name": "described"}, headers)["id"],
        "draft_id": call("POST", f"{mailbox}/drafts", {"to": ["bo@example.com"], "text": "draft"}, headers)["id"],
        "part_id": "1",
    }


def call(method: str, url: str, body: dict, headers: dict | None = None) -> dict:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"} | (headers or {}), method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def tried(stack: dict, world: dict, folder: Path, title: str, examples: int, selected: list[str]) -> int:
    """Returns how many requests were made; a finding ends the run."""
    parameters = "".join(f'"path.{name}" = "{value}"\n' for name, value in world.items() if name.endswith("_id"))
    config = folder / "schemathesis.toml"
    config.write_text(f"[parameters]\n{parameters}")
    command = [
        schemathesis(), "--config-file", str(config), "run", str(folder / "openapi.json"), "--url", stack["api_url"],
        "--header", f"Authorization: Bearer {world['token']}", "--header", f"Origin: {APP_ORIGIN}", "--header", "X-Requested-With: tests",
        "--phases", "examples,coverage,fuzzing", "--checks", CHECKS, "--max-examples", str(examples), "--continue-on-failure",
        "--seed", "7", "--generation-database", "none", "--no-color", "--request-timeout", "30", "--suppress-health-check", "all", *selected,
    ]
    child = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    print(child.stdout, flush=True)
    if child.returncode != 0:
        raise Failure(f"the API is not as it is described ({title})")
    counted = re.search(r"(\d+) generated", child.stdout)
    if not counted:
        raise Failure("schemathesis did not say how many requests it made")
    return int(counted.group(1))
