"""Terminal output: steps with their times, headings, and the end of a log after a failure."""

import sys
import time
from contextlib import contextmanager
from pathlib import Path

TTY = sys.stdout.isatty()


class Failure(Exception):
    """Ends the command with this message and, if given, the end of a log."""

    def __init__(self, message: str, log: Path | None = None):
        super().__init__(message)
        self.log = log


def say(text: str = "") -> None:
    print(text, flush=True)


def heading(text: str) -> None:
    say(f"\n== {text}")


class Step:
    """A step under way: `note` adds to its last line, `progress` shows where it is."""

    def __init__(self, label: str):
        self.label = label
        self.started = time.monotonic()
        self.notes: list[str] = []
        self.printed_at = self.started

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, text: str, every: float = 10) -> None:
        """Redraws one line on a terminal; elsewhere prints a plain line now and then."""
        if TTY:
            line = f"  ...  {self.label}: {self.seconds():.0f} s  {text}"
            print(f"\r\x1b[2K{line[:110]}", end="", flush=True)
        elif time.monotonic() - self.printed_at >= every:
            self.printed_at = time.monotonic()
            say(f"  ...  {self.label}: {self.seconds():.0f} s  {text}")

    def end(self, mark: str) -> None:
        clear = "\r\x1b[2K" if TTY else ""
        say("  ".join([f"{clear}  {mark:<4} {self.seconds():6.1f} s", self.label, *self.notes]))


@contextmanager
def step(label: str):
    """One timed step; a failure inside it is marked and passed on."""
    current = Step(label)
    if TTY:
        current.progress("")
    try:
        yield current
    except BaseException:
        current.end("FAIL")
        raise
    current.end("ok")


def tail(log: Path, lines: int = 40) -> str:
    """The end of a log file, indented."""
    if not log.exists():
        return "    (no log)"
    return "\n".join("    " + line for line in log.read_text(errors="replace").splitlines()[-lines:])
