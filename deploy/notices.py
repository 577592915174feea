#!/usr/bin/env python3
"""Lays THIRD-PARTY-NOTICES beside each function that `sam build` made, so that each zip holds it.

SAM takes nothing but the binary from cargo-lambda. Run it between `sam build` and `sam deploy`.
usage: notices.py [FOLDER], where FOLDER is another one than .aws-sam/build"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTICES = ROOT / "THIRD-PARTY-NOTICES"


def main() -> None:
    built = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".aws-sam" / "build"
    functions = [binary.parent for binary in built.glob("*/bootstrap")]
    if not functions:
        sys.exit(f"notices.py: there is no function in {built}; run `sam build` first")
    for function in functions:
        shutil.copy2(NOTICES, function)
    print(f"{NOTICES.name} lies beside {len(functions)} functions in {built}; `sam deploy` packs it with them")


if __name__ == "__main__":
    main()
