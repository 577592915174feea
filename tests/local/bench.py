"""What a cold start costs: each function as it would be deployed, its zip, and its time from exec to its first `next` call."""

import io
import os
import statistics
import subprocess
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from settings import LOCAL, LOGS, ROOT, bare_environment
from terminal import Failure, heading, say, step

FUNCTIONS = ["pubsub-webhook", "watch-renewer", "history-processor", "connectors-api", "oauth-connect"]
STARTS = 21
NOWHERE = "http://127.0.0.1:9"
# Everything that any of them reads; nothing here is ever called.
SETTINGS = {
    "TABLE_NAME": "table", "KMS_KEY_ID": "key", "EVENT_BUS_NAME": "bus", "NOTIFICATION_QUEUE_URL": NOWHERE, "QUARANTINE_QUEUE_URL": NOWHERE,
    "APP_PUBLIC_URL": "https://app.example.com", "ALLOWED_ORIGINS": "https://app.example.com", "AUTH_ISSUER": NOWHERE,
    "AUTH_AUDIENCE": "email-connectors", "AUTH_OWNER_CLAIM": "sub", "AUTH_JWKS_URL": NOWHERE, "GOOGLE_CLIENT_ID": "id",
    "GOOGLE_CLIENT_SECRET": "secret", "GOOGLE_SCOPES": "openid", "GOOGLE_POPUP_REDIRECT": "postmessage", "GOOGLE_TOKEN_URL": NOWHERE,
    "GOOGLE_REVOKE_URL": NOWHERE, "GOOGLE_CERTS_URL": NOWHERE, "GMAIL_API_BASE": NOWHERE, "GMAIL_BATCH_URL": NOWHERE,
    "GMAIL_RETRY_STATUS": "503", "RETRY_MAX_ATTEMPTS": "3", "CONNECTOR_UNIQUENESS": "per-provider", "QUIET_AFTER_MINUTES": "360",
    "PROCESSOR_TIMEOUT_SECONDS": "45", "PUBSUB_TOPIC": "projects/p/topics/t", "PUBSUB_SUBSCRIPTION": "projects/p/subscriptions/s",
    "PUBSUB_AUDIENCE": "audience", "PUBSUB_SERVICE_ACCOUNT": "push@example.com", "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
}


class RuntimeApi(BaseHTTPRequestHandler):
    """Notes when a function asks for its first event, and gives it none."""

    asked: float | None = None
    called = threading.Event()

    def do_GET(self) -> None:
        RuntimeApi.asked = time.perf_counter()
        RuntimeApi.called.set()
        # Held open until the function is ended.
        self.rfile.read(1)

    def log_message(self, *_: object) -> None:
        pass


def run() -> None:
    binaries = build()
    server = ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rows = {name: (zipped(path), *starts(path, server.server_port)) for name, path in binaries.items()}
    server.shutdown()
    heading(f"Cold starts on this machine: the median of {STARTS}, and the ratio to {FUNCTIONS[0]}")
    base = rows[FUNCTIONS[0]][1]
    for name, (size, seconds, resident) in rows.items():
        say(f"  {name:18} zip {size / 1e6:5.2f} MB   exec to first next {seconds * 1000:6.2f} ms  x{seconds / base:4.2f}   resident {resident / 1024:5.1f} MB")


def build() -> dict[str, Path]:
    """The deployed profile, linked for this machine."""
    target, log = LOCAL / "bench-target", LOGS / "bench-build.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = ["cargo", "build", "--release"] + [word for name in FUNCTIONS for word in ("--package", name)]
    with step("Build the functions as they are deployed (minutes, the first time)"), log.open("wb") as output:
        done = subprocess.run(command, cwd=ROOT, env=os.environ | {"CARGO_TARGET_DIR": str(target)}, stdout=output, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failure("the build failed", log)
    return {name: target / "release" / name for name in FUNCTIONS}


def zipped(binary: Path) -> int:
    """Bytes of the zip that Lambda is given."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(binary, "bootstrap")
    return len(held.getvalue())


def starts(binary: Path, port: int) -> tuple[float, int]:
    """Seconds from exec to the first `next`, and KiB resident then."""
    environment = bare_environment() | SETTINGS | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"}
    times, resident = [], []
    for _ in range(STARTS):
        RuntimeApi.called.clear()
        began = time.perf_counter()
        process = subprocess.Popen([str(binary)], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            if not RuntimeApi.called.wait(20):
                process.kill()
                raise Failure(f"{binary.name} asked for nothing: {process.stderr.read().decode()}")
            times.append(RuntimeApi.asked - began)
            status = Path(f"/proc/{process.pid}/status").read_text()
            resident.append(int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]))
        finally:
            process.kill()
            process.communicate()
    return statistics.median(times), int(statistics.median(resident))
