"""Checks all crates: licences, bans, sources, advisories if their database can be fetched, and notices."""

import os
import subprocess

import notices
from settings import ROOT
from terminal import Failure, say, step
from tools import cargo_deny_path

RULES = ROOT / ".deny.toml"
FUZZ = ROOT / "tests" / "fuzz" / "Cargo.toml"
# Without a network, fetching may wait for ever.
TIMEOUT_SECONDS = 90


def run() -> None:
    """Raises if a crate is not allowed; prints a note if the advisories cannot be fetched."""
    environment = os.environ | {"PATH": cargo_deny_path()}
    deny(environment, "Licences, bans and sources", "bans", "licenses", "sources")
    # The fuzz targets are not distributed, so their licences do not matter.
    deny(environment, "Bans and sources of the fuzz targets", "bans", "sources", manifest=("--manifest-path", str(FUZZ)))
    if fetched(environment):
        deny(environment, "Advisories", "advisories")
        deny(environment, "Advisories of the fuzz targets", "advisories", manifest=("--manifest-path", str(FUZZ)))
    elif os.environ.get("ADVISORIES") == "required":
        raise Failure("the advisories' database cannot be fetched, and ADVISORIES=required needs it")
    else:
        say("not done: advisories of the crates, whose database cannot be fetched from here")
    with step("The notices name what is linked"):
        notices.check()


def deny(environment: dict[str, str], label: str, *checks: str, manifest: tuple[str, ...] = ()) -> None:
    command = ["cargo", "deny", "--locked", "--log-level", "error", "--config", str(RULES), *manifest, "check", *checks]
    with step(label):
        if subprocess.run(command, cwd=ROOT, env=environment).returncode != 0:
            raise Failure(f"cargo deny check {' '.join(checks)} failed")


def fetched(environment: dict[str, str]) -> bool:
    """Whether the newest advisories could be fetched: old ones would hide new findings."""
    command = ["cargo", "deny", "--config", str(RULES), "fetch", "db"]
    try:
        return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, timeout=TIMEOUT_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False
