"""JSON over HTTP, and waiting for a condition without fixed sleeps."""

import json
import time
import urllib.error
import urllib.request

from terminal import Failure

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def request(method: str, url: str, body=None, headers=None, timeout: float = 30):
    """Returns `(status, decoded body)`, also for an error status; a refused connection raises OSError."""
    data = None if body is None else json.dumps(body).encode()
    sent = urllib.request.Request(url, data=data, method=method, headers={"content-type": "application/json"} | (headers or {}))
    try:
        with DIRECT.open(sent, timeout=timeout) as answer:
            return answer.status, decoded(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, decoded(error.read())


def decoded(raw: bytes):
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode(errors="replace")


def expect(method: str, url: str, body=None, headers=None, statuses=range(200, 300)):
    """The body of an answer that must have one of the given statuses."""
    status, answer = request(method, url, body, headers)
    if status not in statuses:
        raise Failure(f"{method} {url} answered {status}: {answer}")
    return answer


def serves(url: str) -> bool:
    try:
        return request("GET", url, timeout=2)[0] == 200
    except OSError:
        return False


def wait_until(condition, seconds: float, what: str, log=None) -> None:
    """Polls until the condition holds; the condition may itself raise to give up early."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {seconds:.0f} s", log)
        time.sleep(0.05)
