"""Processes that outlive the command: each in its own session, ended with everything that it spawned."""

import itertools
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from terminal import Failure


taken = itertools.count()


def free_port() -> int:
    """A port that nobody takes before its process binds it: Linux gives ports from 32768 up to outgoing connections and to
    whoever asks for any, and each process looks from a place of its own."""
    for _ in range(12_000):
        port = 20_000 + (os.getpid() * 8 + next(taken)) % 12_000
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Failure("all ports from 20000 to 31999 are in use")


def start(command: list[str], environment: dict[str, str], log: Path, cwd: Path) -> dict:
    """Starts a process as leader of a new session and returns how to find it again."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    return {"pid": child.pid, "started": start_time(child.pid), "log": str(log)}


def start_time(pid: int) -> str | None:
    """When a process began, in clock ticks since boot: a pid alone may be reused. None if it has ended.

    Read from /proc: `ps` computes start times from the clock, so two calls may differ by a second."""
    try:
        # The name in parentheses may contain spaces; in proc(5), the state is the third field, the start time the 22nd.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def alive(process: dict) -> bool:
    return process["started"] is not None and start_time(process["pid"]) == process["started"]


def still_running(process: dict) -> None:
    """Raises if a process that is being waited for has ended."""
    if not alive(process):
        raise Failure(f"process {process['pid']} ended while starting", Path(process["log"]))


def members(process: dict) -> list[int]:
    """The processes of the session; none once its leader's pid was reused."""
    if start_time(process["pid"]) not in (None, process["started"]):
        return []
    listed = subprocess.run(["ps", "-eo", "pid=,sess=,stat="], capture_output=True, text=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return [int(pid) for pid, session, state in rows if session == str(process["pid"]) and not state.startswith("Z")]


def end(process: dict, timeout_seconds: float = 5) -> None:
    """Ends a session with SIGTERM, then SIGKILL; raises if a process survives both."""
    for sent, seconds in ((signal.SIGTERM, timeout_seconds), (signal.SIGKILL, timeout_seconds)):
        deadline = time.monotonic() + seconds
        for pid in members(process):
            try:
                os.kill(pid, sent)
            except ProcessLookupError:
                pass
        while members(process) and time.monotonic() < deadline:
            reap(process["pid"])
            time.sleep(0.05)
    if left := members(process):
        raise Failure(f"still running: {left}", Path(process["log"]))


def reap(pid: int) -> None:
    """Collects the exit status if the process is a child of this command."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
