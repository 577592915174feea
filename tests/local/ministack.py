"""MiniStack: the AWS of the local stack, in memory, on loopback only."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import processes
from settings import LOCAL, LOGS, ROOT, aws_environment, bare_environment
from terminal import Failure, step
from tools import STACK_VENV, interface_emulator
from web import serves, wait_until

EMULATOR = Path(__file__).parent / "emulator.py"
# Settings of its strictness, explained in docs/local-stack.md.
SWITCHES = ("GATEWAY_MATCHES", "FUNCTION_MEMORY_SLACK_MB")


def start(log: Path, scratch: Path, functions_endpoint: str | None = None) -> tuple[str, dict]:
    """Starts an empty MiniStack on a free port; returns its endpoint and its process. `functions_endpoint` is the URL
    that the functions use instead."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    port = processes.free_port()
    endpoint = f"http://127.0.0.1:{port}"
    # -P: `ministack` must be the package, not this file. The functions inherit this environment with AWS_ENDPOINT_URL.
    environment = bare_environment() | aws_environment(functions_endpoint or endpoint) | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(scratch),
        "STATE_DIR": str(scratch / "state"),
        "S3_DATA_DIR": str(scratch / "s3"),
        # As Lambda sets them for the template's LoggingConfig.
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "TRACE",
    } | {switch: os.environ[switch] for switch in SWITCHES if switch in os.environ}
    started = processes.start([str(STACK_VENV / "bin" / "python"), "-P", str(EMULATOR)], environment, log, ROOT)

    def ready() -> bool:
        processes.still_running(started)
        return serves(f"{endpoint}/_ministack/ready")

    try:
        wait_until(ready, 30, "MiniStack", log)
    except BaseException:
        processes.end(started)
        raise
    return endpoint, started


def run_with(command: list[str]) -> int:
    """Runs a command beside its own MiniStack; returns the command's exit code."""
    if not command:
        raise Failure("with-ministack needs a command: stack.py with-ministack -- CMD …")
    LOCAL.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="with-ministack-", dir=LOCAL))
    with step("Start MiniStack") as current:
        endpoint, started = start(LOGS / "with-ministack.log", scratch)
        current.note(endpoint)
    try:
        emulator = {"AWS_LAMBDA_RIE": str(interface_emulator())}
        return subprocess.run(command, env=dict(os.environ) | aws_environment(endpoint) | emulator).returncode
    finally:
        processes.end(started)
        shutil.rmtree(scratch, ignore_errors=True)
