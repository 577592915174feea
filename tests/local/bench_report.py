"""The figures of a run as Markdown: ratios first."""

import statistics

from bench_mailboxes import STAGES
from bench_patterns import PATTERNS
from settings import ROOT
from terminal import Failure

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def whole(result: dict) -> str:
    return "not yet\n"
