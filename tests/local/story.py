"""One demo mail, step by step: connect a mailbox, make a trigger, deliver a mail, see the event."""

import json
import secrets
import time

import function_logs
from deploy import client
from settings import APP_ORIGIN, PUSH_PATH, STATE
from terminal import Failure, heading, say, step
from web import expect

MAILBOX = "demo@example.com"
AGENT = "demo-agent"


def run(state: dict) -> None:
    if "google" not in state["pids"]:
        raise Failure("the story needs the bundled fake Google: unset LOCAL_GOOGLE_URL")
    api, google = state["api_url"], state["google_url"]
    heading("A mailbox is connected")
    headers = signed_in(state)
    connector = connect(api, google, headers)
    make_trigger(api, headers, connector)

    heading("A message arrives")
    subject = f"Your invoice {secrets.token_hex(3)}"
    sent = time.monotonic()
    message = deliver(google, subject)
    event = receive(state, message, sent)
    say()
    say(json.dumps(event, indent=2))
    farewell(state)


def signed_in(state: dict) -> dict[str, str]:
    """The headers that the frontend sends, with a user's token as the identity provider would issue it."""
    with step("Sign a user in") as current:
        mint = state["mint_user_token"]
        token = expect(mint["method"], mint["url"], mint["body"])["token"]
        current.note(mint["body"]["sub"])
    return {"authorization": f"Bearer {token}", "origin": APP_ORIGIN, "x-requested-with": "XMLHttpRequest"}


def connect(api: str, google: str, headers: dict) -> str:
    with step(f"Grant access to {MAILBOX} at Google"):
        # 409: an earlier run of the story created it.
        expect("POST", f"{google}/admin/mailboxes", {"email": MAILBOX}, statuses=[*range(200, 300), 409])
        code = expect("POST", f"{google}/admin/codes", {"email": MAILBOX})["code"]
    with step("POST /api/auth/google/gmail") as current:
        answer = expect("POST", f"{api}/api/auth/google/gmail", {"auth_code": code}, headers)
        current.note(f"{answer['status']}  {answer['connector_id']}")
    return answer["connector_id"]


def make_trigger(api: str, headers: dict, connector: str) -> None:
    """Creates the trigger unless an earlier run of the story did."""
    with step("POST /api/triggers: subject contains \"invoice\"") as current:
        answer = expect("GET", f"{api}/api/triggers", headers=headers)
        triggers = answer["triggers"] if isinstance(answer, dict) else answer
        made = next((row for row in triggers if row.get("agent_id") == AGENT), None)
        if made is None:
            config = {"connector_id": connector, "filters": {"subject_contains": ["invoice"]}}
            made = expect("POST", f"{api}/api/triggers", {"type": "email", "config": config, "agent_id": AGENT}, headers)
        current.note(made["id"])


def deliver(google: str, subject: str) -> str:
    with step(f"Mail for {MAILBOX}: \"{subject}\"") as current:
        mail = {"from": "Billing <billing@shop.example>", "subject": subject, "text": "Please find the invoice attached."}
        message = expect("POST", f"{google}/admin/mailboxes/{MAILBOX}/messages", mail)["id"]
        current.note(f"message {message}")
    with step(f"Google pushes to {PUSH_PATH}: 202, the wake-up is queued"):
        expect("POST", f"{google}/admin/push/flush?timeout_ms=15000")
    return message


def receive(state: dict, message: str, sent: float) -> dict:
    """Waits for this message's event in the agent-run queue."""
    sqs, queue = client("sqs", state["aws_endpoint"]), state["agent_run_queue_url"]
    with step("TRIGGER_FIRED in the agent-run queue") as current:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for received in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5, MaxNumberOfMessages=1).get("Messages", []):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=received["ReceiptHandle"])
                event = json.loads(received["Body"])
                if event["message"]["id"] == message:
                    current.note(f"{time.monotonic() - sent:.2f} s after the mail")
                    return event
        raise Failure("no event arrived", function_logs.save(state))


def farewell(state: dict) -> None:
    heading("The stack stays up")
    if state.get("console_url"):
        say(f"  console      {state['console_url']}    sign in as a sample user; no account is needed")
    say(f"  API          {state['api_url']}")
    say(f"  AWS          AWS_ENDPOINT_URL={state['aws_endpoint']}")
    say(f"  fake Google  {state['google_url']}")
    say(f"  everything   {STATE}")
    say("  another mail: make local    what the functions wrote: make local-logs    end it: make local-down")
