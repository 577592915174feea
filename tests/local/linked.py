"""What is linked: licences, bans and sources of all crates, their advisories where a database can be had, and their notices."""

import os
import subprocess

import notices
from settings import ROOT
from terminal import Failure, say, step
from tools import cargo_deny_path

RULES = ROOT / ".deny.toml"
FUZZ = ROOT / "tests" / "fuzz" / "Cargo.toml"
# Where nothing answers, fetching may wait for ever.
PATIENCE = 90


def run() -> None:
    """Raises if something is linked that must not be; says so if the advisories could not be asked."""
    environment = os.environ | {"PATH": cargo_deny_path()}
    deny(environment, "Licences, bans and sources", "bans", "licenses", "sources")
    # What looks for crashes is given to nobody.
    deny(environment, "Bans and sources of the fuzz targets", "bans", "sources", manifest=("--manifest-path", str(FUZZ)))
    if fetched(environment):
        deny(environment, "Advisories", "advisories")
        deny(environment, "Advisories of the fuzz targets", "advisories", manifest=("--manifest-path", str(FUZZ)))
    elif os.environ.get("ADVISORIES") == "required":
        raise Failure("the advisories' database cannot be fetched, and ADVISORIES=required asks for it")
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
    """Whether the newest advisories are here. Old ones would find nothing new, and look as if there were nothing."""
    command = ["cargo", "deny", "--config", str(RULES), "fetch", "db"]
    try:
        return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, timeout=PATIENCE).returncode == 0
    except subprocess.TimeoutExpired:
        return False
