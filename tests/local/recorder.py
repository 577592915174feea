"""A proxy between the functions and the emulator that records which function made which AWS call, without its content.

Requests are passed on unchanged, except those that a test wants refused."""

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
        self.buffer = b""
        self.done: list[tuple[bytes, bytes]] = []
        # The bytes of each message, to be passed on.
        self.raw: list[bytes] = []

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        self.buffer += data
        while self.cut():
            pass
        ready, self.done = self.done, []
        return ready

    def cut(self) -> bool:
        end = self.buffer.find(LINE + LINE)
        if end < 0:
            return False
        head, rest = self.buffer[:end], self.buffer[end + 4 :]
        if re.search(rb"(?im)^transfer-encoding:\s*chunked", head):
            body, used = unchunked(rest)
        else:
            length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
            used = int(length.group(1)) if length else 0
            body = rest[:used] if len(rest) >= used else None
        if body is None:
            return False
        whole, self.buffer = self.buffer[: end + 4 + used], rest[used:]
        self.raw.append(whole)
        # A 1xx response precedes the answer.
        if not re.match(rb"HTTP/1\.1 1\d\d", head):
            self.done.append((head, body))
        return True


def unchunked(data: bytes) -> tuple[bytes | None, int]:
    """The body and its length on the wire; None while it is incomplete."""
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
    """Writes one line for each answered call."""

    def __init__(self, file: Path):
        self.file = file
        self.refusals = Refusals(file.with_name("refusals.json"))
        self.calls: queue.Queue = queue.Queue()
        threading.Thread(target=self.write_or_end, daemon=True).start()

    def note(self, at: float, request: tuple[bytes, bytes], answer: tuple[bytes, bytes] | None) -> None:
        # Readiness checks are not calls to AWS.
        if not request[0].startswith(b"GET /_ministack/"):
            self.calls.put((at, request, answer))

    def write_or_end(self) -> None:
        """Ends the process if writing fails: an incomplete record would look complete."""
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
    """The recorded fields of a call; an unreadable call is recorded as such, which fails the tests."""
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
    """Refuses calls as a test wrote into the file: `{service, action, containing, times}` refuses that many calls of
    the kind that contain the text."""

    def __init__(self, file: Path):
        self.file = file
        self.lock = threading.Lock()

    def refuses(self, request: tuple[bytes, bytes]) -> bool:
        if not self.file.exists():
            return False
        with self.lock:
            refusal = json.loads(self.file.read_text())
            try:
                call = aws_calls.read(*request)
            except (ValueError, KeyError, TypeError, AttributeError):
                return False
            if refusal["times"] < 1 or (call["service"], call["action"]) != (refusal["service"], refusal["action"]):
                return False
            if refusal["containing"].encode() not in request[1]:
                return False
            self.file.write_text(json.dumps(refusal | {"times": refusal["times"] - 1}))
            return True


def serve(port: int, upstream: tuple[str, int], recorder: Recorder) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=256)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=tunnel, args=(client, upstream, recorder), daemon=True).start()


def tunnel(client: socket.socket, upstream: tuple[str, int], recorder: Recorder) -> None:
    """Copies bytes both ways until either end closes."""
    requests, answers = Messages(), Messages()
    # In HTTP/1.1, answers come in the order of the requests.
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
        # A function ended in the middle of a call, or the emulator is going down: both ends are closed.
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
