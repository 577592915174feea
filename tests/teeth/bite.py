#!/usr/bin/env python3
"""Plants known bugs, one at a time, in a copy of the project, and checks that the simulation catches each; or, with
--security, removes security checks, and checks that the security cases fail without them.

A tooth is a text file: a description, the file to change, the text to replace, and its replacement. The name of a
security tooth begins with the number of the case that must fail. With --together several security teeth of different cases
are planted at once, and each of their cases must fail: faster, but one tooth may hide that another is no longer caught. A
tooth that its group does not catch is tried alone.
usage: bite.py [--security [--together]] [NAME ...]"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TEETH = Path(__file__).resolve().parent
ROOT = TEETH.parent.parent
KIND = "security" if "--security" in sys.argv[1:] else "simulation"
# The most teeth in one build, with --together.
MOST_TOGETHER = 8 if "--together" in sys.argv[1:] else 1
SCRATCH = ROOT / ".local" / f"teeth-{KIND}"
# A separate build directory, which stays: cargo identifies a workspace's crates by their path within it, and would take
# crates that were built with a bug for the project's own.
TARGET = ROOT / "target" / f"teeth-{KIND}"
# Without debug information.
QUICK = {"CARGO_TARGET_DIR": str(TARGET), "CARGO_PROFILE_DEV_DEBUG": "0"}
BUILT = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute() / "debug"
# Scenarios with single faults, some pairs, then histories; each ends at the first violation.
DEPTHS = (["--first", "--pairs-step", "0", "--sampled-pairs", "0"], ["--first", "--only-seeds", "--seeds", "4000"])


def parts(tooth: Path) -> tuple[str, str, str, str]:
    peer, file, rest = tooth.read_text().split("\n", 2)
    old, new = rest.removeprefix("<<<<<<<\n").removesuffix("\n>>>>>>>\n").split("\n=======\n")
    return peer, file, old, new


def number(tooth: Path) -> str:
    """Of the case that must fail."""
    return tooth.stem.split("_")[0]


def plant(tooth: Path) -> bool:
    """Plants the bug in the copy; False if another one has changed that text already."""
    _, file, old, new = parts(tooth)
    count = (ROOT / file).read_text().count(old)
    if count != 1:
        sys.exit(f"{tooth.name}: what it replaces stands {count} times in {file}, and must stand there once")
    target = SCRATCH / file
    text = target.read_text()
    if text.count(old) != 1:
        return False
    target.write_text(text.replace(old, new))
    return True


def pull(teeth: list[Path]) -> None:
    for file in {parts(tooth)[1] for tooth in teeth}:
        shutil.copyfile(ROOT / file, SCRATCH / file)


def plant_group(left: list[Path]) -> list[Path]:
    """Plants as many of these as fit together, in this order, at most one for each case."""
    planted: list[Path] = []
    for tooth in left:
        if len(planted) < MOST_TOGETHER and number(tooth) not in map(number, planted) and plant(tooth):
            planted.append(tooth)
    return planted


def apart(teeth: list[Path]) -> list[Path]:
    """Neighbours, which are often about the same code and would hide each other, in different groups."""
    groups = -(-len(teeth) // MOST_TOGETHER)
    return [tooth for first in range(groups) for tooth in teeth[first::groups]]


class Simulation:
    """The simulation finds a violation."""

    teeth = TEETH

    def prepare(self, teeth: list[Path]) -> None:
        pass

    def catches(self, teeth: list[Path]) -> dict[Path, str | None]:
        (tooth,) = teeth
        return {tooth: bite(build(SCRATCH))}


class Security:
    """A case of the security table fails; the rows that need no deployed stack are enough."""

    teeth = TEETH / "security"

    def prepare(self, teeth: list[Path]) -> None:
        """Ends if a case fails without any tooth; with --together, `make test` has already shown that none does."""
        if MOST_TOGETHER > 1:
            return
        for tooth, failed in self.catches(teeth).items():
            if failed:
                sys.exit(f"case {number(tooth)} fails with nothing taken out: {failed}")

    def catches(self, teeth: list[Path]) -> dict[Path, str | None]:
        """The failures of each tooth's case, or None; all None if it does not compile."""
        binary = self.compile(teeth)
        if binary is None:
            return dict.fromkeys(teeth)
        numbers = sorted({number(tooth) for tooth in teeth})
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            failed = dict(zip(numbers, pool.map(lambda number: self.fails(binary, number), numbers)))
        return {tooth: failed[number(tooth)] for tooth in teeth}

    def compile(self, teeth: list[Path]) -> Path | None:
        command = ["cargo", "test", "--locked", "--workspace", "--test", "security", "--no-run", "--message-format", "json-render-diagnostics"]
        built = subprocess.run(command, cwd=SCRATCH, env=os.environ | QUICK, capture_output=True, text=True)
        if built.returncode != 0:
            print(f"with {', '.join(tooth.stem for tooth in teeth)} it does not compile:\n{built.stderr}", flush=True)
            return None
        artifacts = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
        return Path(next(artifact["executable"] for artifact in artifacts if artifact.get("target", {}).get("name") == "security"))

    def fails(self, binary: Path, number: str) -> str | None:
        """The failed rows of a case, or None."""
        environment = os.environ | {"SECURITY_ROWS": "in-process", "LOCAL_DIR": str(SCRATCH / "rows")}
        # One process for each case, as in the test runner: metrics are counted per process.
        ran = subprocess.run([binary, f"::case_{number}_"], cwd=SCRATCH / "tests", env=environment, capture_output=True, text=True)
        if "running 1 test" not in ran.stdout:
            sys.exit(f"there is no case {number}:\n{ran.stdout}{ran.stderr}")
        if ran.returncode == 0:
            return None
        rows = [" ".join(line.split()[1:]) for line in ran.stdout.splitlines() if line.startswith("!!")]
        return f"{len(rows)} rows, first: {rows[0]}" if rows else f"it broke off: {ran.stdout[-300:]}"


def copy() -> None:
    """Copies the project without its build directory."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    skipped, nested = {"target", ".local", ".git", ".aws-sam"}, {"node_modules"}
    shutil.copytree(ROOT, SCRATCH, ignore=lambda folder, names: (skipped if Path(folder) == ROOT else nested) & set(names))


def take_dependencies() -> None:
    """Copies built dependencies, which are the same in any copy of the workspace."""
    own = TARGET / "debug"
    if own.exists() or not BUILT.exists():
        return
    for folder in ("deps", "build", ".fingerprint"):
        shutil.copytree(BUILT / folder, own / folder, ignore=executables if folder == "deps" else None)


def executables(folder: str, names: list[str]) -> set[str]:
    """The project's own executables, the largest files, which are not copied."""
    return {name for name in names if not Path(name).suffix}


def build(where: Path) -> Path:
    """Builds the simulation and copies it, since the next build overwrites it."""
    environment = os.environ | QUICK
    command = ["cargo", "build", "--locked", "--quiet", "--workspace", "--bin", "sim"]
    built = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(f"the planted bug does not compile:\n{built.stderr}")
    aside = SCRATCH / "sim"
    shutil.copy2(TARGET / "debug" / "sim", aside)
    return aside


def bite(sim: Path) -> str | None:
    """The violation, if there is one."""
    for depth in DEPTHS:
        ran = subprocess.run([str(sim), *depth], capture_output=True, text=True)
        if ran.returncode != 0:
            violations = [line for line in ran.stdout.splitlines() if line.startswith("VIOLATION")]
            return violations[0] if violations else f"it ended with {ran.returncode}: {ran.stderr[-300:]}"
    return None


def alone():
    """Waits for another run to end, since both would use the same copy."""
    SCRATCH.parent.mkdir(exist_ok=True)
    lock = SCRATCH.with_suffix(".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def main() -> None:
    lock = alone()
    names = {argument for argument in sys.argv[1:] if not argument.startswith("--")}
    tried = Security() if KIND == "security" else Simulation()
    teeth = [tooth for tooth in sorted(tried.teeth.glob("*.tooth")) if not names or tooth.stem in names]
    copy()
    take_dependencies()
    try:
        tried.prepare(teeth)
        missed = bite_all(tried, apart(teeth))
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
        lock.close()
    print(f"{len(teeth)} planted, {len(teeth) - len(missed)} caught")
    sys.exit(1 if missed else 0)


def bite_all(tried: Simulation | Security, teeth: list[Path]) -> list[str]:
    """The names of the teeth that were not caught."""
    missed, left, alone = [], list(teeth), []
    while left or alone:
        started = time.monotonic()
        group = plant_group(left) if left else plant_group(alone[:1])
        caught = tried.catches(group)
        pull(group)
        seconds = time.monotonic() - started
        for tooth in group:
            (left if tooth in left else alone).remove(tooth)
            if caught[tooth] is None and len(group) > 1:
                alone.append(tooth)
                continue
            print(f"{tooth.stem} ({parts(tooth)[0]}): {caught[tooth] or 'NOT CAUGHT'} [{seconds / len(group):.0f} s]", flush=True)
            if caught[tooth] is None:
                missed.append(tooth.stem)
    return missed


if __name__ == "__main__":
    main()
