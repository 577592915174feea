"""Collects the messages of a test stack's queues into a file, from which each test reads its own."""

import argparse
import json
import os
import threading
import time
import traceback
from pathlib import Path

from deploy import client


class Collector:
    """One file for all queues, a line for each message."""

    def __init__(self, endpoint: str, file: Path):
        self.endpoint, self.file, self.lock = endpoint, file, threading.Lock()
        file.touch()

    def drain_or_end(self, name: str, queue: str) -> None:
        """Ends the whole collector if one thread fails: with a part missing, the stack would look silent."""
        try:
            self.drain(name, queue)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    def drain(self, name: str, queue: str) -> None:
        sqs = client("sqs", self.endpoint)
        request = {"QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "WaitTimeSeconds": 20}
        while True:
            for message in sqs.receive_message(**request).get("Messages", []):
                self.write({
                    "kind": "message", "of": name, "at": time.time(), "attributes": message.get("MessageAttributes"), "body": message["Body"],
                })
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    def write(self, message: dict) -> None:
        with self.lock, self.file.open("a") as output:
            output.write(json.dumps(message) + "\n")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--endpoint", required=True)
    arguments.add_argument("--file", type=Path, required=True)
    arguments.add_argument("--queue", nargs=2, action="append", metavar=("NAME", "URL"), required=True)
    given = arguments.parse_args()
    collector = Collector(given.endpoint, given.file)
    threads = [threading.Thread(target=collector.drain_or_end, args=queue) for queue in given.queue]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
