"""Writes THIRD-PARTY-NOTICES: each crate that is linked into a function or the command line, with its licence texts."""

import json
import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from settings import ROOT
from terminal import Failure, say

FILE = ROOT / "THIRD-PARTY-NOTICES"
# The targets that the functions are built for.
TARGETS = ("aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu")
APACHE = "Apache-2.0"
TEXTS = re.compile(r"(?i)^(licen[sc]e|copying|copyright|unlicense|notice)")
NOTICE = re.compile(r"(?i)^notice")
LISTED = re.compile(r"^(\S+) v(\S+)(?: \((?!proc-macro|\*).*\))?(?: \(\*\))?$")
RULE = "-" * 80
MIT = """Copyright (c) the authors of {}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files
(the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify,
merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR
IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""
HEAD = """Third-party notices

The functions and the command line of this project link the crates below, beside Rust's own library (MIT OR Apache-2.0). A crate
that may be taken under Apache-2.0 is: that text comes first. The texts of all others follow, and the notices that crates ask to
be passed on.
"""


@dataclass(frozen=True, order=True)
class Crate:
    name: str
    version: str
    licence: str
    folder: Path

    def label(self) -> str:
        return f"{self.name} {self.version}"

    def under_apache(self) -> bool:
        """Whether Apache-2.0 may be chosen: licences joined by AND all apply."""
        return "AND" not in self.licence and APACHE in re.split(r" OR | ?/ ?", self.licence)

    def texts(self) -> list[str]:
        kind = NOTICE if self.under_apache() else TEXTS
        found = [path for path in sorted(self.folder.iterdir()) if path.is_file() and kind.match(path.name)]
        return [tidy(path.read_text(errors="replace")) for path in found] or self.unwritten()

    def unwritten(self) -> list[str]:
        """The text for packages that contain no licence file."""
        if self.under_apache():
            return []
        if self.licence != "MIT":
            raise Failure(f"{self.label()} ({self.licence}) comes without the text of its licence")
        return [MIT.format(self.name)]


def tidy(text: str) -> str:
    """Normalizes line ends and surrounding space, so that equal texts compare equal."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def linked() -> list[Crate]:
    found: set[Crate] = set()
    for target in TARGETS:
        described = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", target))
        foreign = {(package["name"], package["version"]): package for package in described["packages"] if package["source"]}
        tree = cargo("tree", "--locked", "--target", target, "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}")
        listed = {match.groups() for match in map(LISTED.match, tree.splitlines()) if match}
        found |= {crate(foreign[key]) for key in listed & foreign.keys()}
    return sorted(found)


def crate(package: dict) -> Crate:
    return Crate(package["name"], package["version"], package["license"] or "see its text", Path(package["manifest_path"]).parent)


def cargo(*arguments: str) -> str:
    return subprocess.run(["cargo", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def made() -> str:
    crates = linked()
    shared: dict[str, list[str]] = defaultdict(list)
    for each in crates:
        for text in each.texts():
            shared[text].append(each.label())
    listed = "\n".join(f"{each.label()}: {each.licence}" for each in crates)
    apache = [RULE, "Apache-2.0", RULE, tidy((ROOT / "LICENSE").read_text())]
    others = [part for text, names in shared.items() for part in (RULE, ", ".join(names), RULE, text)]
    return "\n".join([HEAD, listed, "", *apache, *others, ""])


def write() -> None:
    FILE.write_text(made())
    say(f"{FILE.name} is written")


def check() -> None:
    if not FILE.exists() or FILE.read_text() != made():
        raise Failure(f"{FILE.name} is not what is linked: run `make notices`, and read the difference")
