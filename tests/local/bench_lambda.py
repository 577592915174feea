"""A function's binary as Lambda runs it: started with its environment, with events from a runtime API of our own."""

import json
import queue
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from terminal import Failure

ACCOUNT = "000000000000"


class Api(ThreadingHTTPServer):
    """The runtime API of one function: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html."""

    daemon_threads = True

    def __init__(self, name: str, timeout: float):
        super().__init__(("127.0.0.1", 0), Handler)
        self.name, self.seconds = name, timeout
        self.events: queue.Queue = queue.Queue()
        self.answers: queue.Queue = queue.Queue()
        # When the function requested its first event.
        self.requested_at: float | None = None
        self.ready = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, *_) -> None:
        """Ignored: a function that is ended drops its connection in the middle of `next`."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if not self.server.ready.is_set():
            self.server.requested_at = time.perf_counter()
            self.server.ready.set()
        number, event = self.server.events.get()
        deadline = int((time.time() + self.server.seconds) * 1000)
        arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{self.server.name}"
        self.answer(200, event, [
            f"lambda-runtime-aws-request-id: 00000000-0000-4000-8000-{number:012}", f"lambda-runtime-deadline-ms: {deadline}",
            f"lambda-runtime-invoked-function-arn: {arn}", "lambda-runtime-trace-id: Root=1-00000000-000000000000000000000000;Sampled=0",
        ])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.answers.put((self.path.rsplit("/", 1)[-1], body, time.time()))
        self.answer(202, b"{}", [])

    def answer(self, status: int, body: bytes, headers: list[str]) -> None:
        """In one write: two would wait for a delayed acknowledgement."""
        lines = [f"HTTP/1.1 {status} OK", "content-type: application/json", f"content-length: {len(body)}", *headers]
        self.wfile.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def log_message(self, *_) -> None:
        pass


class Function:
    """A started binary. `with Function(…) as function:` ends it."""

    def __init__(self, name: str, binary: Path, environment: dict[str, str], log: Path, timeout: float = 60):
        self.api = Api(name, timeout)
        self.log, self.number, self.lock = log, 0, threading.Lock()
        variables = environment | {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.api.server_port}", "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "TRACE",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        }
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.began = time.perf_counter()
            self.process = subprocess.Popen([str(binary)], env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def __enter__(self) -> "Function":
        return self

    def __exit__(self, *_) -> None:
        self.end()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.api.shutdown()
        self.api.server_close()

    def start_up(self) -> float:
        """Seconds from exec to the first `next`."""
        if not self.api.ready.wait(20):
            raise Failure(f"{self.api.name} requested no event", self.log)
        return self.api.requested_at - self.began

    def processor_ms(self) -> float:
        """CPU time so far, which other load affects less than the clock."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e6

    def memory(self) -> dict[str, float]:
        """MB resident now, and the peak so far."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        value = lambda name: int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024
        return {"now": value("VmRSS"), "peak": value("VmHWM")}

    def invoke(self, event) -> tuple[object, float]:
        """The answer, and when it came."""
        with self.lock:
            self.number += 1
            self.api.events.put((self.number, json.dumps(event).encode()))
            try:
                kind, body, at = self.api.answers.get(timeout=self.api.seconds)
            except queue.Empty:
                raise Failure(f"{self.api.name} did not answer", self.log) from None
        if kind != "response":
            raise Failure(f"{self.api.name} failed: {body.decode(errors='replace')}", self.log)
        return (json.loads(body) if body else None), at


def http_event(method: str, path: str, headers: dict[str, str], body: str) -> dict:
    """A request as an HTTP API hands it to a function (payload format 2.0)."""
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.10", "userAgent": headers.get("user-agent", "bench")}
    context = {
        "accountId": ACCOUNT, "apiId": "api", "domainName": "api.example.com", "domainPrefix": "api", "http": http, "requestId": "request",
        "routeKey": f"{method} {path}", "stage": "$default", "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": int(time.time() * 1000),
    }
    return {
        "version": "2.0", "routeKey": f"{method} {path}", "rawPath": path, "rawQueryString": "", "headers": headers, "requestContext": context,
        "body": body, "isBase64Encoded": False,
    }


def queue_event(messages: list[dict], queue_arn: str) -> dict:
    """Messages of a queue as its event source mapping hands them to a function."""
    records = [
        {
            "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"], "md5OfBody": message["MD5OfBody"],
            "attributes": message.get("Attributes", {}), "messageAttributes": {}, "eventSource": "aws:sqs", "eventSourceARN": queue_arn,
            "awsRegion": "us-east-1",
        }
        for message in messages
    ]
    return {"Records": records}
