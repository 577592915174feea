"""The binaries that are measured, their zips, and their cold starts."""

import io
import os
import statistics
import subprocess
import time
import zipfile
from pathlib import Path

from bench_lambda import Function
from bench_world import FUNCTIONS
from settings import LOCAL, LOGS, ROOT
from terminal import Failure, step

EMPTY = "empty-function"
ALL = [*FUNCTIONS, EMPTY]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def deployed() -> dict[str, Path]:
    """Builds with the deployed profile, linked for this machine: one build for all functions."""
    return built(["--release"], LOCAL / "bench-target", "release", "Build the functions as they are deployed (minutes, the first time)")


def quick() -> dict[str, Path]:
    """Builds with the profile of the tests, whose dependencies are already built."""
    return built(["--workspace"], TARGET, "debug", "Build the functions as the tests have them")


def built(arguments: list[str], target: Path, folder: str, label: str) -> dict[str, Path]:
    log = LOGS / "bench-build.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = ["cargo", "build", "--locked", *arguments] + [word for name in ALL for word in ("--bin", name)]
    with step(label), log.open("wb") as output:
        done = subprocess.run(command, cwd=ROOT, env=os.environ | {"CARGO_TARGET_DIR": str(target)}, stdout=output, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failure("the build failed", log)
    return {name: target / folder / name for name in ALL}


def zipped(binary: Path) -> float:
    """MB of the zip that is deployed to Lambda."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(binary, "bootstrap")
    return len(buffer.getvalue()) / 1e6


def cold_starts(binaries: dict[str, Path], environments: dict[str, dict[str, str]], times: int, zips: bool) -> dict[str, dict]:
    """Milliseconds from exec to the first `next`, by the clock and by CPU time, and MB resident then.

    The functions take turns, so that other load hits all alike. Zips with debug information would be slow and useless."""
    starts: dict[str, list[float]] = {name: [] for name in ALL}
    computed: dict[str, list[float]] = {name: [] for name in ALL}
    resident: dict[str, list[float]] = {name: [] for name in ALL}
    with step(f"Start each function {times} times"):
        for _ in range(times):
            for name in ALL:
                # The empty function ignores its environment.
                environment = environments.get(name, environments[FUNCTIONS[0]])
                with Function(name, binaries[name], environment, LOGS / "bench-starts.log") as function:
                    starts[name].append(function.start_up() * 1000)
                    computed[name].append(function.processor_ms())
                    resident[name].append(function.memory()["now"])
    floor = statistics.median(computed[EMPTY])
    return {
        name: {
            "zip_mb": zipped(binaries[name]) if zips else None, "start_ms": statistics.median(starts[name]), "resident_mb": statistics.median(resident[name]),
            "computed_ms": statistics.median(computed[name]), "start_ratio": statistics.median(computed[name]) / floor,
        }
        for name in ALL
    }


def floor(binary: Path, environment: dict[str, str], times: int) -> float:
    """Milliseconds of an invocation that does nothing: the cost of the bench's own runtime API."""
    with Function(EMPTY, binary, environment, LOGS / "bench-starts.log") as function:
        function.start_up()
        spent = []
        for _ in range(times):
            began = time.time()
            spent.append((function.invoke({})[1] - began) * 1000)
    return statistics.median(spent)
