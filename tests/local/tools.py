"""The tools of the local stack: two pinned venvs, cargo-nextest and cargo-fuzz, made once under .local/."""

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from settings import ROOT, TOOLS, architecture
from terminal import Failure, step

HERE = Path(__file__).resolve().parent
STACK_VENV = TOOLS / "venv-stack"
SAM_VENV = TOOLS / "venv-sam"
API_VENV = TOOLS / "venv-api"
GOOGLE_VENV = TOOLS / "venv-google"
AWS_VENV = TOOLS / "venv-aws"
BUILD_VENV = TOOLS / "venv-build"
NEXTEST = "0.9.143"
CARGO_FUZZ = "0.13.2"
STAMP = "requirements.sha256"


def venvs() -> None:
    """Makes what is missing or was made from other requirements."""
    if not shutil.which("cargo"):
        raise Failure("cargo is not on the PATH: install Rust first")
    wanted = {STACK_VENV: HERE / "requirements-stack.txt", SAM_VENV: HERE / "requirements-sam.txt"}
    missing = {place: file for place, file in wanted.items() if not stamped(place, file)}
    if missing:
        with step("Install " + " and ".join(file.name for file in missing.values())), ThreadPoolExecutor() as pool:
            list(pool.map(make_venv, missing.keys(), missing.values()))


def stamped(place: Path, requirements: Path) -> bool:
    stamp = place / STAMP
    return stamp.exists() and stamp.read_text() == fingerprint(requirements)


def fingerprint(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()


def make_venv(place: Path, requirements: Path) -> None:
    log = TOOLS / "logs" / f"{place.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    # A venv made from within a venv would take its interpreter from there.
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    commands = [
        [str(python if python.exists() else sys.executable), "-m", "venv", str(place)],
        [str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)],
    ]
    with log.open("wb") as output:
        for command in commands:
            if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode != 0:
                raise Failure(f"{' '.join(command)} failed", log)
    (place / STAMP).write_text(fingerprint(requirements))


def enter_venv() -> None:
    """Goes on inside the stack's venv, which has boto3."""
    venvs()
    if Path(sys.prefix).resolve() != STACK_VENV.resolve():
        python = str(STACK_VENV / "bin" / "python")
        os.execv(python, [python, *sys.argv])


def schemathesis() -> str:
    """Only who tries the API after its description needs it."""
    return made_on_demand(API_VENV, HERE / "requirements-api.txt", "st")


def google_client_python() -> str:
    """The interpreter of the venv that has Google's client library."""
    return made_on_demand(GOOGLE_VENV, HERE / "requirements-google.txt", "python")


def aws() -> str:
    """AWS's command line: what an operator types."""
    return made_on_demand(AWS_VENV, HERE / "requirements-aws.txt", "aws")


def cargo_lambda() -> str:
    """Only who builds as it is deployed needs it: the local stack takes what cargo built."""
    return made_on_demand(BUILD_VENV, HERE / "requirements-build.txt", "cargo-lambda")


def made_on_demand(place: Path, requirements: Path, program: str) -> str:
    if not stamped(place, requirements):
        with step(f"Install {requirements.name}"):
            make_venv(place, requirements)
    return str(place / "bin" / program)


def sam() -> str:
    return str(SAM_VENV / "bin" / "sam")


def interface_emulator() -> Path:
    """AWS's own Lambda Runtime Interface Emulator, which SAM CLI carries."""
    found = list(SAM_VENV.glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{architecture()}"))
    if not found:
        raise Failure("this SAM CLI carries no Lambda Runtime Interface Emulator")
    return found[0]


OWN_TOOLS = TOOLS / "tools" / "bin"


def path() -> str:
    """A PATH on which cargo also finds what was installed for this project alone."""
    return f"{os.environ['PATH']}{os.pathsep}{OWN_TOOLS}"


def nextest_path() -> str:
    """A PATH on which `cargo nextest` is found, installed for this project alone if it is not there yet."""
    return path_with("cargo-nextest", NEXTEST)


def cargo_fuzz_path() -> str:
    """The same of `cargo fuzz`."""
    return path_with("cargo-fuzz", CARGO_FUZZ)


def path_with(tool: str, version: str) -> str:
    if not shutil.which(tool, path=path()):
        with step(f"Install {tool} {version}"):
            command = ["cargo", "install", "--locked", "--quiet", f"{tool}@{version}", "--root", str(OWN_TOOLS.parent)]
            if subprocess.run(command, cwd=ROOT).returncode != 0:
                raise Failure(f"cargo install {tool} failed")
    return path()
