"""The figures of a run as Markdown: ratios first."""

import math
import statistics
import textwrap

from bench_mailboxes import STAGES
from bench_patterns import PATTERNS
from settings import ROOT
from terminal import Failure

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
# Milliseconds per request to Google, where the time is what a user would see.
FAR = 50
SHORT_PROFILE = "the functions as the tests build them, NOT as they are deployed: only what goes through is shown, no figure holds"
PROFILE = "the functions as they are deployed"

NOT_MEASURED = """Measured from outside: the webhook's and the processor's own binaries, warm, behind a runtime API of the bench; the fake Google's and a
recorder's times of each request, the queue's own time of each event. Included: the emulator's own time for each AWS call, and {floor:.1f} ms of the bench
itself for each invocation. Not measured: API Gateway, the time until Lambda polls the queue (the bench takes a message as soon as it is there),
TLS and networks. The patterns are only the calls to Google, one after the other on one open connection, without a queue, a table or a bus; ours
is the whole way from the push to the last event."""


def whole(result: dict) -> str:
    parts = [summary(result), stages(result), functions(result), NOT_MEASURED.format(floor=result["floor_ms"])]
    return "\n\n".join(parts) + "\n"


def summary(result: dict) -> str:
    """The part for the README: 15 lines at most."""
    sizes = sorted({row["mails"] for row in result["wake_ups"]})
    ours = {mails: times_of(result["wake_ups"], mails, FAR) for mails in sizes}
    median = {mails: statistics.median(times) for mails, times in ours.items()}
    rows = [
        ["", *(f"{mails} new mail{'s' if mails > 1 else ''}" for mails in sizes)],
        ["---"] * (len(sizes) + 1),
        ["push → last event, in round trips to Google", *(f"**{median[mails] / FAR:.1f}**" for mails in sizes)],
        [f"… in ms, Google being {FAR} ms away (p95)", *(f"{median[mails]:.0f} ({p95(ours[mails]):.0f})" for mails in sizes)],
        ["requests to Google", *(f"{requests(result['wake_ups'], mails):.0f}" for mails in sizes)],
    ]
    for pattern in PATTERNS:
        compared = [other(result["patterns"], pattern, mails, median[mails]) for mails in sizes]
        rows.append([f"{pattern}, one after the other: its time to ours (requests)", *compared])
    profile = SHORT_PROFILE if result["short"] else PROFILE
    intro = f"`make bench`: {profile}, against a fake Google that takes {FAR} ms for each request; median of {result['repetitions']}, one run."
    return "\n".join([intro, "", table(rows), "", others(result)])


def other(rows: list[dict], pattern: str, mails: int, ours: float) -> str:
    same = [row for row in rows if row["pattern"] == pattern and row["mails"] == mails and row["latency"] == FAR]
    return f"×{statistics.median(row['ms'] for row in same) / ours:.1f} ({same[0]['requests']})" if same else "–"


def others(result: dict) -> str:
    starts = result["starts"]
    cold = ", ".join(f"{name} ×{row['start_ratio']:.1f} ({megabytes(row['zip_mb'])})" for name, row in starts.items() if name != "empty-function")
    idle, busy = times_of(result["wake_ups"], 1, FAR), times_of(result["busy"], 1, FAR)
    connects = [row["ms"] for row in result["connect"] if row["latency"] == FAR]
    return (
        f"What a cold start computes, to an empty function (zip): {cold}. A connect takes {statistics.median(connects) / FAR:.1f} round trips; one mail in a busy mailbox "
        f"(700 records in its settle window) ×{statistics.median(busy) / statistics.median(idle):.2f} of one in a quiet one; the processor holds "
        f"{result['processor_mb']['peak']:.0f} MB at most after 100 mails at once."
    )


def stages(result: dict) -> str:
    """Milliseconds since the push came, as medians; the last stage with its p95."""
    heads = ["202", "taken", "first request to Google", "listed", "fetched", "decided", "on the bus", "in the agent-run queue (p95)", "requests", "AWS calls"]
    rows = [["new mails, ms per request to Google", *heads], ["---"] * (len(heads) + 1)]
    groups = [(f"{mails}, {latency} ms", picked(result["wake_ups"], mails, latency)) for latency, mails in cases(result["wake_ups"])]
    groups += [(f"1 in a busy mailbox, {latency} ms", picked(result["busy"], mails, latency)) for latency, mails in cases(result["busy"])]
    for label, group in groups:
        times = {stage: [row[stage] * 1000 for row in group] for stage in STAGES}
        shown = [f"{statistics.median(times[stage]):.0f}" for stage in STAGES[:-1]]
        last = f"{statistics.median(times[STAGES[-1]]):.0f} ({p95(times[STAGES[-1]]):.0f})"
        counts = [f"{statistics.median(row[name] for row in group):.0f}" for name in ("requests", "aws")]
        rows.append([label, *shown, last, *counts])
    return "Milliseconds since the push came:\n\n" + table(rows)


def functions(result: dict) -> str:
    rows = [["", "computed until the first `next`, to the empty function", "the same, ms", "exec to first `next`, ms", "resident then, MB", "zip"], ["---"] * 6]
    for name, row in result["starts"].items():
        rows.append([name, f"×{row['start_ratio']:.2f}", f"{row['computed_ms']:.1f}", f"{row['start_ms']:.1f}", f"{row['resident_mb']:.1f}", megabytes(row["zip_mb"])])
    connects = "; ".join(
        f"{latency} ms per request to Google: {statistics.median(chosen):.0f} ms (p95 {p95(chosen):.0f})"
        for latency in sorted({row["latency"] for row in result["connect"]})
        if (chosen := [row["ms"] for row in result["connect"] if row["latency"] == latency])
    )
    count = statistics.median(row["requests"] for row in result["connect"])
    memory, later = result["processor_mb"], result["processor_mb_busy"]
    return "\n\n".join([
        table(rows),
        f"A connect, {count:.0f} requests to Google. {connects}.",
        f"The processor's memory after 100 mails at once: {memory['now']:.1f} MB, {memory['peak']:.1f} MB at most; after the busy mailbox {later['now']:.1f} and {later['peak']:.1f} MB.",
    ])


def cases(rows: list[dict]) -> list[tuple[int, int]]:
    return sorted({(row["latency"], row["mails"]) for row in rows})


def picked(rows: list[dict], mails: int, latency: int) -> list[dict]:
    return [row for row in rows if (row["mails"], row["latency"]) == (mails, latency)]


def times_of(rows: list[dict], mails: int, latency: int) -> list[float]:
    """Milliseconds from the push to the last event."""
    return [row[STAGES[-1]] * 1000 for row in picked(rows, mails, latency)]


def requests(rows: list[dict], mails: int) -> float:
    return statistics.median(row["requests"] for row in picked(rows, mails, FAR))


def megabytes(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} MB"


def p95(values: list[float]) -> float:
    """The nearest rank."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def table(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def write_readme(result: dict) -> None:
    """Puts the summary between the two marks."""
    readme = ROOT / "README.md"
    text = readme.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise Failure(f"README.md has no block between {BEGIN} and {END}")
    before, rest = text.split(BEGIN)
    wrapped = "\n".join(line if line.startswith("|") else textwrap.fill(line, 118, break_on_hyphens=False) for line in summary(result).splitlines())
    readme.write_text(f"{before}{BEGIN}\n{wrapped}\n{END}{rest.split(END)[1]}")
