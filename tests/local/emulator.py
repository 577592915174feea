"""MiniStack, started without two delays of its Lambda, with AWS's limits and with whole logs."""

import socketserver
import sys
from pathlib import Path

# It writes head and body of an answer separately: Nagle's algorithm would delay the body of every event until the
# function's delayed acknowledgement of the head, 40 ms later.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

# Last: `ministack` is the package, and not the file beside this one.
sys.path.append(str(Path(__file__).parent))

import function_limits  # noqa: E402
import function_output  # noqa: E402
import gateway  # noqa: E402
from ministack.app import main  # noqa: E402

gateway.install()
function_limits.install()
function_output.install()

if __name__ == "__main__":
    sys.exit(main())
