"""Every sample event through the real `sam local invoke`, where a Docker engine answers."""

import shutil
import subprocess

import build
from settings import ROOT, aws_environment, overrides, parameters
from terminal import Failure, heading, say
from tools import sam

NOWHERE = "http://127.0.0.1:9"


def invoke_all() -> None:
    """The container reaches neither AWS nor Google: this proves template, build, event and start."""
    require_docker()
    if not build.functions_built():
        build.functions()
    failed = []
    for event in sorted((ROOT / "events").glob("*.json")):
        function = "".join(word.capitalize() for word in event.name.split(".")[0].split("-")) + "Function"
        heading(f"{event.name} -> {function}")
        command = [sam(), "local", "invoke", function, "--event", str(event), "--skip-pull-image", *overrides(parameters(NOWHERE))]
        environment = build.environment() | aws_environment(NOWHERE)
        environment.pop("AWS_ENDPOINT_URL")
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        say(done.stdout.strip() or done.stderr.strip())
        if done.returncode != 0:
            failed.append(event.name)
    if failed:
        raise Failure("sam local invoke failed for " + ", ".join(failed))


def require_docker() -> None:
    if not shutil.which("docker"):
        raise Failure("sam local needs Docker, which is not installed. `make test` runs the same events without it.")
    answer = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True)
    if answer.returncode != 0:
        raise Failure(f"sam local needs a Docker engine, and none answers: {answer.stderr.strip()}")
