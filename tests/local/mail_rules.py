"""Judgements of differences that are of one kind."""

from collections.abc import Callable
from dataclasses import dataclass

from mail_compared import Difference


@dataclass(frozen=True)
class Rule:
    """Judges the differences for which it `holds`: whose value is right, and why."""

    name: str
    right: str
    why: str
    holds: Callable[[Difference], bool]


RULES: list[Rule] = []
