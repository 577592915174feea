"""Runs phases, each a command: in parallel once their dependencies are done, one line for each, a count at the end."""

import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from settings import ROOT
from terminal import TTY, Failure, say, tail

# How many lines of a failed phase are shown; its whole output is in its log.
SHOWN_OF_A_FAILURE = 200
SLOWEST = 10
STILL_EVERY = 60
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
SUMMARY = re.compile(r"^\s*Summary \[.*\d+ tests? run:")
# A line that a phase prints for work that it left out.
NOT_DONE = re.compile(r"^not done: .+$")
TEST = re.compile(r"^\s*(?:PASS|FAIL|TIMEOUT|SIGKILL) \[\s*([\d.]+)s\] (?:\([\s\d/]+\) )?(.+)$")


@dataclass
class Phase:
    """One command. It begins when all its dependencies succeeded; one with `tidies` begins when they have ended."""

    title: str
    command: list[str]
    after: list["Phase"] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    tidies: bool = False
    # Of those that take turns, one runs at a time.
    takes_turns: bool = False
    # The result: seconds, or None until it has ended; and whether it succeeded.
    seconds: float | None = None
    # Processor time of the command and of the processes that it waited for: not of a stack's emulator and functions.
    busy: float = 0
    well: bool = False
    passed: int = 0
    failed: int = 0
    slow: list[tuple[float, str]] = field(default_factory=list)
    not_done: list[str] = field(default_factory=list)

    def ended(self) -> bool:
        return self.seconds is not None

    def read(self, log: Path) -> None:
        """Reads the test runner's summaries, the time of each test, and what was not done."""
        for line in COLOURS.sub("", log.read_text(errors="replace")).splitlines():
            if SUMMARY.match(line):
                self.passed += counted(line, "passed")
                self.failed += counted(line, "failed") + counted(line, "timed out")
            elif test := TEST.match(line):
                self.slow.append((float(test.group(1)), test.group(2)))
            elif NOT_DONE.match(line):
                self.not_done.append(line)


def counted(summary: str, what: str) -> int:
    found = re.search(rf"(\d+) {what}", summary)
    return int(found.group(1)) if found else 0


class Run:
    """Prints a line for each ended phase, and its output if it failed, or always with VERBOSE=1."""

    def __init__(self, phases: list[Phase], environment: dict[str, str], logs: Path):
        self.phases, self.environment, self.logs = phases, environment, logs
        self.began = time.monotonic()
        self.processors = busy_seconds()
        self.running: dict[str, float] = {}
        self.children: set[subprocess.Popen] = set()
        self.interrupted = False
        self.lock = threading.Condition()
        self.printed_at = self.began

    def run(self) -> None:
        """Raises once all have ended, if one of them failed."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for old in self.logs.glob("phase-*.log"):
            old.unlink()
        threads = [threading.Thread(target=self.follow, args=(phase,), daemon=True) for phase in self.phases]
        for thread in threads:
            thread.start()
        try:
            self.wait(threads)
        except BaseException:
            # Phases that tidy up still run.
            self.interrupt()
            self.wait(threads)
            raise
        finally:
            self.report()
        if broken := [phase.title for phase in self.phases if not phase.well]:
            raise Failure("not well: " + ", ".join(broken))

    def wait(self, threads: list[threading.Thread]) -> None:
        while any(thread.is_alive() for thread in threads):
            self.still_running()
            time.sleep(0.2)

    def interrupt(self) -> None:
        """Ends running phases with their processes, and begins only phases that tidy up."""
        with self.lock:
            self.interrupted = True
            for child in self.children:
                try:
                    os.killpg(child.pid, signal.SIGTERM)
                except ProcessLookupError:
                    pass

    def follow(self, phase: Phase) -> None:
        with self.lock:
            self.lock.wait_for(lambda: all(before.ended() for before in phase.after) and self.is_next(phase))
            self.running[phase.title] = time.monotonic()
        started = time.monotonic()
        log = self.logs / f"phase-{re.sub(r'[^a-z]+', '-', phase.title.lower()).strip('-')}.log"
        begun = phase.tidies or (all(before.well for before in phase.after) and not self.interrupted)
        try:
            if begun:
                phase.well = self.execute(phase, log) == 0
        finally:
            with self.lock:
                phase.seconds = time.monotonic() - started
                del self.running[phase.title]
                if begun:
                    self.show(phase, log)
                else:
                    self.line("--", phase, "not tried: what it waits for failed")
                self.lock.notify_all()

    def is_next(self, phase: Phase) -> bool:
        """Whether no other holds the turn that this one has to take."""
        return not phase.takes_turns or not any(other.takes_turns and other.title in self.running for other in self.phases)

    def execute(self, phase: Phase, log: Path) -> int:
        # A phase that tidies up may keep logs of a failure.
        failed = {"FAILED": "1" if any(other.ended() and not other.well for other in self.phases) else ""}
        with log.open("wb") as output:
            child = subprocess.Popen(
                phase.command, cwd=ROOT, env=self.environment | phase.environment | failed, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )
            with self.lock:
                if not phase.tidies:
                    self.children.add(child)
            _, status, used = os.wait4(child.pid, 0)
            phase.busy, child.returncode = used.ru_utime + used.ru_stime, os.waitstatus_to_exitcode(status)
            with self.lock:
                self.children.discard(child)
            return child.returncode

    def show(self, phase: Phase, log: Path) -> None:
        phase.read(log)
        tests = f"{phase.passed} passed, {phase.failed} failed" if phase.passed or phase.failed else ""
        self.line("ok" if phase.well else "FAIL", phase, tests)
        if not phase.well:
            say(f"{tail(log, SHOWN_OF_A_FAILURE)}\n        the whole of it: {log.relative_to(ROOT)}")
        elif os.environ.get("VERBOSE") == "1":
            say(tail(log, 1_000_000))

    def line(self, mark: str, phase: Phase, note: str) -> None:
        clear = "\r\x1b[2K" if TTY else ""
        minutes = f"{self.elapsed() / 60:5.1f} min"
        times = f"{phase.seconds or 0:6.1f} s {phase.busy:6.1f} s"
        say(f"{clear}{minutes}  {mark:<4} {times}  {phase.title}{f'  ({note})' if note else ''}")

    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def still_running(self) -> None:
        """Redraws one line on a terminal; elsewhere prints one now and then."""
        with self.lock:
            now = time.monotonic()
            running = ", ".join(f"{title} {now - since:.0f} s" for title, since in self.running.items())
            if TTY:
                print(f"\r\x1b[2K{self.elapsed() / 60:5.1f} min  ...  {running}"[:150], end="", flush=True)
            elif now - self.printed_at >= STILL_EVERY:
                self.printed_at = now
                say(f"{self.elapsed() / 60:5.1f} min  ...  {running}")

    def report(self) -> None:
        tests = sorted((test for phase in self.phases for test in phase.slow), reverse=True)
        if tests:
            say(f"\nThe slowest {min(SLOWEST, len(tests))} of {len(tests)} tests:")
            for seconds, name in tests[:SLOWEST]:
                say(f"  {seconds:7.1f} s  {name}")
        for phase in self.phases:
            for line in phase.not_done:
                say(f"\n{phase.title}: {line}")
        user, system = (after - before for before, after in zip(self.processors, busy_seconds()))
        seconds = self.elapsed()
        share = 100 * (user + system) / seconds / (os.cpu_count() or 1)
        say(f"\n{seconds:.0f} s in all; this machine's processors: user {user:.0f} s, system {system:.0f} s, {share:.0f} % of {os.cpu_count()}")
        passed, failed = (sum(getattr(phase, what) for phase in self.phases) for what in ("passed", "failed"))
        say(f"{passed} passed, {failed} failed")


def busy_seconds() -> tuple[float, float]:
    """User and system time of all processors since boot: the emulator and the functions are not our child processes."""
    ticks = os.sysconf("SC_CLK_TCK")
    user, nice, system = (int(part) for part in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:4])
    return (user + nice) / ticks, system / ticks
