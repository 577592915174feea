#!/usr/bin/env python3
"""Searches for inputs that break a promise of a fuzz target, with cargo-fuzz: every target for the same time; or, with
--runs, this many inputs from the stored ones and a fixed seed, so that a run can be repeated.

usage: fuzz.py (MINUTES | --runs N) [TARGET ...]"""

import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# The project's directory stays free of __pycache__.
sys.dont_write_bytecode = True

from settings import ROOT, TOOLS  # noqa: E402
from terminal import Failure, say, step, tail  # noqa: E402
from tools import cargo_fuzz_path  # noqa: E402

FUZZ = ROOT / "tests" / "fuzz"
# Not part of the project: inputs that reach new code, the build, and the logs.
GROWN = TOOLS / "fuzz"
BUILT = GROWN / "target"
# More than any limit in a target; a longer input is only slower.
LONGEST_INPUT = 20 * 1024
# In seconds; a slower input is a finding.
SLOWEST_INPUT = 10
MOST_MEMORY_MB = 2048
# The seed of a repeatable run.
SEED = 7


@dataclass
class Ran:
    target: str
    executions: int
    inputs: int
    crashers: list[Path]
    log: Path
    ended_well: bool


def targets() -> list[str]:
    return sorted(path.stem for path in (FUZZ / "fuzz_targets").glob("*.rs"))


def nightly() -> str | None:
    """The name of an installed nightly toolchain; rustup would download any other."""
    if not shutil.which("rustup"):
        return None
    shown = subprocess.run(["rustup", "toolchain", "list"], capture_output=True, text=True, check=True)
    found = re.search(r"^nightly-\S+", shown.stdout, re.MULTILINE)
    return found.group(0) if found else None


def compiler() -> tuple[dict[str, str], list[str]]:
    """Coverage instrumentation is unstable: an installed nightly has it, with the address sanitizer; otherwise
    RUSTC_BOOTSTRAP enables it on the stable compiler, without the sanitizer. No toolchain is downloaded."""
    if toolchain := nightly():
        return {"RUSTUP_TOOLCHAIN": toolchain}, []
    return {"RUSTC_BOOTSTRAP": "1"}, ["--sanitizer", "none"]


def build() -> dict[str, Path]:
    chosen, options = compiler()
    environment = {key: value for key, value in os.environ.items() if key != "CARGO_TARGET_DIR"} | {"PATH": cargo_fuzz_path()} | chosen
    # `cargo fuzz` passes no --locked on; a lock that fits before the build stays unchanged.
    fetch = ["cargo", "fetch", "--locked", "--manifest-path", str(FUZZ / "Cargo.toml")]
    command = ["cargo", "fuzz", "build", "--fuzz-dir", str(FUZZ), "--target-dir", str(BUILT), *options]
    log = GROWN / "build.log"
    GROWN.mkdir(parents=True, exist_ok=True)
    with step("Build the targets"), log.open("wb") as output:
        for each in (fetch, command):
            if subprocess.run(each, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT).returncode != 0:
                raise Failure(f"{' '.join(each[:3])} failed", log)
    folder = BUILT / f"{platform.machine()}-unknown-linux-gnu" / "release"
    return {target: folder / target for target in targets()}


def look(target: str, binary: Path, until: dict[str, int]) -> Ran:
    """Runs one target until libFuzzer's limit, or until the first input that breaks a promise."""
    corpus, artifacts, log = GROWN / "corpus" / target, GROWN / "artifacts" / target, GROWN / f"{target}.log"
    if "seed" in until:
        # A corpus grown by an earlier run would change this one.
        corpus = GROWN / "corpus-of-seed" / target
        shutil.rmtree(corpus, ignore_errors=True)
    shutil.rmtree(artifacts, ignore_errors=True)
    corpus.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True)
    stored = [FUZZ / "corpus" / target, FUZZ / "found" / target]
    options = {
        **until,
        "max_len": LONGEST_INPUT,
        "timeout": SLOWEST_INPUT,
        "rss_limit_mb": MOST_MEMORY_MB,
        "print_final_stats": 1,
        "artifact_prefix": f"{artifacts}/",
    }
    command = [str(binary), *(f"-{name}={value}" for name, value in options.items()), str(corpus), *(str(folder) for folder in stored if folder.exists())]
    with log.open("wb") as output:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT).returncode
    text = log.read_text(errors="replace")
    executions = re.search(r"stat::number_of_executed_units:\s+(\d+)", text)
    # libFuzzer also leaves inputs that were merely slow.
    crashers = sorted(path for path in artifacts.iterdir() if not path.name.startswith("slow-unit-"))
    inputs = sum(1 for _ in corpus.iterdir())
    return Ran(target, int(executions.group(1)) if executions else 0, inputs, crashers, log, code == 0)


def what_broke(log: Path) -> str:
    """The panic in the log; without one, the end of the log."""
    lines = log.read_text(errors="replace").splitlines()
    panics = [number for number, line in enumerate(lines) if " panicked at " in line]
    return "\n".join("    " + line[:300] for line in lines[panics[0] :][:6]) if panics else tail(log)


def keep(ran: Ran) -> None:
    """Copies the found inputs into the project, where the tests replay them."""
    folder = FUZZ / "found" / ran.target
    folder.mkdir(parents=True, exist_ok=True)
    for crasher in ran.crashers:
        shutil.copy2(crasher, folder / crasher.name)
        say(f"  {ran.target}: {(folder / crasher.name).relative_to(ROOT)}")


def fuzz(until: dict[str, int], wanted: list[str]) -> bool:
    binaries = build()
    unknown = [name for name in wanted if name not in binaries]
    if unknown:
        raise Failure(f"no such target: {', '.join(unknown)}; there are {', '.join(binaries)}")
    chosen = wanted or list(binaries)
    workers = os.cpu_count() or 1
    limits = ", ".join(f"{name} {value}" for name, value in until.items())
    with step(f"{len(chosen)} targets, each with {limits}; {workers} at a time"), ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(lambda name: look(name, binaries[name], until), chosen))
    say(f"\n  {'target':<10} {'executions':>12} {'corpus':>8} {'crashes':>8}")
    for ran in results:
        say(f"  {ran.target:<10} {ran.executions:>12} {ran.inputs:>8} {len(ran.crashers):>8}")
    for ran in (ran for ran in results if not ran.ended_well):
        say(f"\n{what_broke(ran.log)}")
        keep(ran)
    return all(ran.ended_well and ran.executions > 0 for ran in results)


def main() -> None:
    try:
        given = sys.argv[1:]
        if given[0] == "--runs":
            until, wanted = {"runs": int(given[1]), "seed": SEED}, given[2:]
        else:
            until, wanted = {"max_total_time": round(float(given[0]) * 60)}, given[1:]
    except (IndexError, ValueError):
        sys.exit(__doc__)
    try:
        sys.exit(0 if fuzz(until, wanted) else 1)
    except Failure as failure:
        if failure.log:
            say(f"\n  the end of {failure.log}:\n{tail(failure.log)}")
        sys.exit(f"\nfailed: {failure}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted")


if __name__ == "__main__":
    main()
