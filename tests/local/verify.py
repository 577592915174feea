"""The phases of `make test` and `make test-long`, with their dependencies."""

import os
import subprocess
import sys
from dataclasses import dataclass

import security as cases
from build import BUILT, compiling
from phases import Phase, Run
from settings import GRAPH_REQUESTS, ROOT, TOOLS
from tools import nextest_path, path

ENTRY = str(ROOT / "tests" / "local" / "stack.py")
# The folder of a run's results, with a subfolder for each of its stacks.
FOLDER = TOOLS / "test"
# Times short enough to wait for, and quotas large enough not to wait for the next minute. The client secrets are
# planted, like every token of the fakes.
PARAMETERS = (
    "ProcessorTimeout=5 SweepEveryMinutes=1 QuietAfterMinutes=1 SettleSeconds=15 CircuitCooldownSeconds=5 "
    "GmailUserUnitsPerMinute=1000000 OwnerRequestsPerMinute=1000000 AuthRoleClaim=role LogLevel=debug "
    "GoogleClientSecret=canary-client-secret MicrosoftClientSecret=canary-microsoft-secret"
)
# AWS advises six times ProcessorTimeout: a wake-up that is delivered again while its processor still works may publish
# twice. A killed processor's messages stay hidden as long, so the stack whose processor is killed has a shorter time.
AS_ADVISED, SOON = "VisibilityTimeout=30", "VisibilityTimeout=6"
# Tests of a deployed stack wait most of their time, so more run than there are cores.
SIDE_BY_SIDE = "5"
KILLED = "test(/^deployed::killed::/)"

# These tests need no running service.
SELF_CONTAINED = "not (binary(adapters) | binary(samples) | binary(deployed) | binary(doctor) | binary(security) | binary(policies))"
# Tests of which `make test` runs only a part (tests::depth), without the weather tests.
DEEPER = "test(/^mail::round_trips|^round_trips/) | test(/thousands_of_users/) | binary(capacity)"
# Where fakes in the tests' own processes write down what was requested of them, as each stack's fake does in its folder.
REQUESTED = {"GRAPH_REQUESTS": str(FOLDER / GRAPH_REQUESTS.name)}
BINARIES, PACKAGES = FOLDER / "binaries.json", FOLDER / "packages.json"


def run() -> None:
    Run(short(), environment(), FOLDER / "logs").run()


def run_long() -> None:
    Run(long(), environment(), FOLDER / "logs-long").run()


def run_security() -> None:
    """Only the security cases, followed by the search for planted secrets."""
    cases.clear(FOLDER)
    tools, build, pack = built()
    stack = Stack("attacked", AS_ADVISED, collects=True)
    up = stack.up([pack])
    tried = Phase("Security cases", nextest("binary(security)"), [up, build], stack.environment())
    secrets = Phase("Planted secrets", local("canaries", stack.name), [tried])
    table = Phase("Security table", local("security-table"), [tried, secrets], tidies=True)
    Run([tools, build, pack, up, tried, secrets, table, stack.down([secrets])], environment(), FOLDER / "logs-security").run()
    sys.stdout.write((FOLDER / "logs-security" / "phase-security-table.log").read_text())


def environment() -> dict[str, str]:
    """The environment of the tests' stacks, without the developer's settings."""
    kept = {key: value for key, value in os.environ.items() if key != "LOCAL_GOOGLE_URL"}
    return kept | compiling() | {
        "PATH": path(),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CARGO_TERM_COLOR": "never",
        "LOCAL_DIR": str(FOLDER),
    }


@dataclass
class Stack:
    """One stack, with its own emulator, fake Google, folder and ports."""

    name: str
    visibility: str
    collects: bool = False
    # How its gateway matches routes, if not by the default.
    matches: str = ""

    def environment(self) -> dict[str, str]:
        folder = FOLDER / self.name
        return ({"GATEWAY_MATCHES": self.matches} if self.matches else {}) | {
            "LOCAL_PARAMETERS": f"{PARAMETERS} {self.visibility}",
            "LOCAL_RECORD_CALLS": "1",
            "LOCAL_COLLECT_EVENTS": "1" if self.collects else "0",
            "STACK_JSON": str(folder / "stack.json"),
        }

    def own_folder(self) -> dict[str, str]:
        return self.environment() | {"LOCAL_DIR": str(FOLDER / self.name)}

    def up(self, after: list[Phase]) -> Phase:
        return Phase(f"Stack up: {self.name}", local("up", "--built"), after, self.own_folder())

    def down(self, after: list[Phase]) -> Phase:
        return Phase(f"Stack down: {self.name}", local("down", "--keep-logs"), after, self.own_folder(), tidies=True)

    def phase(self, title: str, command: list[str], after: list[Phase], **variables: str) -> Phase:
        return Phase(title, command, after, self.own_folder() | variables)


def short() -> list[Phase]:
    cases.clear(FOLDER)
    (FOLDER / GRAPH_REQUESTS.name).unlink(missing_ok=True)
    tools, build, pack = built()
    units = Phase("Units, stories and shape", nextest(SELF_CONTAINED), [build], REQUESTED)
    adapters = Phase("Adapters", local("with-ministack", "--", *nextest("binary(adapters)")), [tools, build], REQUESTED)
    alone = [
        units,
        Phase("Google's own client", local("google-client"), [tools, build]),
        Phase("Microsoft's own client", local("microsoft-client"), [tools, build]),
        adapters,
        Phase("Real mail, some", local("mails", "--short"), [tools, build]),
        Phase("Templates", local("validate"), [tools]),
        Phase("Console, built", local("console-built"), [tools]),
        # After the build, which has fetched the crates.
        Phase("What is linked", local("linked"), [tools, build]),
        Phase("Canary deployment", local("canary-template"), [pack]),
        Phase("Samples through the Runtime Interface Emulator", local("with-ministack", "--", *nextest("binary(samples)")), [pack]),
    ]
    # They compute most of their time, beside stacks that have to answer within seconds on the same two cores. The units
    # take long, and have no turn to wait for.
    for phase in alone:
        phase.takes_turns = phase is not units

    stories = Stack("deployed", AS_ADVISED, collects=True)
    deployed = stories.phase("Deployed", nextest(f"binary(deployed) & not {KILLED}", threads=SIDE_BY_SIDE), [stories.up([pack])])

    shot = Stack("killed", SOON, collects=True)
    survived = shot.phase("Killed while it works", nextest(f"binary(deployed) & {KILLED}"), [shot.up([pack])])

    attacked = Stack("attacked", AS_ADVISED, collects=True)
    tried = Phase("Security cases", nextest("binary(security)"), [attacked.up([pack])], attacked.environment())

    operated = Stack("operated", AS_ADVISED)
    doctor = operated.phase("Doctor", nextest("binary(doctor)"), [operated.up([pack])])
    steps = operated.phase("First steps", local("first-steps"), [doctor])
    described = operated.phase("The API after its description", local("described", "--short"), [steps])
    migration = operated.phase("A migration, killed twice", local("migration"), [described])
    runbooks = operated.phase("Runbooks", local("runbooks", "--short"), [migration])

    # Once the shortest of the other stacks' tests have ended: two cores do not bear five stacks at once.
    visited = Stack("visited", AS_ADVISED)
    client = visited.phase("Client", local("client"), [visited.up([pack, survived])])
    developed = visited.phase("Console, hot reload", local("console-dev-tried"), [client])
    console = visited.phase("Console", local("console-stories"), [developed])

    ends = [deployed, survived, tried, runbooks, console]
    running = [stories, shot, attacked, operated, visited]
    stacks = [stack.name for stack in running]
    recorded = ":".join(str(FOLDER / name / "stack.json") for name in stacks)
    once = Phase("Each event once", local("each-event-once", *(stack.name for stack in running if stack.collects)), ends)
    secrets = Phase("Planted secrets", local("canaries", *stacks), ends)
    metrics = Phase("Metrics", local("metrics-compared", *stacks), ends)
    requested = Phase("Requests of Graph", local("graph-requests", ".", *stacks), [*ends, units, adapters])
    rights = Phase("Least privilege", nextest("binary(policies)"), ends, {"STACK_JSON": recorded})
    table = Phase("Security table", local("security-table"), [tried, secrets])
    away = operated.phase("Take down", local("take-down"), [once, secrets, metrics, rights])
    ups = [first.after[0] for first in (deployed, survived, tried, doctor, client)]
    ways = [deployed, once, survived, tried, doctor, steps, described, migration, runbooks, client, developed, console]
    tests = [*ways, secrets, metrics, requested, rights, table, away]
    downs = [stack.down([once, secrets, metrics, rights, away]) for stack in running]
    return [tools, build, pack, *alone, *ups, *tests, *downs]


def long() -> list[Phase]:
    """The long tests; `short` has a small part of each."""
    tools, build, pack = built()
    simulation = Phase("The whole simulation", [str(BUILT / "sim")], [build])
    teeth = Phase("The simulation's teeth", [sys.executable, "tests/teeth/bite.py"], [build])
    security_teeth = Phase("The security cases' teeth", [sys.executable, "tests/teeth/bite.py", "--security", "--together"], [build])
    whole = Phase("Tests that go deeper", nextest(DEEPER), [build], {"TEST_DEPTH": "whole"})
    mails = Phase("Real mail", local("mails"), [build, tools])
    bench = Phase("Bench, short", local("bench", "--short"), [build, tools])
    packed = Phase("Built by cargo-lambda", local("build-as-deployed"), [pack])

    weathered, shot = Stack("weathered", AS_ADVISED, collects=True), Stack("killed-long", SOON, collects=True)
    storm = weathered.phase("Long weather", nextest("binary(deployed) & test(/::weather::|::large::/)"), [weathered.up([pack])], TEST_DEPTH="whole")
    gap = shot.phase("Killed more often", nextest(f"binary(deployed) & {KILLED}"), [shot.up([pack])], TEST_DEPTH="whole")

    sent = Stack("attacked-sent", AS_ADVISED, collects=True, matches="sent")
    attacked = sent.phase("Security cases, routes matched as sent", nextest("binary(security)"), [sent.up([pack])], TEST_DEPTH="whole")

    operated = Stack("operated-long", AS_ADVISED)
    runbooks = operated.phase("Every runbook", local("runbooks"), [operated.up([pack])])
    described = operated.phase("The API after its description, whole", local("described"), [runbooks])

    visited = Stack("visited-long", AS_ADVISED)
    console = visited.phase("Console, every story", local("console-stories"), [visited.up([pack])], TEST_DEPTH="whole")
    pictures = visited.phase("Console, pictures", local("console-pictures"), [console])
    ups = [storm.after[0], gap.after[0], attacked.after[0], runbooks.after[0], console.after[0]]
    ends = [storm, gap, attacked, described, pictures]
    stacks = [weathered, shot, sent, operated, visited]
    requested = Phase("Requests of Graph, all", local("graph-requests", *(stack.name for stack in stacks)), ends)
    downs = [weathered.down([storm]), shot.down([gap]), sent.down([attacked]), operated.down([described]), visited.down([pictures])]
    # Last: its targets are built again, with instrumentation, and use all processors.
    fuzzing = Phase("Fuzzing", [sys.executable, "tests/local/fuzz.py", "--runs", "10000"], [security_teeth, teeth, packed])
    alone = [simulation, whole, mails, teeth, security_teeth, bench, packed, fuzzing]
    return [tools, build, pack, *alone, *ups, storm, gap, attacked, runbooks, described, console, pictures, requested, *downs]


def built() -> list[Phase]:
    """The phases that all others wait for: the tools, one build with one set of features, and its `sam build`."""
    tools = Phase("Tools", local("tools"))
    build = Phase("Build", local("build-tests"))
    pack = Phase("Pack", local("pack"), [tools, build])
    return [tools, build, pack]


def nextest(selected: str, *arguments: str, threads: str = "") -> list[str]:
    """Runs the built tests without calling cargo again."""
    known = ["--binaries-metadata", str(BINARIES), "--cargo-metadata", str(PACKAGES)]
    beside = ["--test-threads", threads] if threads else []
    return ["cargo", "nextest", "run", *known, "--no-fail-fast", *beside, "--filterset", selected, *arguments]


def local(*arguments: str) -> list[str]:
    return [sys.executable, ENTRY, *arguments]


def build_tests() -> None:
    """Builds all binaries and tests at once, and writes the metadata that the test runner needs instead of cargo."""
    nextest_path()
    subprocess.run(["cargo", "build", "--workspace", "--locked", "--bins", "--tests"], cwd=ROOT, check=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    listed = ["cargo", "nextest", "list", "--workspace", "--locked", "--list-type", "binaries-only", "--message-format", "json"]
    for file, command in ((BINARIES, listed), (PACKAGES, ["cargo", "metadata", "--format-version", "1", "--locked"])):
        file.write_bytes(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
