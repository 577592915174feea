"""Lambda's limits for the functions of the local stack: memory, and the size of an answer.

docs/local-stack.md has the source of each rule. Only `install` needs MiniStack."""

import logging
import os
import threading
import time
from pathlib import Path

logger = logging.getLogger("function_limits")

LOOK_EVERY = 0.05
LARGEST_ANSWER = 6_291_556
TOO_LARGE = {
    "errorType": "Function.ResponseSizeTooLarge",
    "errorMessage": f"Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes).",
}
# The answer to the runtime that sends a too large result.
REFUSED = (
    b'{"errorMessage":"Exceeded maximum allowed payload size (%d bytes).","errorType":"RequestEntityTooLarge"}'
    % LARGEST_ANSWER
)
# Removed from the environment, which the functions inherit.
SLACK_MB = int(os.environ.pop("FUNCTION_MEMORY_SLACK_MB", "") or 0)


def peak_kb(pid: int) -> int:
    """The peak resident memory of a process; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    _, found, rest = status.partition("VmHWM:")
    return int(rest.split(None, 1)[0]) if found else 0


class Memory:
    """The peak of one worker's process against its function's memory."""

    def __init__(self, worker):
        self.worker = worker
        self.size_mb = int(worker.config.get("MemorySize", 128))
        self.peak_kb = 0
        self.spent = False

    def look(self) -> None:
        """Kills the process if its peak exceeds the limit."""
        process = self.worker._proc
        if process is None or self.spent:
            return
        self.peak_kb = max(self.peak_kb, peak_kb(process.pid))
        if self.peak_kb > (self.size_mb + SLACK_MB) * 1024:
            self.spent = True
            logger.warning("%s: killed, %d MB of %d MB", self.worker.func_name, self.peak_kb // 1024, self.size_mb)
            process.kill()

    def used_mb(self) -> int:
        """As Lambda reports it: a function never uses more than it has."""
        return min(-(-self.peak_kb // 1024), self.size_mb)


class Watch:
    """Polls the memory of every working process."""

    def __init__(self):
        self.working: set[Memory] = set()
        self.some = threading.Event()

    def begin(self, memory: Memory) -> None:
        self.working.add(memory)
        self.some.set()

    def end(self, memory: Memory) -> None:
        self.working.discard(memory)

    def run(self) -> None:
        while True:
            self.some.wait()
            self.some.clear()
            while working := list(self.working):
                for memory in working:
                    memory.look()
                time.sleep(LOOK_EVERY)


# The memory of the last invocation on this thread, on which its report is written too.
USED = threading.local()


def measured(invoke, watch: Watch):
    """An invocation that fails if its process exceeds its memory at any time."""

    def invoke_worker(worker, event, request_id, **rest):
        memory = Memory(worker)
        watch.begin(memory)
        try:
            result = invoke(worker, event, request_id, **rest)
            memory.look()
        except RuntimeError:
            # It was killed before it requested its first event.
            if not memory.spent:
                raise
            result = {}
        finally:
            watch.end(memory)
            USED.mb = memory.used_mb()
        if not memory.spent:
            return result
        if worker._proc is not None:
            with worker._lock:
                worker._teardown()
        return killed(result, request_id)

    return invoke_worker


def killed(result: dict, request_id: str) -> dict:
    """The result of an invocation whose process was killed, even if it had answered."""
    message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
    log = "\n".join(part for part in (result.get("log", ""), message, "Runtime.ExitError") if part)
    payload = {"errorType": "Runtime.ExitError", "errorMessage": message}
    cold = result.get("cold_start", False)
    return {"status": "error", "error": message, "error_payload": payload, "cold_start": cold, "log": log}


def sized(build):
    """The runtime API of a worker, which refuses too large answers."""

    def build_handler_class(worker, generation, pending):
        class Handler(build(worker, generation, pending)):
            def do_POST(self):
                body = self._read_body()
                segments = self.path.rstrip("/").split("/")
                if segments[-1] == "response" and len(body) > LARGEST_ANSWER:
                    worker._record_result(generation, segments[-2], "error", TOO_LARGE)
                    self._respond(413, REFUSED)
                    return
                # The body is read already; deleted afterwards, since this handler may serve the next request too.
                self._read_body = lambda: body
                try:
                    super().do_POST()
                finally:
                    del self._read_body

        return Handler

    return build_handler_class


def install() -> None:
    from ministack.core.lambda_runtime import ProvidedWorker
    from ministack.services import lambda_svc

    watch = Watch()
    threading.Thread(target=watch.run, daemon=True, name="memory-watch").start()
    ProvidedWorker.invoke = measured(ProvidedWorker.invoke, watch)
    ProvidedWorker._build_handler_class = sized(ProvidedWorker._build_handler_class)
    lambda_svc._probe_peak_memory_mb = lambda _function: getattr(USED, "mb", 0)
