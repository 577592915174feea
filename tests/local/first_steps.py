"""Runs the commands of docs/first-steps.md on the running stack, except the first ones, which start a stack."""

import os
import re
import subprocess

from build import BUILT
from settings import ROOT, STATE
from terminal import Failure, say

DOCUMENT = ROOT / "docs" / "first-steps.md"
TIMEOUT_SECONDS = 120


def run() -> None:
    begun, *blocks = re.findall(r"^```sh\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S)
    if "make local-up" not in begun or len(blocks) < 3:
        raise Failure(f"{DOCUMENT.name} does not begin with a stack, or has lost its steps")
    environment = os.environ | {"PATH": f"{BUILT}{os.pathsep}{os.environ['PATH']}", "CONNECTORS_STACK_JSON": str(STATE)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_SECONDS,
    )
    say(done.stdout)
    if done.returncode != 0 or "evt_" not in done.stdout:
        raise Failure(f"{DOCUMENT.name} ended with {done.returncode}, and no event was shown")
