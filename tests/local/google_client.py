"""Runs Google's own client library against the fake Google, which is an independent check of the fake."""

import json
import subprocess

import build
from settings import ROOT
from terminal import Failure, say
from tools import google_client_python

DRIVES = ROOT / "tests" / "fake-google" / "google_client.py"


def run() -> None:
    python = google_client_python()
    build.binaries()
    fake = subprocess.Popen([str(build.FAKE_GOOGLE)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        url = json.loads(fake.stdout.readline())["url"]
        driven = subprocess.run([python, str(DRIVES), url], capture_output=True, text=True, timeout=300)
    finally:
        fake.terminate()
        fake.wait(timeout=10)
    say((driven.stdout + driven.stderr).strip())
    if driven.returncode != 0:
        raise Failure("Google's client and the fake do not agree")
