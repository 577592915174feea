"""Everything that `make test` proves, in order, with times and one count at the end."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import security as cases
from settings import ROOT, TOOLS
from terminal import Failure, heading, say
from tools import interface_emulator, nextest_path, sam

ENTRY = str(ROOT / "tests" / "local" / "stack.py")
# Times short enough to wait for; VisibilityTimeout stays six times ProcessorTimeout. What a mailbox may spend is no time, but
# a minute's quota would be one to wait for.
SHORT_TIMES = (
    "ProcessorTimeout=5 VisibilityTimeout=30 SweepEveryMinutes=1 QuietAfterMinutes=1 SettleSeconds=15 CircuitCooldownSeconds=5 "
    "GmailUserUnitsPerMinute=1000000 AuthRoleClaim=role LogLevel=debug"
)

# The fake Google plants the same text in everything that it mints.
PLANTED_SECRET = "GoogleClientSecret=canary-client-secret"

NEED_SERVICES = {"adapters", "samples", "deployed", "doctor", "security", "policies"}


@dataclass
class Tally:
    """What the test runner counted so far."""

    passed: int = 0
    failed: int = 0
    environment: dict = field(default_factory=dict)

    def phase(self, title: str, command: list[str], extra: dict[str, str] | None = None) -> None:
        """Runs one command under a heading; a command that fails ends the run."""
        heading(title)
        started = time.monotonic()
        code = self.run(command, self.environment | (extra or {}))
        say(f"-- {title}: {'ok' if code == 0 else 'FAILED'} ({time.monotonic() - started:.1f} s)")
        if code != 0:
            raise Failure(f"{title} failed")

    def run(self, command: list[str], environment: dict[str, str]) -> int:
        """Passes the output on and counts the test runner's summaries in it."""
        child = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        try:
            for line in child.stdout:
                print(line, end="", flush=True)
                self.add(re.sub(r"\x1b\[[0-9;]*m", "", line))
            return child.wait()
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()

    def add(self, line: str) -> None:
        if re.search(r"^\s*Summary \[.*\d+ tests? run:", line):
            self.passed += count(line, "passed")
            self.failed += count(line, "failed") + count(line, "timed out")


def count(summary: str, what: str) -> int:
    found = re.search(rf"(\d+) {what}", summary)
    return int(found.group(1)) if found else 0


def run() -> None:
    started = time.monotonic()
    tally = Tally(environment=environment())
    try:
        phases(tally)
    finally:
        say(f"\n{time.monotonic() - started:.0f} s in all")
        say(f"{tally.passed} passed, {tally.failed} failed")


def environment() -> dict[str, str]:
    """The tests' own stack, whatever the developer's own settings are."""
    kept = {key: value for key, value in os.environ.items() if key != "LOCAL_GOOGLE_URL"}
    local = str(TOOLS / "test")
    return kept | {
        "PATH": nextest_path(),
        "SAM_CLI_TELEMETRY": "0",
        "LOCAL_DIR": local,
        "LOCAL_PARAMETERS": f"{SHORT_TIMES} {PLANTED_SECRET}",
        "LOCAL_RECORD_CALLS": "1",
        "STACK_JSON": f"{local}/stack.json",
        "AWS_LAMBDA_RIE": str(interface_emulator()),
    }


def phases(tally: Tally) -> None:
    tally.phase("Format", ["cargo", "fmt", "--all", "--check"])
    tally.phase("Lint", ["cargo", "clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])
    tally.phase("Template", [sam(), "validate", "--lint"], {"AWS_DEFAULT_REGION": "us-east-1"})
    tally.phase("Sample template", [sam(), "validate", "--lint", "--template", "examples/consumer/template.yaml"], {"AWS_DEFAULT_REGION": "us-east-1"})
    tally.phase("Units, stories and shape", nextest("--lib", "--bins", *tests(self_contained())))
    tally.phase("Google's own client", local("google-client"))
    tally.phase("Adapters", local("with-ministack", "--", *nextest(*tests(["adapters"]))))
    tally.phase("Build", local("build"))
    tally.phase("Canary deployment", local("canary-template"))
    tally.phase("Samples through the Runtime Interface Emulator", local("with-ministack", "--", *nextest(*tests(["samples"]))))
    try:
        tally.phase("Local stack up", local("up"))
        deployed(tally)
    finally:
        tally.phase("Local stack down", local("down"))


def deployed(tally: Tally) -> None:
    try:
        tally.phase("Deployed", nextest(*tests(["deployed", "doctor"])))
        tally.phase("The API after its description", local("described"))
        tally.phase("A migration, killed twice", local("migration"))
        security(tally)
        tally.phase("Runbooks", local("runbooks"))
        tally.phase("Metrics", local("metrics-compared"))
        tally.phase("Least privilege", nextest(*tests(["policies"])))
        tally.phase("Take down", local("take-down"))
    except Failure:
        tally.phase("What the functions wrote", local("logs"))
        raise


def security(tally: Tally) -> None:
    """Every case, and then the table of what came of them, also if one of them failed."""
    cases.clear(Path(tally.environment["LOCAL_DIR"]))
    try:
        try:
            tally.phase("Security cases", nextest(*tests(["security"])))
        finally:
            tally.phase("Planted secrets", local("canaries"))
    finally:
        tally.phase("Security table", local("security-table"))


def nextest(*arguments: str) -> list[str]:
    """Always the whole workspace, of which the arguments select targets: another set of packages is another set of
    features, and would build the dependencies again."""
    return ["cargo", "nextest", "run", "--workspace", "--no-fail-fast", *arguments]


def tests(names: list[str]) -> list[str]:
    return [argument for name in names for argument in ("--test", name)]


def self_contained() -> list[str]:
    """Every integration test of the workspace that needs nothing running."""
    shown = subprocess.run(["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = (target for package in json.loads(shown.stdout)["packages"] for target in package["targets"])
    return sorted({target["name"] for target in targets if "test" in target["kind"]} - NEED_SERVICES)


def local(*arguments: str) -> list[str]:
    return [sys.executable, ENTRY, *arguments]
