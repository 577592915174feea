"""Builds the local stack: the functions and the fakes with cargo, and the deployed packages with `sam build`."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from settings import BUILD, FUNCTIONS, LOCAL, LOGS, ROOT, ZIPPED, architecture, clean_environment, overrides
from terminal import Failure, Step, step
from tools import BUILD_VENV, cargo_lambda, sam

BUILT = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute() / "debug"
FAKE_GOOGLE, FAKE_MICROSOFT = BUILT / "fake-google", BUILT / "fake-microsoft"


def compiling() -> dict[str, str]:
    """For cargo: until somebody builds in small steps, nothing is kept for the next one. Keeping it takes the first build a
    third longer, and halves the next."""
    by_steps = "CARGO_INCREMENTAL" in os.environ or (BUILT / "incremental").exists()
    return {} if by_steps else {"CARGO_INCREMENTAL": "0"}


def environment() -> dict[str, str]:
    """SAM's environment: without the developer's own AWS, and with the functions of cargo's target folder."""
    kept = clean_environment()
    # SAM looks for the binaries in the target directory beside Cargo.toml.
    kept.pop("CARGO_TARGET_DIR", None)
    return kept | {
        "PATH": f"{Path(__file__).parent / 'prebuilt'}{os.pathsep}{os.environ['PATH']}",
        "BUILT": str(BUILT),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def as_deployed() -> dict[str, str]:
    """The environment of a build by cargo-lambda: this machine's linker, no toolchain downloads, no optimisation."""
    cargo_lambda()
    return environment() | {
        "PATH": f"{BUILD_VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "CARGO_LAMBDA_COMPILER": "cargo",
        "RUSTUP_DIST_SERVER": "http://127.0.0.1:9",
        # Optimisation and fat LTO take many minutes; `make bench` builds with them.
        "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0",
        "CARGO_PROFILE_RELEASE_LTO": "off",
        "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
    }


def all() -> None:
    """The functions, packed as they are deployed, and the fakes."""
    binaries()
    pack()


def binaries() -> None:
    # Always the whole workspace, with selected binaries: another set of packages would have other features, and build
    # the dependencies again.
    selected = [word for name in (*FUNCTIONS, FAKE_GOOGLE.name, FAKE_MICROSOFT.name) for word in ("--bin", name)]
    with step("Build the functions and the fakes") as current:
        watched(["cargo", "build", "--workspace", "--locked", *selected], os.environ | compiling(), LOGS / "build.log", current)


def pack() -> None:
    """`sam build` of the built functions, with the notices that go into each zip."""
    sam_build(environment(), BUILD, LOGS / "sam-build.log")
    with_notices(BUILD, LOGS / "notices.log")
    with step("Zip the functions"):
        zipped()


def zipped() -> None:
    """Zips each function once: given a folder, each `sam deploy` would, and a test run has five of them."""
    shutil.rmtree(ZIPPED, ignore_errors=True)
    ZIPPED.mkdir(parents=True)
    template = (BUILD / "template.yaml").read_text()
    for name in re.findall(r"(?m)^      CodeUri: (\w+)$", template):
        with zipfile.ZipFile(ZIPPED / f"{name}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in sorted((BUILD / name).iterdir()):
                archive.write(file, file.name)
    (ZIPPED / "template.yaml").write_text(re.sub(r"(?m)^(      CodeUri: \w+)$", r"\1.zip", template))


def by_cargo_lambda() -> None:
    """Builds as a deployment does, except for the optimisation, into a temporary folder."""
    stops_at_another_lock()
    with tempfile.TemporaryDirectory(dir=LOCAL) as folder:
        sam_build(as_deployed(), Path(folder), LOGS / "build-as-deployed.log")
        with_notices(Path(folder), LOGS / "notices-as-deployed.log")
        for file in ("bootstrap", "THIRD-PARTY-NOTICES"):
            missing = [name for name in FUNCTIONS if not (Path(folder) / f"{camel(name)}Function" / file).exists()]
            if missing:
                raise Failure(f"there is no {file} of {', '.join(missing)}", LOGS / "build-as-deployed.log")


def stops_at_another_lock() -> None:
    """Checks that cargo-lambda builds with --locked, which it must read from Cargo.toml: SAM passes no option on."""
    log = LOGS / "another-lock.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    skipped, nested = {"target", ".local", ".git", ".aws-sam"}, {"node_modules"}
    with step("cargo-lambda stops at a lock that does not fit"), tempfile.TemporaryDirectory(dir=LOCAL) as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=lambda source, names: (skipped if Path(source) == ROOT else nested) & set(names))
        lock = copy / "Cargo.lock"
        lock.write_text(lock.read_text().rsplit("[[package]]", 1)[0])
        command = ["cargo-lambda", "lambda", "build", "--release", "--bin", FUNCTIONS[0]]
        built = subprocess.run(command, cwd=copy, env=as_deployed(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        log.write_text(built.stdout)
        if built.returncode == 0 or "--locked" not in built.stdout:
            raise Failure("cargo-lambda took another Cargo.lock", log)


def with_notices(folder: Path, log: Path) -> None:
    with log.open("wb") as output:
        command = [sys.executable, str(ROOT / "deploy" / "notices.py"), str(folder)]
        if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode != 0:
            raise Failure("the notices cannot be written beside the functions", log)


def camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


def sam_build(environment: dict[str, str], folder: Path, log: Path) -> None:
    command = [sam(), "build", "--config-env", "local", "--build-dir", str(folder), *overrides({"Architecture": architecture()})]
    with step("sam build") as current:
        watched(command, environment, log, current)


def fakes_built() -> float:
    """The latest modification time of the fakes' binaries."""
    return max((fake.stat().st_mtime for fake in (FAKE_GOOGLE, FAKE_MICROSOFT) if fake.exists()), default=0)


def functions_built() -> bool:
    return (ZIPPED / "template.yaml").exists()


def watched(command: list[str], env: dict[str, str], log: Path, current: Step) -> None:
    """Runs a build and shows the crates it is at."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # A new session, so that the compilers under it can be ended with it.
        child = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            while child.poll() is None:
                current.progress(crates(child.pid))
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


def crates(root: int) -> str:
    """The crates that rustc is compiling under the given process."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    family, names = {str(root)}, []
    # Parents are listed before their children unless pids wrapped around, which costs one line of display.
    for pid, parent, args in (row for row in rows if len(row) == 3):
        if parent in family:
            family.add(pid)
            names += re.findall(r"rustc --crate-name (\w+)", args)
    return ", ".join(sorted({name.replace("_", "-") for name in names}))
