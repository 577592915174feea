#!/usr/bin/env python3
"""The local stack: the real template on MiniStack and a fake Google, without AWS and without Docker."""

import os
import platform
import signal
import sys

# The project's directory stays free of __pycache__.
sys.dont_write_bytecode = True

import tools  # noqa: E402
from settings import LOCAL, ROOT, STATE  # noqa: E402
from terminal import Failure, say, tail  # noqa: E402

USAGE = """usage: stack.py COMMAND
  up                      build, start and deploy; returns when the stack serves
  down                    end what `up` started
  deploy                  deploy what is built onto the running stack
  story                   one demo mail told step by step, on the running stack
  logs                    what the functions of the running stack wrote
  canaries                look for planted secrets in all that the running stack let out, after a test run
  metrics                 what the functions of the running stack counted, as Prometheus text
  metrics-compared        the same, held against docs/metrics.md, after a test run
  runbooks [NAME…]        walk through docs/operations.md on the running stack
  take-down               the running stack, as docs/operations.md removes it, with its data
  google-client           Google's own client library drives the fake Google
  migration [ROWS]        users of an older system are taken over, killed twice on the way, on the running stack
  described               the API tried after its own description, on the running stack
  canary-template         what SAM makes of a canary deployment, after a build
  build                   sam build for this machine, and the fake Google
  validate                sam validate --lint
  with-ministack -- CMD   run CMD beside a MiniStack of its own
  sam-local [SAMPLE…]     every sample event through `sam local invoke`, on the running stack or one of its own (needs Docker)
  bench                   sizes and start-up times of the functions as they are deployed
  security                every security case, on a stack of the tests', as a table
  security-table          the table of the cases that were tried last
  test                    all checks and tests"""


def up() -> None:
    if platform.system() != "Linux":
        raise Failure("the local stack runs the functions natively and therefore needs Linux")
    tools.enter_venv()
    import lifecycle

    state = lifecycle.up()
    say(f"  API on {state['api_url']}, the rest in {STATE}")


def down() -> None:
    import lifecycle

    lifecycle.down()
    say("  Nothing is running.")


def deploy() -> None:
    tools.enter_venv()
    import lifecycle

    lifecycle.deploy_again()


def story() -> None:
    tools.enter_venv()
    import lifecycle
    import story as stories

    stories.tell(lifecycle.running())


def logs() -> None:
    tools.enter_venv()
    import function_logs
    import lifecycle

    say("\n".join(function_logs.collect(lifecycle.running())))


def runbooks() -> None:
    tools.enter_venv()
    import lifecycle
    import runbooks as walks

    walks.run(lifecycle.running(), sys.argv[2:])


def take_down() -> None:
    tools.enter_venv()
    import lifecycle
    import take_down as ends

    ends.run(lifecycle.running())


def metrics() -> None:
    tools.enter_venv()
    import lifecycle
    import metrics as counted

    counted.tell(lifecycle.running())


def metrics_compared() -> None:
    tools.enter_venv()
    import lifecycle
    import metrics as counted

    counted.compare(lifecycle.running())


def canaries() -> None:
    tools.enter_venv()
    import canaries as search
    import lifecycle

    search.run(lifecycle.running())


def google_client() -> None:
    tools.enter_venv()
    import google_client as client

    client.run()


def migration() -> None:
    tools.enter_venv()
    import lifecycle
    import migration as moves

    moves.run(lifecycle.running(), int(sys.argv[2]) if len(sys.argv) > 2 else 300)


def described() -> None:
    tools.enter_venv()
    import described as tries
    import lifecycle

    tries.run(lifecycle.running())


def build() -> None:
    tools.venvs()
    import build as builds

    builds.functions()
    builds.fake_google()


def validate() -> None:
    tools.venvs()
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    os.execve(tools.sam(), [tools.sam(), "validate", "--lint"], environment)


def canary_template() -> None:
    tools.venvs()
    import subprocess

    checked = [str(tools.SAM_VENV / "bin" / "python"), str(ROOT / "tests" / "local" / "canary_template.py")]
    sys.exit(subprocess.run(checked, env=os.environ | {"AWS_DEFAULT_REGION": "us-east-1"}).returncode)


def with_ministack() -> None:
    tools.enter_venv()
    import ministack

    command = sys.argv[2:]
    sys.exit(ministack.run_with(command[1:] if command[:1] == ["--"] else command))


def sam_local() -> None:
    import sam_local as samples

    samples.require_docker()
    tools.enter_venv()
    samples.run(sys.argv[2:])


def bench() -> None:
    import bench as benches

    benches.run()


def security() -> None:
    tools.enter_venv()
    import security as cases

    cases.run()


def security_table() -> None:
    import security as cases

    cases.table(LOCAL)


def test() -> None:
    tools.enter_venv()
    import verify

    verify.run()


COMMANDS = {
    "up": up, "down": down, "deploy": deploy, "story": story, "logs": logs, "canaries": canaries, "runbooks": runbooks, "take-down": take_down,
    "metrics": metrics, "metrics-compared": metrics_compared, "migration": migration,
    "described": described, "google-client": google_client, "build": build, "validate": validate,
    "canary-template": canary_template,
    "with-ministack": with_ministack, "sam-local": sam_local, "bench": bench, "security": security,
    "security-table": security_table, "test": test,
}


def main() -> None:
    command = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if command is None:
        sys.exit(USAGE)
    # A terminated command tears down what it started, as an interrupted one does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        command()
    except Failure as failure:
        if failure.log:
            say(f"\n  the end of {failure.log}:\n{tail(failure.log)}")
        sys.exit(f"\nfailed: {failure}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted")


if __name__ == "__main__":
    main()
