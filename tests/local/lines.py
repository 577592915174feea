"""Lines that end only at a line feed. `splitlines` also splits at Unicode's separators, which JSON does not escape."""

import json
from pathlib import Path


def lines_of(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def json_lines(file: Path) -> list:
    """The values of a file with one JSON value per line."""
    return [json.loads(line) for line in lines_of(file.read_text())]
