"""Builds what the local stack runs: the functions with `sam build`, and the fake Google."""

import os
import re
import signal
import subprocess
from pathlib import Path

from settings import BUILD, LOGS, ROOT, architecture, clean_environment, overrides
from terminal import Failure, Step, step
from tools import STACK_VENV, sam

FAKE_GOOGLE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "fake-google"


def environment() -> dict[str, str]:
    """The build's environment: this machine's linker, no toolchain downloads, and no whole-program optimisation."""
    kept = clean_environment()
    # SAM looks for the binaries in the target directory beside Cargo.toml.
    kept.pop("CARGO_TARGET_DIR", None)
    return kept | {
        "PATH": f"{STACK_VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CARGO_LAMBDA_COMPILER": "cargo",
        "RUSTUP_DIST_SERVER": "http://127.0.0.1:9",
        # Optimising and five fat links take many minutes and change nothing that a local run shows.
        "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0",
        "CARGO_PROFILE_RELEASE_LTO": "off",
        "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
    }


def functions() -> None:
    command = [sam(), "build", "--config-env", "local", *overrides({"Architecture": architecture()})]
    with step("sam build") as current:
        watched(command, environment(), LOGS / "build.log", current)


def fake_google() -> None:
    with step("Build the fake Google") as current:
        watched(["cargo", "build", "--package", "fake-google"], dict(os.environ), LOGS / "build-fake-google.log", current)


def fake_google_built() -> float:
    """When the fake's binary was written."""
    return FAKE_GOOGLE.stat().st_mtime if FAKE_GOOGLE.exists() else 0


def functions_built() -> bool:
    return (BUILD / "template.yaml").exists()


def watched(command: list[str], env: dict[str, str], log: Path, current: Step) -> None:
    """Runs a build and shows the function and the crates it is at."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # A session of its own, so that the compilers under it can be ended with it.
        child = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            while child.poll() is None:
                current.progress("  ".join(filter(None, [function(log), crates(child.pid)])))
                wait(child, 0.5)
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)
                child.wait()
    if child.returncode != 0:
        raise Failure(f"{' '.join(command[:2])} failed", log)


def wait(child: subprocess.Popen, seconds: float) -> None:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        pass


def function(log: Path) -> str:
    """The function that `sam build` spoke of last."""
    found = re.findall(r"functions: (\w+)", log.read_text(errors="replace"))
    return found[-1] if found else ""


def crates(root: int) -> str:
    """The crates that rustc is at, under the given process: cargo's own display is swallowed by SAM."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    family, names = {str(root)}, []
    # Parents are listed before their children unless pids wrapped around, which costs one line of display.
    for pid, parent, args in (row for row in rows if len(row) == 3):
        if parent in family:
            family.add(pid)
            names += re.findall(r"rustc --crate-name (\w+)", args)
    return ", ".join(sorted({name.replace("_", "-") for name in names}))
