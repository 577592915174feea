"""All that a function wrote before its answer, as the log of its invocation.

Left alone, MiniStack waits some milliseconds for it: on a busy machine a line came with the next invocation, or, where
none followed, never. Only `install` needs MiniStack."""

import contextlib
import os
import queue
import select
import threading

AT_ONCE = 65_536


class Output:
    """A process's pipe, line by line. The functions write before they answer, so that with the answer all is in the pipe,
    however late the thread that reads it gets a processor."""

    def __init__(self, stream, lines: queue.Queue):
        self.stream, self.lines = stream, lines
        self.lock = threading.Lock()
        self.rest, self.ended = b"", False

    def follow(self) -> None:
        """Reads until the last process that writes has ended: a full pipe would stop it."""
        while not self.ended:
            self.written()
            self.read()
        self.stream.close()

    def read(self) -> None:
        """Reads what has been written, and no longer than that."""
        with self.lock:
            while not self.ended and self.written(wait=0):
                read = os.read(self.stream.fileno(), AT_ONCE)
                # What has no end of line at the end is a line too.
                *whole, self.rest = (self.rest + read if read else self.rest and self.rest + b"\n").split(b"\n")
                for line in whole:
                    self.keep(line.decode(errors="replace").rstrip("\r"))
                self.ended = not read

    def written(self, wait: int | None = None) -> bool:
        """Whether there is something to read, or its end; waits that many milliseconds, or until there is."""
        # One of its own for each call: two threads cannot wait on one.
        poll = select.poll()
        poll.register(self.stream.fileno(), select.POLLIN)
        return bool(poll.poll(wait))

    def keep(self, line: str) -> None:
        # The queue is as long as MiniStack makes it; the oldest give way.
        while self.lines.full():
            with contextlib.suppress(queue.Empty):
                self.lines.get_nowait()
        self.lines.put_nowait(line)


def install() -> None:
    from ministack.core.lambda_runtime import ProvidedWorker

    drain = ProvidedWorker._drain_stderr
    one = threading.Lock()

    def output(worker, stream, lines: queue.Queue) -> Output:
        """The one of this stream: its thread may begin after its first lines are asked for."""
        with one:
            if worker.__dict__.get("output") is None or worker.output.stream is not stream:
                worker.output = Output(stream, lines)
            return worker.output

    def pump(worker, stream, lines: queue.Queue) -> None:
        output(worker, stream, lines).follow()

    def drained(worker, **_waits) -> str:
        process = worker._proc
        # Without a process, what the last one wrote.
        written = output(worker, process.stdout, worker._stderr_queue) if process else worker.__dict__.get("output")
        if written:
            written.read()
        return drain(worker)

    ProvidedWorker._pump_output = pump
    ProvidedWorker._drain_stderr = ProvidedWorker._drain_stderr_bounded = drained
