"""The console and the TypeScript client: their packages, checks, build and stories, by the Node of tools.py."""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import lifecycle
import processes
import web
from settings import LOCAL, LOGS, ROOT, TOOLS
from terminal import Failure, say, step
from tools import node

CONSOLE = ROOT / "console"
CLIENT = ROOT / "clients" / "typescript"
# What `npm run build` of the console writes, and the function carries.
ASSETS = ROOT / "functions" / "console" / "assets"
# Beside what npm installed: the sum of the lock that it installed.
STAMP = "installed.sha256"
# No telemetry, no notices, nothing to ask.
QUIET = {"CI": "1", "NPM_CONFIG_UPDATE_NOTIFIER": "false", "NPM_CONFIG_FUND": "false", "NPM_CONFIG_AUDIT": "false"}


def client() -> None:
    """The client is what its generator makes of the API's description, and its tests pass, some of them on the running stack."""
    install(CLIENT)
    for script in ("check", "test"):
        run(CLIENT, script)


def built() -> None:
    """The console's checks, and whether the function carries what they are made from."""
    install(CLIENT)
    install(CONSOLE)
    for script in ("check", "test"):
        run(CONSOLE, script)
    with tempfile.TemporaryDirectory(dir=made(TOOLS / "console")) as folder:
        run(CONSOLE, "build", "--outDir", folder, "--emptyOutDir")
        if different := differences(files(Path(folder)), files(ASSETS)):
            raise Failure("functions/console/assets is not what console/ builds; run `make console`:\n  " + "\n  ".join(different))
    say(f"  {len(files(ASSETS))} files, as committed")


def build() -> None:
    """Writes what the function carries."""
    install(CLIENT)
    install(CONSOLE)
    run(CONSOLE, "build")
    for name, content in sorted(files(ASSETS).items()):
        say(f"  {len(content):9,} bytes  {name}")


def stories() -> None:
    """People's ways through the console of the running stack, in a browser: the short form, or with TEST_DEPTH=whole all."""
    install(CLIENT)
    install(CONSOLE)
    run(CONSOLE, "stories")


def develop() -> None:
    """Vite's server with hot reload, before the running stack's API, until it is interrupted."""
    state = lifecycle.running()
    install(CLIENT)
    install(CONSOLE)
    try:
        run(CONSOLE, "dev", CONSOLE_API_URL=state["api_url"])
    except KeyboardInterrupt:
        say()


def developed() -> None:
    """`make console-dev` serves the page as its sources are, and below the same origin the running stack's API."""
    state = lifecycle.running()
    log = LOGS / "console-dev.log"
    with step("make console-dev") as current:
        make = processes.start(["make", "--no-print-directory", f"PYTHON={sys.executable}", "console-dev"], dict(os.environ), log, ROOT)
        try:
            said = lambda: re.sub(r"\x1b\[[0-9;]*m", "", log.read_text())  # noqa: E731
            address = lambda: re.search(r"Local:\s+(http://[^/\s]+)/console/", said())  # noqa: E731
            web.wait_until(lambda: processes.still_running(make) or address(), 120, "the address of the console", log)
            origin = address()[1]
            current.note(origin)
            for path, part in {"/console/": "/@vite/client", "/console/src/main.tsx": "createRoot"}.items():
                if part not in str(web.expect("GET", origin + path)):
                    raise Failure(f"{origin}{path} has no {part}", log)
            for path in ("/api/system/info", "/console/config.json"):
                own, stacks = (web.expect("GET", base + path) for base in (origin, state["api_url"].rstrip("/")))
                if own != stacks:
                    raise Failure(f"{origin}{path} is not the stack's: {own}", log)
        finally:
            processes.end(make)


def pictures() -> None:
    """`npm run pictures` shows every view on the running stack. What it makes is compared with the documents' pictures."""
    install(CLIENT)
    install(CONSOLE)
    run(CONSOLE, "pictures", PICTURES=str(made(LOCAL / "pictures")))


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def differences(made: dict[str, bytes], committed: dict[str, bytes]) -> list[str]:
    names = sorted(made.keys() | committed.keys())
    kind = lambda name: "is missing" if name not in committed else "is too many" if name not in made else "differs"  # noqa: E731
    return [f"{name} {kind(name)}" for name in names if made.get(name) != committed.get(name)]


def install(folder: Path) -> None:
    """`npm ci`, if the lock is not the one that was installed; phases beside each other wait for it."""
    installed = folder / "node_modules" / STAMP
    with (made(TOOLS / "console") / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
        if installed.exists() and installed.read_text() == wanted:
            return
        with step(f"npm ci in {folder.relative_to(ROOT)}"):
            # No script of a package is run: what is needed comes in it.
            npm(folder, "ci", "--ignore-scripts", "--silent")
        installed.write_text(wanted)


def run(folder: Path, script: str, *arguments: str, **variables: str) -> None:
    """A script of the folder's package."""
    npm(folder, "run", "--silent", script, "--", *arguments, **variables)


def npm(folder: Path, *arguments: str, **variables: str) -> None:
    program, command = node()
    path = f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run([*command, *arguments], cwd=folder, env=os.environ | QUIET | {"PATH": path} | variables)
    if done.returncode != 0:
        raise Failure(f"npm {' '.join(arguments)} failed in {folder.relative_to(ROOT)}")


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
