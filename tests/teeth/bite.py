#!/usr/bin/env python3
"""Plants known bugs, one at a time, in a copy of the project, and sees the simulation catch each.

A tooth is a text file: whose bug it is, the file that it is planted in, and what is put in place of what.
usage: bite.py [NAME ...]"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

TEETH = Path(__file__).resolve().parent
ROOT = TEETH.parent.parent
SCRATCH = ROOT / ".local" / "teeth"
# A build directory of its own, which stays: cargo knows a workspace's crates by their place in it, and would take what
# was built with a bug for the project's own.
TARGET = ROOT / "target" / "teeth"
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


def copy() -> None:
    """The project as it stands, with its build directory left where it is."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    skipped = {"target", ".local", ".git", ".aws-sam"}
    shutil.copytree(ROOT, SCRATCH, ignore=lambda folder, names: skipped & set(names) if Path(folder) == ROOT else set())


def build(where: Path) -> Path:
    """Builds the simulation, and takes it aside: the next build writes to the same place."""
    environment = os.environ | {"CARGO_TARGET_DIR": str(TARGET)}
    command = ["cargo", "build", "--quiet", "--workspace", "--bin", "sim"]
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


def main() -> None:
    names = set(sys.argv[1:])
    teeth = [tooth for tooth in sorted(TEETH.glob("*.tooth")) if not names or tooth.stem in names]
    missed = []
    copy()
    try:
        for tooth in teeth:
            started = time.monotonic()
            planted = plant(tooth)
            caught = bite(build(SCRATCH))
            shutil.copyfile(ROOT / parts(tooth)[1], planted)
            seconds = time.monotonic() - started
            print(f"{tooth.stem} ({parts(tooth)[0]}): {caught or 'NOT CAUGHT'} [{seconds:.0f} s]", flush=True)
            if caught is None:
                missed.append(tooth.stem)
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
    print(f"{len(teeth)} planted, {len(teeth) - len(missed)} caught")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
