"""Tests `make sam-local` without Docker: that it finds differences, and that its proxy serves the right ports.

tests/tests/samples.rs runs it: python3 -B -m unittest sam_local_test, in this directory."""

import contextlib
import http.server
import io
import json
import os
import socket
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

import processes
import sam_local
from sam_local import Sample, choose, expected, holds, in_short, read
from settings import ROOT
from terminal import Failure
from web import request, wait_until

PUSH = Sample("pubsub-webhook.push", {"status": 202}, {"NOTIFICATION_QUEUE_URL": [{"kind": "push"}]})


class Answers(unittest.TestCase):
    def test_an_answer_may_contain_more_than_is_expected_and_not_less(self):
        self.assertTrue(holds({"a": 1, "b": {"c": [1, {"d": None, "e": 2}]}}, {"b": {"c": [1, {"d": None}]}}))
        for answer, expects in [
            ({}, {"a": None}), ({"a": 2}, {"a": 1}), ([1, 2], [1]), ([], [1]), ("1", 1), (True, 1), (0, False), (None, {}), ("text", {}), ([], {}),
        ]:
            self.assertFalse(holds(answer, expects), f"{answer} does not contain {expects}")

    def test_only_an_http_answer_is_read(self):
        http = {"statusCode": 302, "headers": {"location": "/there"}, "body": ""}
        self.assertEqual(read(http), {"status": 302, "text": "", "location": "/there"})
        self.assertEqual(read({"statusCode": 200, "body": '{"a":1}'})["body"], {"a": 1})
        for other in ({"batchItemFailures": []}, "no answer", None):
            self.assertEqual(read(other), other)

    def test_a_line_shows_status_and_code(self):
        self.assertEqual(in_short({"status": 404, "body": {"status": 404, "code": "not_found"}}), "404 not_found")
        self.assertEqual(in_short({"batchItemFailures": []}), '{"batchItemFailures":[]}')


class Expectations(unittest.TestCase):
    def test_what_is_committed_names_each_sample_once(self):
        self.assertEqual(len(expected()), len(list((ROOT / "events").glob("*.json"))))

    def test_a_sample_without_an_expectation_is_refused_and_so_is_an_empty_one(self):
        rows = json.loads(sam_local.ANSWERS.read_text())
        for broken in (rows[1:], [], rows + rows[:1], [rows[0] | {"answer": {}}, *rows[1:]]):
            with tempfile.NamedTemporaryFile("w", suffix=".json", dir=ROOT) as file:
                file.write(json.dumps(broken))
                file.flush()
                with mock.patch.object(sam_local, "ANSWERS", Path(file.name)), self.assertRaises(Failure):
                    expected()

    def test_a_chosen_sample_brings_what_it_needs(self):
        samples = expected()
        names = [sample.name for sample in choose(samples, ["events/connectors-api.list-connectors.json"])]
        self.assertEqual(names, ["oauth-connect.popup", "connectors-api.list-connectors"])
        self.assertEqual(choose(samples, []), samples)
        with self.assertRaisesRegex(Failure, "no sample nonsense"):
            choose(samples, ["pubsub-webhook.push", "nonsense"])

    def test_each_sample_belongs_to_a_function_of_the_template(self):
        template = (ROOT / "template.yaml").read_text()
        for sample in expected():
            self.assertIn(f"\n  {sample.function}:\n    Type: AWS::Serverless::Function\n", template)


class World:
    """Queues with messages that a test sets."""

    queues = ("NOTIFICATION_QUEUE_URL", "EVENT_BUS_NAME")

    def __init__(self, left: dict):
        self.left = left

    def taken(self, variable: str, _wanted: int) -> list:
        return self.left.get(variable, [])


class Verdicts(unittest.TestCase):
    def proven(self, answer, left: dict) -> bool:
        with mock.patch.object(sam_local, "invoke", return_value=answer), contextlib.redirect_stdout(io.StringIO()) as output:
            verdict = sam_local.proven(PUSH, Path("unused"), World(left))
        self.assertIn(" ok " if verdict else "FAIL", output.getvalue())
        self.assertIn(PUSH.name, output.getvalue())
        return verdict

    def test_answer_and_effect_decide(self):
        good, wake_up = {"statusCode": 202, "body": ""}, {"kind": "push", "history_id": "1"}
        self.assertTrue(self.proven(good, {"NOTIFICATION_QUEUE_URL": [wake_up]}))
        for answer, left in [
            ({"statusCode": 503, "body": ""}, {"NOTIFICATION_QUEUE_URL": [wake_up]}),
            ("sam local invoke ended with 1", {"NOTIFICATION_QUEUE_URL": [wake_up]}),
            ({"errorType": "Runtime.ExitError"}, {"NOTIFICATION_QUEUE_URL": [wake_up]}),
            (good, {}),
            (good, {"NOTIFICATION_QUEUE_URL": [wake_up, wake_up]}),
            (good, {"NOTIFICATION_QUEUE_URL": [{"kind": "kick"}]}),
            (good, {"NOTIFICATION_QUEUE_URL": [wake_up], "EVENT_BUS_NAME": [{}]}),
        ]:
            self.assertFalse(self.proven(answer, left), f"{answer}, {left}")


class Engine(unittest.TestCase):
    def docker(self, script: str):
        """A PATH on which `docker` is this script."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        if script:
            program = Path(folder.name) / "docker"
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        return mock.patch.dict(os.environ, {"PATH": folder.name})

    def test_where_no_engine_runs_the_other_way_is_named(self):
        for script in ("", "echo 'no daemon' >&2; exit 1"):
            with self.docker(script), self.assertRaisesRegex(Failure, "`make test` runs the same samples"):
                sam_local.require_docker()
        with self.docker("echo 27.0"):
            sam_local.require_docker()

    def test_the_bridge_is_found_whether_or_not_its_gateway_is_set(self):
        for config in ('{"Subnet":"172.17.0.0/16"}', '{"Subnet":"fd00::/80","Gateway":"fd00::1"},{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}'):
            with self.docker(f"echo '[{config}]'"):
                self.assertEqual(sam_local.bridge_address(), "172.17.0.1")


class Doorway(unittest.TestCase):
    def test_what_serves_on_loopback_is_reached_at_the_other_address_and_nowhere_else(self):
        class Echo(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(self.rfile.read(int(self.headers["content-length"])))

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        log = Path(tempfile.mkstemp()[1])
        self.addCleanup(log.unlink)
        words = [sys.executable, "-B", str(Path(__file__).parent / "doorway.py"), "--address", "127.0.0.2", "--ports", str(port)]
        door = processes.start(words, {}, log, ROOT)
        self.addCleanup(processes.end, door)
        wait_until(lambda: connects("127.0.0.2", port), 15, "the doorway", log)
        body = {"text": "x" * 300_000}
        self.assertEqual(request("POST", f"http://127.0.0.2:{port}/", body), (200, body))
        self.assertFalse(connects("127.0.0.3", port))


def connects(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


if __name__ == "__main__":
    unittest.main()
