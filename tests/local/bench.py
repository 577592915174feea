"""Measures zips and cold starts, a connect, a wake-up stage by stage, a busy mailbox and memory; and other patterns.

The functions' own binaries run behind a runtime API of the bench, on MiniStack and the fake Google, with the environments
that the template gives them. Every figure of a run comes from that run, measured from outside the functions."""

import argparse
import json
import sys

import bench_build
import bench_report
import build
from bench_mailboxes import Mailbox
from bench_patterns import PATTERNS, Client
from bench_world import World
from settings import LOCAL
from terminal import say, step
from tools import enter_venv

LATENCIES = [0, 50]
SIZES = [1, 10, 25, 100]
# Two pages of history: `history.list` returns 500 records at a time.
BUSY = 700


def run() -> None:
    enter_venv()
    given = arguments(sys.argv[2:])
    binaries = bench_build.quick() if given.short else bench_build.deployed()
    build.binaries()
    with World(binaries) as world:
        result = {"short": given.short, "repetitions": repetitions(given)} | measured(world, given)
    folder = LOCAL / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    table = bench_report.whole(result)
    (folder / "table.md").write_text(table)
    say(f"\n{table}\n  written to {folder / 'table.md'}, the single measurements to {folder / 'result.json'}")
    if given.write_readme:
        bench_report.write_readme(result)


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("--short", action="store_true", help="few repetitions of the functions as the tests build them")
    parser.add_argument("--repetitions", type=int, help="of each wake-up (11, or 2 with --short)")
    parser.add_argument("--write-readme", action="store_true", help="put the figures into README.md, between its two marks")
    given = parser.parse_args(words)
    if given.short and given.write_readme:
        parser.error("README.md shows the functions as they are deployed, which --short does not measure")
    return given


def repetitions(given: argparse.Namespace) -> int:
    return given.repetitions or (2 if given.short else 11)


def measured(world: World, given: argparse.Namespace) -> dict:
    times = repetitions(given)
    result = {"starts": bench_build.cold_starts(world.binaries, world.environments, 3 if given.short else 21, not given.short)}
    result["floor_ms"] = bench_build.floor(world.binaries[bench_build.EMPTY], world.environments["pubsub-webhook"], 20)
    world.latency(0)
    with step("Warm up"):
        Mailbox.new(world).ready().wake_up(1)
    result["connect"] = [row for latency in LATENCIES for row in connects(world, latency, times)]
    result["wake_ups"] = [row for latency in LATENCIES for mails in SIZES for row in wake_ups(world, latency, mails, times)]
    result["processor_mb"] = world.functions["history-processor"].memory()
    result["busy"] = [row for latency in LATENCIES for row in busy(world, latency, times)]
    result["processor_mb_busy"] = world.functions["history-processor"].memory()
    result["patterns"] = [row for latency in LATENCIES for row in patterns(world, latency, *((1, SIZES[:-1]) if given.short else (3, SIZES)))]
    return result


def connects(world: World, latency: int, times: int) -> list[dict]:
    rows = []
    with step(f"A connect, {latency} ms per request to Google"):
        for _ in range(times):
            mailbox = Mailbox.new(world)
            world.latency(latency)
            seconds = mailbox.connect()
            rows.append({"latency": latency, "ms": seconds * 1000, "requests": len(world.timings())})
            world.latency(0)
            mailbox.settle()
    return rows


def wake_ups(world: World, latency: int, mails: int, times: int) -> list[dict]:
    rows = []
    with step(f"A wake-up for {mails} new mails, {latency} ms per request to Google") as current:
        for number in range(times):
            current.progress(f"{number + 1} of {times}")
            rows.append({"latency": latency, "mails": mails} | waked(Mailbox.new(world).ready(), latency, mails))
    return rows


def busy(world: World, latency: int, times: int) -> list[dict]:
    """One new mail, with more than one page of history records since the settled cursor."""
    rows = []
    with step(f"One new mail in a busy mailbox, {latency} ms per request to Google"):
        mailbox = Mailbox.new(world).ready()
        for _ in range(BUSY // 100):
            mailbox.receive(100)
            mailbox.settle()
        for _ in range(times):
            rows.append({"latency": latency, "mails": 1} | waked(mailbox, latency, 1))
    return rows


def waked(mailbox: Mailbox, latency: int, mails: int) -> dict:
    mailbox.world.latency(latency)
    try:
        return mailbox.wake_up(mails)
    finally:
        mailbox.world.latency(0)


def patterns(world: World, latency: int, times: int, sizes: list[int]) -> list[dict]:
    """The same mail on the same fake, read in other orders of calls."""
    rows = []
    with step(f"The same mail by other patterns, {latency} ms per request to Google"):
        for mails in sizes:
            mailbox = Mailbox.new(world)
            client = Client(mailbox)
            since = client.gmail("profile")["historyId"]
            mailbox.receive(mails)
            world.latency(latency)
            for pattern in PATTERNS:
                for _ in range(times):
                    seconds, requests = client.run(pattern, since, mails)
                    rows.append({"pattern": pattern, "latency": latency, "mails": mails, "ms": seconds * 1000, "requests": requests})
            world.latency(0)
    return rows
