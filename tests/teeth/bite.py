#!/usr/bin/env python3
"""Plants known bugs, one at a time, in a copy of the project, and sees the simulation catch each; or, with --security, takes
checks out, and sees the security cases fail without them.

A tooth is a text file: whose bug it is or which check, the file that it is planted in, and what is put in place of what. The
name of a security tooth begins with the number of the case that must fail.
usage: bite.py [--security] [NAME ...]"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

TEETH = Path(__file__).resolve().parent
ROOT = TEETH.parent.parent
KIND = "security" if "--security" in sys.argv[1:] else "simulation"
SCRATCH = ROOT / ".local" / f"teeth-{KIND}"
# A build directory of its own, which stays: cargo knows a workspace's crates by their place in it, and would take what
# was built with a bug for the project's own.
TARGET = ROOT / "target" / f"teeth-{KIND}"
# A build that nobody debugs.
QUICK = {"CARGO_TARGET_DIR": str(TARGET), "CARGO_PROFILE_DEV_DEBUG": "0"}
BUILT = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute() / "debug"
# Scenarios with single faults, some pairs, then histories; each ends at the first violation.
DEPTHS = (["--first", "--pairs-step", "0", "--sampled-pairs", "0"], ["--first", "--only-seeds", "--seeds", "4000"])


def parts(tooth: Path) -> tuple[str, str, str, str]:
    peer, file, rest = tooth.read_text().split("\n", 2)
    old, new = rest.removeprefix("<<<<<<<\n").removesuffix("\n>>>>>>>\n").split("\n=======\n")
    return peer, file, old, new


def plant(tooth: Path) -> Path:
    """The file with the bug in it; its text before is in the project."""
    _, file, old, new = parts(tooth)
    text = (ROOT / file).read_text()
    if text.count(old) != 1:
        sys.exit(f"{tooth.name}: what it replaces stands {text.count(old)} times in {file}, and must stand there once")
    place = SCRATCH / file
    place.write_text(text.replace(old, new))
    return place


class Simulation:
    """The simulation finds a violation."""

    teeth = TEETH

    def prepare(self, teeth: list[Path]) -> None:
        pass

    def catches(self, tooth: Path) -> str | None:
        return bite(build(SCRATCH))


class Security:
    """A case of the security table fails; the rows that need no deployed stack are enough."""

    teeth = TEETH / "security"

    def prepare(self, teeth: list[Path]) -> None:
        """What fails with every check in its place shows nothing by failing without one."""
        self.compile()
        for number in sorted({tooth.stem[:2] for tooth in teeth}):
            if failed := self.fails(number):
                sys.exit(f"case {number} fails with nothing taken out: {failed}")

    def catches(self, tooth: Path) -> str | None:
        self.compile()
        return self.fails(tooth.stem[:2])

    def compile(self) -> None:
        built = self.cargo("--no-run")
        if built.returncode != 0:
            sys.exit(f"the planted bug does not compile:\n{built.stderr}")

    def fails(self, number: str) -> str | None:
        """The rows that do not hold."""
        ran = self.cargo("--", f"::case_{number}_")
        if "running 1 test" not in ran.stdout:
            sys.exit(f"there is no case {number}:\n{ran.stdout}{ran.stderr}")
        if ran.returncode == 0:
            return None
        rows = [" ".join(line.split()[1:]) for line in ran.stdout.splitlines() if line.startswith("!!")]
        return f"{len(rows)} rows, first: {rows[0]}" if rows else f"it broke off: {ran.stdout[-300:]}"

    def cargo(self, *arguments: str) -> subprocess.CompletedProcess:
        environment = os.environ | QUICK | {"SECURITY_ROWS": "in-process", "LOCAL_DIR": str(SCRATCH / "rows")}
        command = ["cargo", "test", "--locked", "--quiet", "--workspace", "--test", "security", *arguments]
        return subprocess.run(command, cwd=SCRATCH, env=environment, capture_output=True, text=True)


def copy() -> None:
    """The project as it stands, with its build directory left where it is."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    skipped = {"target", ".local", ".git", ".aws-sam"}
    shutil.copytree(ROOT, SCRATCH, ignore=lambda folder, names: skipped & set(names) if Path(folder) == ROOT else set())


def take_dependencies() -> None:
    """What is built of other people's crates is the same wherever a workspace stands: it need not be built again."""
    own = TARGET / "debug"
    if own.exists() or not BUILT.exists():
        return
    for folder in ("deps", "build", ".fingerprint"):
        shutil.copytree(BUILT / folder, own / folder, ignore=executables if folder == "deps" else None)


def executables(folder: str, names: list[str]) -> set[str]:
    """The project's own tests and functions, which are the largest files."""
    return {name for name in names if not Path(name).suffix}


def build(where: Path) -> Path:
    """Builds the simulation, and takes it aside: the next build writes to the same place."""
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
            told = [line for line in ran.stdout.splitlines() if line.startswith("VIOLATION")]
            return told[0] if told else f"it ended with {ran.returncode}: {ran.stderr[-300:]}"
    return None


def alone():
    """Two runs in one place would take each other's bugs for their own: the second one waits."""
    SCRATCH.parent.mkdir(exist_ok=True)
    lock = SCRATCH.with_suffix(".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def main() -> None:
    lock = alone()
    names = set(sys.argv[1:]) - {"--security"}
    tried = Security() if KIND == "security" else Simulation()
    teeth = [tooth for tooth in sorted(tried.teeth.glob("*.tooth")) if not names or tooth.stem in names]
    missed = []
    copy()
    take_dependencies()
    try:
        tried.prepare(teeth)
        for tooth in teeth:
            started = time.monotonic()
            planted = plant(tooth)
            caught = tried.catches(tooth)
            shutil.copyfile(ROOT / parts(tooth)[1], planted)
            seconds = time.monotonic() - started
            print(f"{tooth.stem} ({parts(tooth)[0]}): {caught or 'NOT CAUGHT'} [{seconds:.0f} s]", flush=True)
            if caught is None:
                missed.append(tooth.stem)
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
        lock.close()
    print(f"{len(teeth)} planted, {len(teeth) - len(missed)} caught")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
