"""Holds the fake Microsoft, and what was requested of it, against what nobody here wrote: Microsoft's own clients, and a description of
Graph."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from contextlib import contextmanager
from pathlib import Path

import build
from settings import GRAPH_REQUESTS, LOCAL, ROOT, TOOLS
from terminal import Failure, say, step
from tools import microsoft_client_python, node

CRATE = ROOT / "tests" / "fake-microsoft"
COMMITTED = CRATE / "description"
FETCHED = TOOLS / "microsoft-description"
# What FETCHED was made from.
STAMP = "made-from.sha256"
LOCKED = ("package.json", "package-lock.json")
QUIET = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]


def run() -> None:
    python, folder = microsoft_client_python(), description()
    program, _ = node()
    build.binaries()
    for command in ([python, CRATE / "microsoft_client.py"], [program, FETCHED / "compare.mjs", folder]):
        with serving() as url:
            driven = subprocess.run([*command, url], capture_output=True, text=True, timeout=300)
        say((driven.stdout + driven.stderr).strip())
        if driven.returncode != 0:
            raise Failure(f"{Path(command[1]).name} and the fake Microsoft do not agree")
    sees_what_is_unknown()


def requests(stacks: list[str]) -> None:
    """Holds every request of Graph that the functions of these stacks made against the description. `.` stands for the fakes in the tests'
    own processes, which adapters and flows call."""
    files = [LOCAL / name / GRAPH_REQUESTS.name for name in stacks]
    missing = [str(file) for file in files if not file.exists()]
    if missing:
        raise Failure(f"no requests were recorded: {', '.join(missing)}")
    done = compared(files)
    say((done.stdout + done.stderr).strip())
    if done.returncode != 0:
        raise Failure("Graph is asked for what is not in its description")


def sees_what_is_unknown() -> None:
    """Each line of that file names one thing that Graph does not have."""
    file = COMMITTED / "unknown.jsonl"
    done = compared([file])
    found, wanted = done.stderr.count("unknown "), len(file.read_text().splitlines())
    if done.returncode == 0 or found != wanted:
        raise Failure(f"of {wanted} unknown things in {file.name} {found} are found:\n{done.stderr}")


def compared(files: list[Path]) -> subprocess.CompletedProcess:
    program, _ = node()
    command = [program, FETCHED / "compare.mjs", description(), "--requests", *files]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@contextmanager
def serving():
    """A fake of its own, by its URL."""
    fake = subprocess.Popen([str(build.FAKE_MICROSOFT)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(fake.stdout.readline())["url"]
    finally:
        fake.terminate()
        fake.wait(timeout=10)


def description() -> Path:
    """The folder of the package that carries the description, fetched once, with its sum checked; no script of it is run."""
    folder = FETCHED / "package"
    sums = hashlib.sha256(b"".join((COMMITTED / name).read_bytes() for name in LOCKED)).hexdigest()
    stamp = FETCHED / STAMP
    if not (stamp.exists() and stamp.read_text() == sums):
        with step("Fetch the description of Graph"):
            fetch()
        stamp.write_text(sums)
    # Beside node_modules, where it finds them.
    shutil.copy(COMMITTED / "compare.mjs", FETCHED)
    return folder


def fetch() -> None:
    shutil.rmtree(FETCHED, ignore_errors=True)
    FETCHED.mkdir(parents=True)
    for name in LOCKED:
        shutil.copy(COMMITTED / name, FETCHED)
    wanted = json.loads((COMMITTED / "package.json").read_text())["described"]
    npm("ci")
    npm("pack", wanted["package"])
    (archive,) = FETCHED.glob("*.tgz")
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != wanted["integrity"]:
        raise Failure(f"{archive.name} is {found}, and not {wanted['integrity']}")
    with tarfile.open(archive) as opened:
        opened.extractall(FETCHED, filter="data")


def npm(*arguments: str) -> None:
    program, command = node()
    path = f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run([*command, *arguments, *QUIET], cwd=FETCHED, env=os.environ | {"PATH": path}, stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failure(f"npm {' '.join(arguments)} failed")
