"""Every sample event through the real `sam local invoke`, compared with tests/tests/samples/answers.json.

The containers reach the local stack's AWS and its fake Google through a proxy on the container engine's bridge."""

import ipaddress
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import processes
from settings import BUILD, LOGS, PROCESSES, ROOT, SAM_LOCAL, STATE, aws_environment
from terminal import Failure, heading, say, step, tail
from web import serves, wait_until

EVENTS = ROOT / "events"
ANSWERS = ROOT / "tests" / "tests" / "samples" / "answers.json"
CONFIG = SAM_LOCAL / "samconfig.toml"
LOG = LOGS / "sam-local.log"
WITHOUT = "`make test` runs the same samples without containers, through AWS's Runtime Interface Emulator."
FOREIGN = "the samples need the bundled fake Google, which publishes the keys of their tokens: unset LOCAL_GOOGLE_URL, and make local-down"
QUEUE_NAMES = {
    "NOTIFICATION_QUEUE_URL": "in the queue of wake-ups",
    "DEAD_LETTER_QUEUE_URL": "in the dead-letter queue",
    "QUARANTINE_QUEUE_URL": "in the quarantine queue",
    "EVENT_BUS_NAME": "on the bus",
}
# A sample takes a few seconds; the first one also fetches the base image and builds SAM's image on it.
TIMEOUT_SECONDS = 600


def run(names: list[str]) -> None:
    """Invokes all samples, or the named ones, on the running stack or on one that ends with this command."""
    import build
    import lifecycle

    chosen = choose(expected(), names)
    if lifecycle.foreign_google():
        raise Failure(FOREIGN)
    state = lifecycle.read(STATE)
    # A running stack is used as it is, since it may have a developer's data.
    if state is not None and lifecycle.whole(state):
        # The containers run the built functions, which must match the source.
        build.all()
        invoke_all(state, chosen)
        say(f"\n  One by hand, on the running stack:\n\n    {shown(command(chosen[-1]))}")
        return
    try:
        invoke_all(lifecycle.up(), chosen)
        say("\n  No stack ran before, so this one ends. To keep one, and to invoke by hand: make local-up, then make sam-local.")
    finally:
        lifecycle.down()


# ---- What is expected ----


@dataclass
class Sample:
    name: str
    answer: dict
    leaves: dict[str, list] = field(default_factory=dict)
    after: list[str] = field(default_factory=list)

    @property
    def event(self) -> Path:
        return EVENTS / f"{self.name}.json"

    @property
    def function(self) -> str:
        """`history-processor` is `HistoryProcessorFunction` in the template."""
        return "".join(word.capitalize() for word in self.name.split(".")[0].split("-")) + "Function"


def expected() -> list[Sample]:
    """The samples in their order of invocation; raises unless each file has one, with an expectation."""
    samples = [Sample(**row) for row in json.loads(ANSWERS.read_text())]
    files = sorted(file.stem for file in EVENTS.glob("*.json"))
    if files != sorted(sample.name for sample in samples) or not files:
        raise Failure(f"{ANSWERS.relative_to(ROOT)} and events/ do not name the same samples")
    if silent := [sample.name for sample in samples if not sample.answer]:
        raise Failure(f"{ANSWERS.relative_to(ROOT)} expects nothing of {', '.join(silent)}")
    return samples


def choose(samples: list[Sample], names: list[str]) -> list[Sample]:
    """The samples that are named, by path or by name, and before them those that they need."""
    known = {sample.name: sample for sample in samples}
    requested = [Path(name).name.removesuffix(".json") for name in names]
    if unknown := [name for name in requested if name not in known]:
        raise Failure(f"no sample {', '.join(unknown)}; there are:\n  " + "\n  ".join(known))
    wanted = {need for name in requested for need in [name, *known[name].after]}
    return [sample for sample in samples if not names or sample.name in wanted]


def holds(answer, expects) -> bool:
    """Whether an answer contains what is expected: objects may have more keys, lists and other values must be equal.

    tests/tests/samples.rs reads the same file with the same rule."""
    if isinstance(answer, dict) and isinstance(expects, dict):
        return all(key in answer and holds(answer[key], value) for key, value in expects.items())
    if isinstance(answer, list) and isinstance(expects, list):
        return len(answer) == len(expects) and all(map(holds, answer, expects))
    return type(answer) is type(expects) and answer == expects


def read(answer):
    """A function's HTTP answer with its body parsed; other answers unchanged."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return answer
    text = answer.get("body") or ""
    try:
        body = {"body": json.loads(text)}
    except ValueError:
        body = {"text": text}
    return {"status": answer["statusCode"], "location": answer.get("headers", {}).get("location")} | body


def in_short(answer) -> str:
    """An answer in one line."""
    if isinstance(answer, dict) and "status" in answer:
        body = answer["body"] if isinstance(answer.get("body"), dict) else {}
        words = [body.get("code") or body.get("status"), body.get("email_address"), body.get("field")]
        return " ".join([str(answer["status"]), *(word for word in words if isinstance(word, str))])
    text = json.dumps(answer, separators=(",", ":"))
    return text if len(text) <= 160 else text[:157] + "…"


# ---- Invoking ----


def invoke_all(state: dict, samples: list[Sample]) -> None:
    import sample_world

    address = open_doorway(state)
    by_hand(state, address)
    world = sample_world.World(state)
    environment = SAM_LOCAL / f"{world.name}.json"
    try:
        write(environment, variables(state, address, world.instead))
        heading("Samples through sam local invoke")
        LOG.unlink(missing_ok=True)
        wrong = [sample.name for sample in samples if not proven(sample, environment, world)]
    finally:
        environment.unlink(missing_ok=True)
        world.remove()
    say(f"\n  {len(samples)} invoked: {len(samples) - len(wrong)} as expected, {len(wrong)} not")
    if wrong:
        raise Failure(f"not what {ANSWERS.relative_to(ROOT)} expects: " + ", ".join(wrong))


def proven(sample: Sample, environment: Path, world) -> bool:
    """Invokes one sample and prints a line, and what was expected if it differs."""
    started = time.monotonic()
    answer = read(invoke(sample, environment))
    took = time.monotonic() - started
    left = {variable: world.taken(variable, len(sample.leaves.get(variable, []))) for variable in world.queues}
    left = {variable: messages for variable, messages in left.items() if messages}
    answered = holds(answer, sample.answer)
    kept = holds(left, sample.leaves) and left.keys() == sample.leaves.keys()
    good = answered and kept
    beside = "".join(f", {len(messages)} {QUEUE_NAMES[variable]}" for variable, messages in left.items())
    say(f"  {'ok' if good else 'FAIL':<4} {took:6.1f} s  {sample.name}: {in_short(answer)}{beside}")
    if not answered:
        say(f"       answered  {json.dumps(answer)}\n       expected  {json.dumps(sample.answer)}")
    if not kept:
        say(f"       left      {json.dumps(left)}\n       expected  {json.dumps(sample.leaves)}")
    if not good:
        say(tail(LOG, 12))
    return good


def invoke(sample: Sample, environment: Path):
    """The function's answer; without one, a text, which no sample expects."""
    import build

    with LOG.open("ab") as log:
        log.write(f"== {sample.name}\n".encode())
        log.flush()
        words = [*command(sample), "--env-vars", str(environment)]
        child = subprocess.Popen(words, cwd=ROOT, env=build.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        try:
            output = child.communicate(timeout=TIMEOUT_SECONDS)[0].decode(errors="replace").strip()
        except subprocess.TimeoutExpired:
            return f"no answer within {TIMEOUT_SECONDS} s"
        finally:
            if child.poll() is None:
                # SIGTERM makes SAM end its container too.
                child.terminate()
                child.wait(30)
    if child.returncode != 0:
        return f"sam local invoke ended with {child.returncode}"
    try:
        return json.loads(output)
    except ValueError:
        return output


def command(sample: Sample) -> list[str]:
    from tools import sam

    return [sam(), "local", "invoke", sample.function, "--event", str(sample.event), "--config-file", str(CONFIG)]


def shown(words: list[str]) -> str:
    """A command as it is typed in the project's directory."""
    return shlex.join(os.path.relpath(word, ROOT) if word.startswith(f"{ROOT}{os.sep}") else word for word in words)


# ---- What `sam local invoke` needs to know ----


def by_hand(state: dict, address: str) -> None:
    """Settings for any `sam local invoke` on the running stack, until it ends."""
    from settings import REGION

    write(SAM_LOCAL / "template.json", template(state))
    write(SAM_LOCAL / "variables.json", variables(state, address, {}))
    settings = {
        "template_file": str(SAM_LOCAL / "template.json"),
        "env_vars": str(SAM_LOCAL / "variables.json"),
        "region": REGION,
        "skip_pull_image": True,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    CONFIG.write_text("\n".join(["version = 0.1", "[default.local_invoke.parameters]", *lines]) + "\n")


def template(state: dict) -> dict:
    """The built template, with two changes that only a container on this machine needs.

    `sam local invoke` sets only variables that the template declares, so this copy declares AWS_ENDPOINT_URL. Parameters
    get the running stack's values as defaults; secret ones reach the functions as variables."""
    from deploy import client
    from samtranslator.yaml_helper import yaml_parse
    from settings import STACK

    built = yaml_parse((BUILD / "template.yaml").read_text())
    for resource in built["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # SAM looks for it beside the template.
            resource["Properties"]["CodeUri"] = str(BUILD / resource["Properties"]["CodeUri"])
    built["Globals"]["Function"]["Environment"]["Variables"] |= aws(state["aws_endpoint"])
    deployed = client("cloudformation", state["aws_endpoint"]).describe_stacks(StackName=STACK)["Stacks"][0]
    for parameter in deployed["Parameters"]:
        if "NoEcho" not in built["Parameters"].get(parameter["ParameterKey"], {"NoEcho": True}):
            built["Parameters"][parameter["ParameterKey"]]["Default"] = parameter["ParameterValue"]
    return built


def variables(state: dict, address: str, instead: dict[str, str]) -> dict[str, dict[str, str]]:
    """Each function's variables on the running stack, with loopback addresses replaced by the proxy's.

    `instead` replaces whole values."""
    from deploy import client, physical_ids, processed

    functions = client("lambda", state["aws_endpoint"])
    ids = physical_ids(state["aws_endpoint"])
    found, replaced = {}, set()
    for name in (name for name, resource in processed(state["aws_endpoint"]).items() if resource["Type"] == "AWS::Lambda::Function"):
        own = functions.get_function_configuration(FunctionName=ids[name])["Environment"]["Variables"]
        replaced |= instead.keys() & own.values()
        own = {key: instead.get(value, value.replace(state["google_url"], through(state["google_url"], address))) for key, value in own.items()}
        found[name] = own | aws(through(state["aws_endpoint"], address))
    if forgotten := instead.keys() - replaced:
        raise Failure(f"no function of the running stack has {', '.join(forgotten)}")
    return found


def aws(endpoint: str) -> dict[str, str]:
    """The emulator's variables, without the developer's own session, which SAM would pass on."""
    return aws_environment(endpoint) | {"AWS_SESSION_TOKEN": ""}


def through(url: str, address: str) -> str:
    return url.replace("127.0.0.1", address)


def write(file: Path, content: dict) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n")


# ---- The container engine ----


def require_docker() -> None:
    if not shutil.which("docker"):
        raise Failure(f"sam local needs Docker, which is not installed. {WITHOUT}")
    answer = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True)
    if answer.returncode != 0:
        raise Failure(f"sam local needs a Docker engine, and none answers: {answer.stderr.strip()}\n{WITHOUT}")


def bridge_address() -> str:
    """This machine's address on the containers' network."""
    shown = subprocess.run(["docker", "network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"], capture_output=True, text=True)
    if shown.returncode != 0:
        raise Failure(f"the Docker engine has no default bridge, which sam local needs: {shown.stderr.strip()}\n{WITHOUT}")
    config = next(row for row in json.loads(shown.stdout) if "." in row["Subnet"])
    # The engine shows the gateway only if it was configured; otherwise it is the first address.
    return config.get("Gateway") or str(next(ipaddress.ip_network(config["Subnet"]).hosts()))


def open_doorway(state: dict) -> str:
    """Starts the proxy for containers, until the stack ends; returns its address."""
    import lifecycle

    if "google" not in state["pids"]:
        raise Failure(FOREIGN)
    address = bridge_address()
    doors = [f"{through(state['aws_endpoint'], address)}/_ministack/ready", f"{through(state['google_url'], address)}/admin/health"]
    if all(map(serves, doors)):
        return address
    with step("Open a doorway for containers") as current:
        if former := (lifecycle.read(PROCESSES) or {}).get("doorway"):
            processes.end(former)
        ports = [url.rsplit(":", 1)[1] for url in (state["aws_endpoint"], state["google_url"])]
        log = LOGS / "doorway.log"
        words = [sys.executable, "-B", str(Path(__file__).parent / "doorway.py"), "--address", address, "--ports", *ports]
        started = processes.start(words, {}, log, ROOT)
        # It ends with the stack, but the stack does not need it to be reused.
        lifecycle.write(PROCESSES, (lifecycle.read(PROCESSES) or {}) | {"doorway": started})

        def ready() -> bool:
            processes.still_running(started)
            return all(map(serves, doors))

        wait_until(ready, 15, f"the doorway on {address}", log)
        current.note(address)
    return address
