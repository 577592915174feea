"""Lines that end at a line feed and nowhere else. Python's `splitlines` ends one at each of Unicode's separators too, which JSON holds
as they are, and a stranger's words may."""

import json
from pathlib import Path


def lines_of(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def json_lines(file: Path) -> list:
    """The values of a file that holds one a line."""
    return [json.loads(line) for line in lines_of(file.read_text())]
