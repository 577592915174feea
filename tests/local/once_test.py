"""Which events may come twice. tests/tests/samples.rs runs it: python3 -B -m unittest once_test, in this directory."""

import contextlib
import io
import json
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from once import doubled

DECIDED = datetime(2026, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
TIMED_OUT = "2026-05-04 03:02:09 WARNING Lambda local-HistoryProcessorFunction-1: Task timed out after 5.00 seconds"


def came(after: float, owner: str = "ada", **differs: str) -> dict:
    event = {"event_id": "evt_1", "owner_id": owner, "fired_at": DECIDED.isoformat()} | differs
    return {"of": "agent_run_queue", "at": (DECIDED + timedelta(seconds=after)).timestamp(), "body": json.dumps(event)}


class Once(unittest.TestCase):
    def doubled(self, *messages: dict, calls: list[dict] = (), log: str = "") -> list[str]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "logs").mkdir()
            (folder / "logs" / "ministack.log").write_text(log)
            for file, lines in (("collected.jsonl", messages), ("aws-calls.jsonl", calls)):
                (folder / file).write_text("".join(json.dumps(line) + "\n" for line in lines))
            with contextlib.redirect_stdout(io.StringIO()):
                return doubled(folder, 5)

    def test_one_copy_is_right_and_two_want_a_reason(self):
        late = {"action": "TransactWriteItems", "status": None}
        rows = [
            ("one copy", [came(0.2)], {}, True),
            ("two owners", [came(0.2), came(0.2, "bob")], {}, True),
            ("twice, for no reason", [came(0.2), came(7)], {}, False),
            ("its publisher was slow", [came(5.5), came(7)], {}, True),
            ("its publisher was slow, and other bytes came", [came(5.5), came(7, subject="other")], {}, False),
            ("its publisher was stopped", [came(0.2), came(7)], {"log": TIMED_OUT}, True),
            ("its publisher was stopped, and other bytes came", [came(0.2), came(7, subject="other")], {"log": TIMED_OUT}, False),
            ("it was not marked", [came(0.2), came(7)], {"calls": [late]}, True),
            ("two published at once", [came(0.2), came(0.3)], {"calls": [late], "log": TIMED_OUT}, False),
            ("killed while it worked", [came(0.2, "killed-ada"), came(7, "killed-ada")], {}, True),
        ]
        for name, messages, trouble, right in rows:
            with self.subTest(name):
                self.assertEqual(self.doubled(*messages, **trouble) == [], right)
