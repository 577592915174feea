"""MiniStack, started without two delays of its Lambda, and with AWS's limits."""

import socketserver
import sys
from pathlib import Path

# It writes head and body of an answer separately: Nagle's algorithm would delay the body of every event until the
# function's delayed acknowledgement of the head, 40 ms later.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

# Last: `ministack` is the package, and not the file beside this one.
sys.path.append(str(Path(__file__).parent))

import function_limits  # noqa: E402
import gateway  # noqa: E402
from ministack.app import main  # noqa: E402
from ministack.core.lambda_runtime import Worker  # noqa: E402

# After each invocation it waits 50 ms for the first log line. The functions write their lines before they answer, so a
# shorter wait is enough; a line that is read late is attributed to the next invocation.
FIRST_LINE, QUIET, LONGEST = Worker._drain_stderr_bounded.__defaults__
Worker._drain_stderr_bounded.__defaults__ = (FIRST_LINE / 5, QUIET, LONGEST)

gateway.install()
function_limits.install()

if __name__ == "__main__":
    sys.exit(main())
