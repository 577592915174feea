"""Tests the decisions of the local stack's gateway and function limits, without MiniStack.

tests/tests/samples.rs runs it: python3 -B -m unittest gateway_test, in this directory."""

import asyncio
import subprocess
import sys
import threading
import types
import unittest
from unittest import mock

import function_limits
import gateway
from function_limits import Memory, Watch, killed, measured, peak_kb
from gateway import Answered, Bucket, Request, Throttle, as_handed_over, checked, limited, limits_of, within

# Recorded on AWS, on an HTTP API's $default route, in July 2026: hotsock/voker,
# vokerhttp/testdata/ingress-paths.json.
RECORDED = [
    ("/capture/plain", "/capture/plain"),
    ("/capture/space%20value", "/capture/space value"),
    ("/capture/question%3Fvalue", "/capture/question"),
    ("/capture/percent%25done", None),
    ("/capture/hash%23value", "/capture/hash#value"),
    ("/capture/slash%2Fvalue", "/capture/slash/value"),
    ("/capture/unicode-%CE%BB-%E4%B8%96%E7%95%8C", "/capture/unicode-λ-世界"),
    ("/capture/literal%252Fvalue", "/capture/literal/value"),
    ("/capture/literal%253Fvalue", "/capture/literal?value"),
    ("/capture/literal%2525value", "/capture/literal%value"),
]


class Paths(unittest.TestCase):
    def test_a_path_arrives_as_recorded_on_aws(self):
        for sent, handed in RECORDED:
            self.assertEqual(as_handed_over(sent), handed, sent)

    def test_a_broken_escape_is_refused_in_either_decoding(self):
        for sent in ("/a%", "/a%4", "/a%zz", "/a%25", "/a%25zz"):
            self.assertIsNone(as_handed_over(sent), sent)

    def test_api_and_stage_are_no_part_of_what_was_sent(self):
        for raw, sent in [
            (b"/_aws/execute-api/abc/$default/a/b%2Fc", b"/a/b%2Fc"), (b"/_aws/execute-api/abc/%24default//a", b"//a"),
            (b"/_aws/execute-api/abc/$default", b"/"), (b"/_aws/execute-api/abc/$default/", b"/"), (b"/a/b", b"/a/b"),
        ]:
            self.assertEqual(gateway.path_below_the_stage(raw), sent)


    def test_a_function_is_told_where_its_api_stands_by_nothing_that_the_caller_sends(self):
        inside = {"domainName": "abc.execute-api.localhost", "stage": "$default"}
        headers = [(b"host", b"evil.example"), (b"x-forwarded-host", b"evil.example")]
        for raw, outside in [
            (b"/_aws/execute-api/abc/$default/a", {"domainName": "127.0.0.1:4566", "stage": "_aws/execute-api/abc/$default"}),
            (b"/_aws/execute-api/abc/%24default", {"domainName": "127.0.0.1:4566", "stage": "_aws/execute-api/abc/$default"}),
            (b"/a", {"domainName": "abc.execute-api.localhost:4566"}),
        ]:
            sent = scope("/a", headers) | {"raw_path": raw, "server": ("127.0.0.1", 4566)}
            self.assertEqual(Request.of(sent).seen_from_outside(inside), outside)
        self.assertEqual(Request.of(scope("/a")).seen_from_outside(inside), {}, "without a port")


def scope(path: str, headers=(), query: bytes = b"") -> dict:
    raw = f"/_aws/execute-api/abc/$default{path}".encode()
    return {"type": "http", "method": "GET", "raw_path": raw, "query_string": query, "headers": list(headers)}


def served(matches: str, path: str) -> tuple:
    """The path for route matching, and the path and parameters for the function."""
    seen = []

    async def invoke(integration, api_id, stage, path, *given, **rest):
        seen.extend([path, given[5]])
        return 200, {}, b""

    async def execute(api_id, stage, path, *given):
        seen.append(path)
        function = limited(invoke, {}, Throttle(), matches)
        return await function({}, api_id, stage, path, "GET", {}, b"", {}, "GET /{id}", {"id": path[1:]})

    async def run():
        handle = checked(execute, matches)
        serve = gateway.remembering(lambda *_: handle("abc", "$default", path, "GET", {}, b"", {}))
        await serve(scope(path), None, None)

    asyncio.run(run())
    return tuple(seen)


class Matching(unittest.TestCase):
    def test_routes_are_matched_by_the_path_as_decoded_or_as_sent(self):
        self.assertEqual(served("decoded", "/a%2Fb"), ("/a/b", "/a/b", {"id": "a/b"}))
        self.assertEqual(served("sent", "/a%2Fb"), ("/a%2Fb", "/a/b", {"id": "a/b"}))
        self.assertEqual(served("decoded", "/a%253Fb"), ("/a?b", "/a?b", {"id": "a?b"}))
        self.assertEqual(served("sent", "/a%253Fb"), ("/a%253Fb", "/a?b", {"id": "a%3Fb"}))


    def test_a_slash_at_the_end_chooses_no_route_and_stays_in_the_path(self):
        for matches in ("decoded", "sent"):
            self.assertEqual(served(matches, "/a/")[:2], ("/a", "/a/"))
            self.assertEqual(served(matches, "/")[:2], ("/", "/"))
            self.assertEqual(served(matches, "/a//")[:2], ("/a/", "/a//"))


class Requests(unittest.TestCase):
    def refusal(self, request: Request, body: bytes = b"") -> int | None:
        refused = request.refused(body)
        return refused and refused[0]

    def test_the_head_is_counted_with_its_request_line(self):
        exactly = len("GET /a HTTP/1.1\r\n") + len("?") + len("h: \r\n")
        for more, status in ((0, None), (1, 431)):
            header = (b"h", b"x" * (gateway.LARGEST_HEAD - exactly + more))
            self.assertEqual(self.refusal(Request.of(scope("/a", [header]))), status)
        self.assertEqual(self.refusal(Request.of(scope("/a", query=b"x" * gateway.LARGEST_HEAD))), 431)

    def test_a_body_that_is_too_large_and_a_path_that_cannot_be_decoded_are_refused(self):
        body = b"x" * gateway.LARGEST_BODY
        self.assertIsNone(self.refusal(Request.of(scope("/a")), body))
        self.assertEqual(self.refusal(Request.of(scope("/a")), body + b"x"), 413)
        self.assertEqual(self.refusal(Request.of(scope("/a%25"))), 400)


class Throttles(unittest.TestCase):
    def test_a_bucket_gives_its_burst_and_then_its_rate(self):
        bucket = Bucket(2, 3, 100)
        self.assertEqual([bucket.take(100) for _ in range(4)], [True, True, True, False])
        self.assertEqual([bucket.take(100.4), bucket.take(100.5), bucket.take(100.6)], [False, True, False])
        self.assertEqual([bucket.take(200) for _ in range(4)], [True, True, True, False], "never more than the burst")

    def test_each_route_has_its_own(self):
        throttle = Throttle()
        self.assertTrue(throttle.admits(("a",), (1, 1), 0))
        self.assertFalse(throttle.admits(("a",), (1, 1), 0))
        self.assertTrue(throttle.admits(("b",), (1, 1), 0))
        self.assertTrue(throttle.admits(("a",), (1, 2), 0), "new limits begin with a full bucket")
        self.assertTrue(all(throttle.admits(("c",), None, 0) for _ in range(1000)), "and without limits there is none")

    def test_a_routes_own_settings_come_before_the_stages(self):
        stage = {
            "defaultRouteSettings": {"ThrottlingRateLimit": "200", "ThrottlingBurstLimit": 300},
            "routeSettings": {"POST /push": {"ThrottlingRateLimit": 2000, "ThrottlingBurstLimit": "3000"}},
        }
        self.assertEqual(limits_of(stage, "GET /a"), (200, 300))
        self.assertEqual(limits_of(stage, "POST /push"), (2000, 3000))
        by_the_api = {"defaultRouteSettings": {"throttlingRateLimit": 1, "throttlingBurstLimit": 2}}
        self.assertEqual(limits_of(by_the_api, "GET /a"), (1, 2))
        for none in ({}, None, {"routeSettings": None, "defaultRouteSettings": {}}):
            self.assertIsNone(limits_of(none, "GET /a"))


def invoked(answer, event: dict | None = None):
    async def run(function, record, event, *, thread_name):
        return answer

    async def bounded():
        return await within(run)(None, {}, event or {"routeKey": "GET /a"}, thread_name=gateway.FOR_A_ROUTE)

    try:
        return asyncio.run(bounded())
    except Answered as own:
        return own.answer[0], own.answer[2]


class Quiet(unittest.TestCase):
    """Silences the logger: refusals are logged, and expected here."""

    def setUp(self):
        for logger in (gateway.logger, function_limits.logger):
            logger.disabled = True
            self.addCleanup(setattr, logger, "disabled", False)


class Invocations(Quiet):
    def test_what_a_function_answers_goes_on(self):
        self.assertEqual(invoked({"body": 1}), {"body": 1})

    def test_an_error_is_not_shown(self):
        secret = {"error": True, "body": {"errorMessage": "secret"}}
        self.assertEqual(invoked(secret), (502, b'{"message":"Internal Server Error"}'))

    def test_an_event_that_lambda_would_not_take_is_refused(self):
        event = {"routeKey": "GET /a", "body": ""}
        fits = gateway.LARGEST_EVENT - gateway.size_of(event)
        self.assertEqual(invoked({}, event | {"body": "x" * fits}), {})
        self.assertEqual(invoked({}, event | {"body": "x" * fits + "x"})[0], 413)
        self.assertEqual(invoked({}, event | {"body": "ü" * (fits // 2 + 1)})[0], 413)

    def test_the_gateway_waits_no_longer_and_the_function_goes_on(self):
        done = []

        async def run(function, record, event, *, thread_name):
            await asyncio.sleep(0.05)
            done.append(event)
            return {}

        async def both():
            with self.assertRaises(Answered) as raised:
                await within(run, 0.01)(None, {}, {"routeKey": "GET /a"}, thread_name=gateway.FOR_A_ROUTE)
            self.assertEqual((raised.exception.answer[0], done), (503, []))
            await asyncio.sleep(0.1)
            self.assertEqual(len(done), 1)

        asyncio.run(both())

    def test_headers_of_an_answer_are_counted_each_time_they_come(self):
        fits = "x" * (gateway.LARGEST_HEAD - len("a: \r\n"))
        for headers, status in [
            ({"a": fits}, 200), ({"a": fits + "x"}, 502),
            ({"Set-Cookie": ["x" * 6000]}, 200), ({"Set-Cookie": ["x" * 6000] * 2}, 502),
        ]:
            async def invoke(*given, headers=headers, **rest):
                return 200, headers, b""

            answer = asyncio.run(limited(invoke, {}, Throttle())({}, "abc", "$default", "/a", "GET", {}, b"", {}))
            self.assertEqual(answer[0], status)


def worker(megabytes: int, memory: int) -> types.SimpleNamespace:
    """A worker whose process had this many MB for a moment, and freed them."""
    lines = f"block = bytearray({megabytes} << 20); del block; print(1, flush=True); import time; time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", lines], stdout=subprocess.PIPE)
    process.stdout.readline()
    return types.SimpleNamespace(_proc=process, config={"MemorySize": memory}, func_name="function")


class Memories(Quiet):
    def worker(self, megabytes: int, memory: int):
        made = worker(megabytes, memory)
        self.addCleanup(made._proc.communicate)
        self.addCleanup(made._proc.kill)
        return made

    def test_a_short_peak_is_seen_and_kills(self):
        within, spent = Memory(self.worker(40, 128)), Memory(self.worker(140, 128))
        for memory in (within, spent):
            memory.look()
        self.assertIsNone(within.worker._proc.poll())
        self.assertEqual((within.spent, within.used_mb() in range(40, 128)), (False, True))
        self.assertEqual((spent.spent, spent.used_mb(), spent.worker._proc.wait(5)), (True, 128, -9))

    def test_a_process_that_ended_has_no_peak(self):
        ended = self.worker(0, 128)
        ended._proc.kill()
        ended._proc.wait()
        self.assertEqual(peak_kb(ended._proc.pid), 0)
        self.assertEqual(peak_kb(0), 0)

    def test_the_watch_looks_at_what_works_and_at_nothing_else(self):
        watch = Watch()
        working, done = mock.Mock(), mock.Mock()
        watch.begin(done)
        watch.end(done)
        watch.begin(working)
        with mock.patch.object(function_limits.time, "sleep", side_effect=[None, None, KeyboardInterrupt]):
            self.assertRaises(KeyboardInterrupt, watch.run)
        self.assertEqual((working.look.call_count, done.look.call_count), (3, 0))

    def test_an_invocation_that_needed_too_much_fails_whatever_it_answered(self):
        torn = []
        for megabytes, status in ((40, "ok"), (140, "error")):
            lent = self.worker(megabytes, 128)
            lent._lock, lent._teardown = threading.Lock(), lambda: torn.append(1)
            result = measured(lambda *_: {"status": "ok", "log": "said", "cold_start": True}, Watch())(lent, {}, "r1")
            self.assertEqual(result["status"], status)
        self.assertEqual(result, killed({"log": "said", "cold_start": True}, "r1"))
        self.assertEqual(result["error_payload"]["errorType"], "Runtime.ExitError")
        self.assertIn("RequestId: r1 Error: Runtime exited with error: signal: killed", result["log"])
        self.assertEqual(len(torn), 1)

    def test_other_failures_stay_what_they_are(self):
        def breaks(*_):
            raise RuntimeError("init error")

        with self.assertRaisesRegex(RuntimeError, "init error"):
            measured(breaks, Watch())(self.worker(0, 128), {}, "r1")


class Runtime:
    """The parts of MiniStack's runtime API that the limit uses."""

    def _read_body(self):
        return self.body

    def do_POST(self):
        self.answered.append((202, self._read_body()))

    def _respond(self, status, body):
        self.answered.append((status, body))


class Answers(unittest.TestCase):
    def test_an_answer_that_is_too_large_fails_the_invocation(self):
        recorded, fits = [], b"x" * function_limits.LARGEST_ANSWER
        lent = types.SimpleNamespace(_record_result=lambda *given: recorded.append(given))
        handler = function_limits.sized(lambda *_: Runtime)(lent, 7, None)()
        handler.answered = []
        for path, body in (("r1/response", fits), ("r2/response", fits + b"x"), ("r3/error", fits + b"x")):
            handler.path, handler.body = f"/2018-06-01/runtime/invocation/{path}", body
            handler.do_POST()
        self.assertEqual([status for status, _ in handler.answered], [202, 413, 202])
        self.assertEqual(recorded, [(7, "r2", "error", function_limits.TOO_LARGE)])


if __name__ == "__main__":
    unittest.main()
