"""Other ways to read the same mail: the sequences of calls that comparable systems make, one call after the other."""

import http.client
import json
import time
import urllib.parse

from bench_mailboxes import Mailbox
from settings import parameters
from terminal import Failure

# The calls before the mails, and the calls for each mail.
PATTERNS = {
    "a refresh and N gets": (["token", "history"], ["full"]),
    "4 + 2N": (["token", "profile", "labels", "history"], ["metadata", "full"]),
    "1 + 3N": (["history"], ["metadata", "full", "thread"]),
}


class Client:
    """One connection that stays open, with its own grant for the mailbox."""

    def __init__(self, mailbox: Mailbox):
        self.mailbox = mailbox
        self.line = http.client.HTTPConnection("127.0.0.1", int(mailbox.world.google.rsplit(":", 1)[1]), timeout=60)
        settings = parameters(mailbox.world.google)
        self.application = {"client_id": settings["GoogleClientId"], "client_secret": settings["GoogleClientSecret"]}
        grant = self.form({"grant_type": "authorization_code", "code": mailbox.code(), "redirect_uri": "postmessage"})
        self.refresh_token, self.access_token = grant["refresh_token"], grant["access_token"]

    def form(self, fields: dict[str, str]) -> dict:
        body = urllib.parse.urlencode(self.application | fields)
        return self.send("POST", "/token", body, {"content-type": "application/x-www-form-urlencoded"})

    def gmail(self, path: str) -> dict:
        return self.send("GET", f"/gmail/v1/users/me/{path}", None, {"authorization": f"Bearer {self.access_token}"})

    def send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> dict:
        self.line.request(method, path, body, headers)
        answer = self.line.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise Failure(f"{method} {path} answered {answer.status}: {content.decode(errors='replace')}")
        return json.loads(content)

    def run(self, pattern: str, since: str, mails: int) -> tuple[float, int]:
        """Seconds until the last mail is read, and the number of requests."""
        before, each = PATTERNS[pattern]
        began = time.perf_counter()
        messages, requests = [], len(before)
        for call in before:
            match call:
                case "token":
                    self.access_token = self.form({"grant_type": "refresh_token", "refresh_token": self.refresh_token})["access_token"]
                case "profile" | "labels":
                    self.gmail(call)
                case "history":
                    listed = self.gmail(f"history?startHistoryId={since}&historyTypes=messageAdded&maxResults=500")
                    messages = [added["message"] for record in listed["history"] for added in record["messagesAdded"]]
        if len(messages) != mails:
            raise Failure(f"{len(messages)} of {mails} mails were listed")
        for message in messages:
            for call in each:
                requests += 1
                path = f"threads/{message['threadId']}" if call == "thread" else f"messages/{message['id']}?format={call}"
                self.gmail(path)
        return time.perf_counter() - began, requests
