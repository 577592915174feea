"""Stands between the functions and the emulator and notes which function made which AWS call: never what was in it.

A tunnel that reads along: requests go on whole and as they came, but for those that a test asked to have refused."""

import argparse
import json
import os
import queue
import re
import select
import socket
import threading
import time
import traceback
from pathlib import Path

import aws_calls
import canary_search

CHUNK = 1 << 18
LINE = b"\r\n"


class Messages:
    """Cuts a stream of bytes into HTTP messages: `(head, body)`, the first line of the head included."""

    def __init__(self):
        self.held = b""
        self.done: list[tuple[bytes, bytes]] = []
        # Each message that was cut, as it came; for who passes them on.
        self.raw: list[bytes] = []

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        self.held += data
        while self.cut():
            pass
        ready, self.done = self.done, []
        return ready

    def cut(self) -> bool:
        end = self.held.find(LINE + LINE)
        if end < 0:
            return False
        head, rest = self.held[:end], self.held[end + 4 :]
        if re.search(rb"(?im)^transfer-encoding:\s*chunked", head):
            body, used = unchunked(rest)
        else:
            length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
            used = int(length.group(1)) if length else 0
            body = rest[:used] if len(rest) >= used else None
        if body is None:
            return False
        whole, self.held = self.held[: end + 4 + used], rest[used:]
        self.raw.append(whole)
        # 1xx announces the answer and is none.
        if not re.match(rb"HTTP/1\.1 1\d\d", head):
            self.done.append((head, body))
        return True


def unchunked(data: bytes) -> tuple[bytes | None, int]:
    """The body, and how many bytes it took; no body while it is not whole."""
    body, at = b"", 0
    while (end := data.find(LINE, at)) >= 0:
        size = int(data[at:end].split(b";")[0], 16)
        at = end + 2 + size + 2
        if len(data) < at:
            return None, 0
        if size == 0:
            return body, at
        body += data[end + 2 : end + 2 + size]
    return None, 0


class Recorder:
    """Writes one line for each call, after it was answered."""

    def __init__(self, file: Path):
        self.file = file
        self.refusals = Refusals(file.with_name("refusals.json"))
        self.calls: queue.Queue = queue.Queue()
        threading.Thread(target=self.write_or_end, daemon=True).start()

    def note(self, at: float, request: tuple[bytes, bytes], answer: tuple[bytes, bytes] | None) -> None:
        # Whether the emulator is ready is no call to AWS.
        if not request[0].startswith(b"GET /_ministack/"):
            self.calls.put((at, request, answer))

    def write_or_end(self) -> None:
        """A recorder that cannot write lets nothing through: half a record would pass for a whole one."""
        try:
            self.write()
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    def write(self) -> None:
        with self.file.open("a", buffering=1) as output:
            while True:
                at, request, answer = self.calls.get()
                output.write(json.dumps({"at": at} | described(request, answer)) + "\n")


def described(request: tuple[bytes, bytes], answer: tuple[bytes, bytes] | None) -> dict:
    """What may be noted of a call. One that cannot be read is noted as such, for the tests to stumble over."""
    status = int(answer[0].split()[1]) if answer else None
    canaries = {"request": canary_search.count(b"\n".join(request)), "answer": canary_search.count(b"\n".join(answer)) if answer else 0}
    try:
        call = aws_calls.read(*request)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        call = {"function": "", "service": "", "action": f"unreadable: {type(error).__name__}", "allowed_by": []}
    return call | {"status": status, "canaries": canaries}


REFUSED = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.1\r\nx-amzn-errortype: AccessDeniedException\r\n"
    b"content-length: 55\r\n\r\n"
)
REFUSAL = b'{"__type":"AccessDeniedException","Message":"refused"}\n'


class Refusals:
    """What a test has written into the file: `{service, action, containing, times}`; so many calls of that kind that hold that text
    are refused."""

    def __init__(self, file: Path):
        self.file = file
        self.lock = threading.Lock()

    def refuses(self, request: tuple[bytes, bytes]) -> bool:
        if not self.file.exists():
            return False
        with self.lock:
            asked = json.loads(self.file.read_text())
            try:
                call = aws_calls.read(*request)
            except (ValueError, KeyError, TypeError, AttributeError):
                return False
            if asked["times"] < 1 or (call["service"], call["action"]) != (asked["service"], asked["action"]):
                return False
            if asked["containing"].encode() not in request[1]:
                return False
            self.file.write_text(json.dumps(asked | {"times": asked["times"] - 1}))
            return True


def serve(port: int, upstream: tuple[str, int], recorder: Recorder) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=256)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=tunnel, args=(client, upstream, recorder), daemon=True).start()


def tunnel(client: socket.socket, upstream: tuple[str, int], recorder: Recorder) -> None:
    """Passes bytes on both ways until either end has closed."""
    requests, answers = Messages(), Messages()
    # HTTP/1.1 answers in the order of the requests.
    waiting: list[tuple[float, tuple[bytes, bytes]]] = []
    try:
        with client, socket.create_connection(upstream) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                readable, _, _ = select.select([client, server], [], [])
                if client in readable:
                    if not (data := client.recv(CHUNK)):
                        return
                    for request in requests.feed(data):
                        whole = requests.raw.pop(0)
                        if recorder.refusals.refuses(request):
                            client.sendall(REFUSED + REFUSAL)
                            recorder.note(time.time(), request, (REFUSED.strip(), REFUSAL))
                        else:
                            waiting.append((time.time(), request))
                            server.sendall(whole)
                if server in readable:
                    if not (data := server.recv(CHUNK)):
                        return
                    client.sendall(data)
                    for answer in answers.feed(data):
                        recorder.note(*waiting.pop(0), answer)
    except OSError:
        # A function that was ended in the middle of a call, or an emulator that is going down: both ends are closed by now.
        pass
    finally:
        for at, request in waiting:
            recorder.note(at, request, None)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--upstream-port", type=int, required=True)
    arguments.add_argument("--file", type=Path, required=True)
    given = arguments.parse_args()
    serve(given.port, ("127.0.0.1", given.upstream_port), Recorder(given.file))


if __name__ == "__main__":
    main()
