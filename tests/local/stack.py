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
  up [--built]            build, start and deploy; returns when the stack serves
  down [--keep-logs]      end what `up` started; after a failed test run keep the functions' logs
  deploy                  deploy what is built onto the running stack
  story                   one demo mail, step by step, on the running stack
  logs                    the logs of the functions of the running stack
  canaries [STACK…]       look for planted secrets in all output of the running stacks, after a test run
  metrics                 the metrics of the running stack, as Prometheus text
  metrics-compared [STACK…]  the metrics of the running stacks, compared with docs/metrics.md, after a test run
  runbooks [NAME…|--short]  walk through docs/operations.md on the running stack
  take-down               remove the running stack with its data, as docs/operations.md does
  first-steps             the commands of docs/first-steps.md, on the running stack
  google-client           Google's own client library drives the fake Google
  microsoft-client        Microsoft's own clients drive the fake Microsoft, and a description of Graph is compared with it
  graph-requests STACK…   what tests and functions requested of Graph is compared with that description, after a test run
  migration [ROWS]        migrate users of an older system, killed twice on the way, on the running stack
  mails [--short|--judge]  what the product reads of other projects' test mails, compared with two parsers of mail
  mails --manifest        write the manifest of those mails, after a change of their packages
  described [--short]     test the API by its OpenAPI description, on the running stack
  client                  check and test the TypeScript client; with STACK_JSON also on that stack
  console                 build the console into functions/console/assets
  console-built           check and test the console, and whether it was built into there
  console-stories         the console's stories, in a browser, on the stack of STACK_JSON
  console-dev             the console with hot reload, before the running stack
  console-dev-tried       whether that serves the page and the running stack's API
  console-pictures        every view's picture, into .local, compared with those in docs/pictures
  canary-template         check a canary deployment's template, after a build
  build                   the functions for this machine, packed by sam build, and the fakes
  tools                   install what the local stack needs
  locks [--upgrade]       write the locks of the tools again, with --upgrade with new versions
  linked                  licences, bans, sources, advisories and notices of the crates
  notices                 write THIRD-PARTY-NOTICES
  build-as-deployed       sam build by cargo-lambda, into a temporary folder
  build-tests             the functions, the fakes and all tests, for `test`
  pack                    sam build of the built functions
  each-event-once STACK…  whether an event came twice, after a test run
  validate                sam validate --lint
  with-ministack -- CMD   run CMD beside its own MiniStack
  sam-local [SAMPLE…]     every sample event through `sam local invoke`, on the running stack or one of its own (needs Docker)
  bench                   sizes and start-up times of the functions as they are deployed
  security                every security case, on a test stack, as a table
  security-table          the table of the last run
  test                    all tests
  test-long               all long tests, whole"""


def up() -> None:
    if platform.system() != "Linux":
        raise Failure("the local stack runs the functions natively and therefore needs Linux")
    tools.enter_venv()
    import lifecycle

    state = lifecycle.up("--built" in sys.argv[2:])
    say(f"  API on {state['api_url']}, the rest in {STATE}")


def down() -> None:
    if "--keep-logs" in sys.argv[2:] and os.environ.get("FAILED"):
        tools.enter_venv()
        import function_logs

        function_logs.keep()
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

    stories.run(lifecycle.running())


def logs() -> None:
    tools.enter_venv()
    import function_logs
    import lifecycle

    say("\n".join(function_logs.collect(lifecycle.running())))


def runbooks() -> None:
    tools.enter_venv()
    import lifecycle
    import runbooks as walks

    walks.run(lifecycle.running(), walks.QUICK if sys.argv[2:] == ["--short"] else sys.argv[2:])


def take_down() -> None:
    tools.enter_venv()
    import lifecycle
    import take_down as ends

    ends.run(lifecycle.running())


def metrics() -> None:
    tools.enter_venv()
    import lifecycle
    import metrics as counted

    counted.show(lifecycle.running())


def metrics_compared() -> None:
    tools.enter_venv()
    import lifecycle
    import metrics as counted

    counted.compare([lifecycle.running(name) for name in sys.argv[2:] or [""]])


def canaries() -> None:
    tools.enter_venv()
    import canaries as search

    search.run(sys.argv[2:])


def google_client() -> None:
    tools.enter_venv()
    import google_client as client

    client.run()


def microsoft_client() -> None:
    tools.enter_venv()
    import microsoft_client as client

    client.run()


def graph_requests() -> None:
    tools.enter_venv()
    import microsoft_client as client

    client.requests(sys.argv[2:])


def migration() -> None:
    tools.enter_venv()
    import lifecycle
    import migration as moves

    moves.run(lifecycle.running(), int(sys.argv[2]) if len(sys.argv) > 2 else 300)


def described() -> None:
    tools.enter_venv()
    import described as tries
    import lifecycle

    tries.run(lifecycle.running(), "--short" in sys.argv[2:])


def mails() -> None:
    import mail_story

    mail_story.run(sys.argv[2:])


def build() -> None:
    tools.venvs()
    import build as builds

    builds.all()


def validate() -> None:
    tools.venvs()
    import subprocess

    environment = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    for template in ("template.yaml", "examples/consumer/template.yaml"):
        subprocess.run([tools.sam(), "validate", "--lint", "--template", template], cwd=ROOT, env=environment, check=True)


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
    import verify

    verify.run_security()


def security_table() -> None:
    import security as cases

    cases.table(LOCAL)


def first_steps() -> None:
    import first_steps as steps

    steps.run()


def client() -> None:
    import typescript

    typescript.client()


def console() -> None:
    import typescript

    typescript.build()


def console_built() -> None:
    import typescript

    typescript.built()


def console_stories() -> None:
    import typescript

    typescript.stories()


def console_dev() -> None:
    tools.enter_venv()
    import typescript

    typescript.develop()


def console_dev_tried() -> None:
    tools.enter_venv()
    import typescript

    typescript.developed()


def console_pictures() -> None:
    import typescript

    typescript.pictures()


def all_tools() -> None:
    tools.venvs()


def locks() -> None:
    tools.make_locks(sys.argv[2:])


def linked() -> None:
    import linked as crates

    crates.run()


def notices() -> None:
    import notices as texts

    texts.write()


def build_as_deployed() -> None:
    tools.venvs()
    import build as builds

    builds.by_cargo_lambda()


def test() -> None:
    import verify

    verify.run()


def test_long() -> None:
    import verify

    verify.run_long()


def build_tests() -> None:
    import verify

    verify.build_tests()


def pack() -> None:
    import build as builds

    builds.pack()


def each_event_once() -> None:
    import once
    import verify

    once.check(sys.argv[2:], verify.PARAMETERS)


COMMANDS = {
    "up": up, "down": down, "deploy": deploy, "story": story, "logs": logs, "canaries": canaries, "runbooks": runbooks, "take-down": take_down,
    "metrics": metrics, "metrics-compared": metrics_compared, "migration": migration,
    "described": described, "google-client": google_client, "microsoft-client": microsoft_client,
    "graph-requests": graph_requests, "build": build, "validate": validate,
    "canary-template": canary_template,
    "with-ministack": with_ministack, "sam-local": sam_local, "bench": bench, "security": security,
    "security-table": security_table, "test": test, "test-long": test_long, "build-tests": build_tests, "pack": pack,
    "each-event-once": each_event_once, "tools": all_tools, "locks": locks, "linked": linked, "notices": notices,
    "client": client, "console": console, "console-built": console_built, "console-stories": console_stories, "console-dev": console_dev,
    "console-dev-tried": console_dev_tried, "console-pictures": console_pictures,
    "first-steps": first_steps, "mails": mails, "build-as-deployed": build_as_deployed,
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
