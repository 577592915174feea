"""Real mail: other projects' test mails are delivered to the fake Gmail, read and answered through the API, and compared."""

import json
import shutil
import subprocess
from pathlib import Path

import mail_compared
import mail_corpus
import mail_rules
from build import BUILT
from lines import json_lines
from settings import LOCAL
from terminal import Failure, say, step

# How many mails `make test` compares, evenly from all packages.
SHORT = 60


def run(arguments: list[str]) -> None:
    if arguments == ["--manifest"]:
        mail_corpus.write_manifest()
        return
    short = arguments == ["--short"]
    try:
        folder = mail_corpus.fetch()
    except mail_corpus.NotFetched as failure:
        if not short:
            raise
        say(f"not done: the mails of other projects could not be fetched: {failure}")
        return
    if short:
        folder = some_of(folder)
    compared = mail_compared.compare(folder, as_the_product_reads(folder))
    if arguments == ["--judge"]:
        mail_compared.write_open(compared, mail_rules.RULES)
    mail_compared.judge(compared, mail_rules.RULES)


def some_of(folder: Path) -> Path:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    chosen = LOCAL / "mails-chosen"
    shutil.rmtree(chosen, ignore_errors=True)
    for file in files[:: -(-len(files) // SHORT)]:
        copy = chosen / file.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return chosen


def as_the_product_reads(folder: Path) -> list[dict]:
    out = LOCAL / "mails-read.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    with step("Deliver, read and answer them"), out.open("wb") as written:
        ran = subprocess.run([str(BUILT / "read-mails"), str(folder)], stdout=written, stderr=subprocess.PIPE, text=True)
    if ran.returncode != 0:
        raise Failure(f"read-mails: {ran.stderr.strip()[-3000:]}")
    return json_lines(out)
