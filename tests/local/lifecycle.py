"""Up, deploy and down of the local stack, and stack.json, which has its addresses."""

import json
import os
import shutil
import sys
from pathlib import Path

import build
import processes
from settings import CALLS, CANARIES, COLLECTED, COLLECTS_EVENTS, GRAPH_REQUESTS, LOCAL, LOGS, PROCESSES, RECORDS_CALLS, REGION, ROOT, SAM_LOCAL, SEEN, STACK
from settings import STATE, bare_environment, issuer, parameters
from settings import PUBSUB_AUDIENCE, PUBSUB_SERVICE_ACCOUNT, PUBSUB_SUBSCRIPTION, PUSH_PATH
from terminal import Failure, say, step
from web import expect, serves, wait_until

FOREIGN_GOOGLE = "LOCAL_GOOGLE_URL"


def up(built: bool = False) -> dict:
    """Builds unless `built`, starts and deploys; deploys onto a running stack, whose data stays."""
    if not built:
        build.all()
    running = reusable()
    if running:
        say("  A stack is running: deploying onto it (`make local-down` would end it and forget its data).")
        return deploy(running)
    down()
    try:
        return deploy(start({"pids": {}}))
    except BaseException:
        down()
        raise


def reusable() -> dict | None:
    """The running stack, unless a process of it has ended, it uses another Google, or the fake was rebuilt since."""
    state = read(STATE)
    if state is None:
        return None
    if not whole(state):
        say("  A stack was started but is not whole any more: replacing it.")
    elif foreign_google() != (None if "google" in state["pids"] else state["google_url"]):
        say("  The running stack talks to another Google: replacing it.")
    elif RECORDS_CALLS != ("recorder" in state["pids"]):
        say("  The running stack's calls are recorded where they should not be, or not where they should: replacing it.")
    elif "google" in state["pids"] and build.fakes_built() > state["fakes_built"]:
        say("  A fake provider was built anew since the stack started: replacing the stack.")
    else:
        return state
    return None


def whole(state: dict) -> bool:
    """Whether every started process still runs."""
    return all(processes.alive(process) for process in state["pids"].values()) and serves(f"{state['aws_endpoint']}/_ministack/ready")


def start(state: dict) -> dict:
    """Starts MiniStack and the fake Google, and with LOCAL_RECORD_CALLS=1 the recorder before MiniStack."""
    import ministack

    for file in (CALLS, SEEN, COLLECTED, CANARIES, GRAPH_REQUESTS):
        file.unlink(missing_ok=True)
    recorder = processes.free_port() if RECORDS_CALLS else None
    with step("Start MiniStack") as current:
        functions_endpoint = f"http://127.0.0.1:{recorder}" if recorder else None
        state["aws_endpoint"], started = ministack.start(LOGS / "ministack.log", LOCAL / "tmp", functions_endpoint)
        remember(state, "ministack", started)
        current.note(state["aws_endpoint"])
    if recorder:
        with step("Start the recorder of the functions' calls"):
            start_recorder(state, recorder)
    state["google_url"] = foreign_google()
    if not state["google_url"]:
        with step("Start the fake Google") as current:
            start_fake_google(state)
            current.note(state["google_url"])
    with step("Start the fake Microsoft") as current:
        start_fake_microsoft(state)
        current.note(state["microsoft_url"])
    return state


def start_recorder(state: dict, port: int) -> None:
    log = LOGS / "recorder.log"
    command = [sys.executable, "-B", str(Path(__file__).parent / "recorder.py"), "--port", str(port)]
    command += ["--upstream-port", state["aws_endpoint"].rsplit(":", 1)[1], "--file", str(CALLS)]
    started = processes.start(command, bare_environment(), log, ROOT)
    remember(state, "recorder", started)

    def ready() -> bool:
        processes.still_running(started)
        return serves(f"http://127.0.0.1:{port}/_ministack/ready")

    wait_until(ready, 15, "the recorder", log)


def start_fake_google(state: dict) -> None:
    state["google_url"] = f"http://127.0.0.1:{processes.free_port()}"
    state["fakes_built"] = build.fakes_built()
    secret = parameters(state["google_url"])["GoogleClientSecret"]
    given = ["--client-secret", secret, "--user-issuer", issuer(state["google_url"])]
    start_fake(state, "google", build.FAKE_GOOGLE, given)


def start_fake_microsoft(state: dict) -> None:
    state["microsoft_url"] = f"http://127.0.0.1:{processes.free_port()}"
    set = parameters(state["google_url"], state["microsoft_url"])
    given = ["--client-id", set["MicrosoftClientId"], "--client-secret", set["MicrosoftClientSecret"]]
    if RECORDS_CALLS:
        given += ["--requests", str(GRAPH_REQUESTS)]
    start_fake(state, "microsoft", build.FAKE_MICROSOFT, given)


def start_fake(state: dict, name: str, program: Path, given: list[str]) -> None:
    url, log = state[f"{name}_url"], LOGS / f"fake-{name}.log"
    command = [str(program), "--port", url.rsplit(":", 1)[1], *given]
    started = processes.start(command, bare_environment(), log, ROOT)
    remember(state, name, started)

    def ready() -> bool:
        processes.still_running(started)
        return serves(f"{url}/admin/health")

    wait_until(ready, 15, f"the fake {name.capitalize()}", log)


def remember(state: dict, name: str, process: dict) -> None:
    """Records a process at once, so that `down` finds it even if this command is killed."""
    state["pids"][name] = process
    write(PROCESSES, state["pids"])


def deploy(state: dict) -> dict:
    """Deploys onto the running services, points the fake's pushes at the webhook, and writes stack.json."""
    import deploy as deployment

    outputs = deployment.deploy(state["aws_endpoint"], state["google_url"], state["microsoft_url"])
    if "google" in state["pids"]:
        with step("Point the fake's pushes at the webhook"):
            push = {
                "endpoint": outputs["ApiUrl"] + PUSH_PATH,
                "audience": PUBSUB_AUDIENCE,
                "subscription": PUBSUB_SUBSCRIPTION,
                "service_account": PUBSUB_SERVICE_ACCOUNT,
            }
            expect("PUT", f"{state['google_url']}/admin/push", push)
    # The API's address is known only now; the parameter has one of the fake's that leads there.
    expect("PUT", f"{state['microsoft_url']}/admin/front", {"to": outputs["ApiUrl"]})
    state |= {
        "region": REGION,
        "stack_name": STACK,
        "api_url": outputs["ApiUrl"],
        "console_url": outputs.get("ConsoleUrl"),
        "table": outputs["TableName"],
        "mail_bucket": outputs["MailBucketName"],
        "secrets_key_id": outputs["SecretsKeyId"],
        "event_bus": outputs["EventBusName"],
        "notification_queue_url": outputs["NotificationQueueUrl"],
        "dead_letter_queue_url": outputs["NotificationDeadLetterQueueUrl"],
        "quarantine_queue_url": outputs["QuarantineQueueUrl"],
        "agent_run_queue_url": outputs["AgentRunQueueUrl"],
        "agent_run_dead_letter_queue_url": outputs["AgentRunDeadLetterQueueUrl"],
        "watch_renewer_function": deployment.physical_ids(state["aws_endpoint"])["WatchRenewerFunction"],
        "mint_user_token": {"method": "POST", "url": f"{state['google_url']}/admin/user-tokens", "body": {"sub": "local-owner", "claims": {"role": "admin"}}},
    }
    if COLLECTS_EVENTS and "collector" not in state["pids"]:
        with step("Start the collector of what the queues bring"):
            start_collector(state)
    write(STATE, state)
    return state


def start_collector(state: dict) -> None:
    command = [sys.executable, "-B", str(Path(__file__).parent / "collector.py"), "--endpoint", state["aws_endpoint"], "--file", str(COLLECTED)]
    for name in ("agent_run_queue", "quarantine_queue"):
        command += ["--queue", name, state[f"{name}_url"]]
    log = LOGS / "collector.log"
    started = processes.start(command, bare_environment(), log, ROOT)
    remember(state, "collector", started)

    def ready() -> bool:
        processes.still_running(started)
        return COLLECTED.exists()

    wait_until(ready, 15, "the collector", log)


def deploy_again() -> dict:
    """A second deploy onto the running stack, whose data stays."""
    state = reusable()
    if state is None:
        raise Failure("no stack is running: make local-up")
    return deploy(state)


def down() -> None:
    """Ends the processes of `up`. It is no error if none runs."""
    started = read(PROCESSES)
    if started:
        with step("End the running stack"):
            # MiniStack last: its functions may still be calling the others.
            for process in reversed(list(started.values())):
                processes.end(process)
    PROCESSES.unlink(missing_ok=True)
    STATE.unlink(missing_ok=True)
    shutil.rmtree(SAM_LOCAL, ignore_errors=True)


def running(below: str = "") -> dict:
    """The contents of stack.json, of this folder's stack or of one in a subfolder."""
    state = read(LOCAL / below / STATE.name)
    if state is None:
        raise Failure("no stack is running: make local-up")
    return state


def read(file: Path) -> dict | None:
    return json.loads(file.read_text()) if file.exists() else None


def write(file: Path, content: dict) -> None:
    """Writes atomically, for concurrent readers."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=2) + "\n")
    draft.replace(file)


def foreign_google() -> str | None:
    return os.environ.get(FOREIGN_GOOGLE, "").rstrip("/") or None
