"""Runs the last section of docs/operations.md on the running stack: nothing is left, and the data is deleted last."""

import re

import runbooks
from deploy import client
from settings import LOGS
from terminal import Failure, step
from tools import sam


def run(state: dict) -> None:
    runbooks.command_line()
    before, walks = runbooks.beginning(), runbooks.sections()
    [block] = [block for block in walks["take-down"] if block.last]
    # Printed between the end of the stack and the removal of the retained resources.
    retained = 'echo "left: $(aws dynamodb describe-table --table-name "$TABLE" --query Table.TableStatus --output text)" ' \
        '"$(aws kms describe-key --key-id "$KEY" --query KeyMetadata.KeyState --output text)" ' \
        '"$(aws s3api get-bucket-location --bucket "$MAIL" > /dev/null && echo "$MAIL")" ' \
        '"$(aws events describe-event-bus --name "$BUS" --query Name --output text)" ' \
        '"$(aws logs describe-log-groups --log-group-name-prefix "$AUDIT" --query "length(logGroups)" --output text)"'
    emulated = f"sam() {{ {sam()} \"$@\" --no-prompts && {retained}; }}"
    trouble = runbooks.Trouble(state, "take-down", before.exported)
    trouble.connect()
    with step("Take down") as current:
        done = trouble.shell(block.command, f"{before.prelude}\n{emulated}")
        (LOGS / "take-down.log").write_text(done.stdout)
        if done.returncode != 0:
            raise Failure(f"it ended with {done.returncode}", LOGS / "take-down.log")
        if f"left: ACTIVE Enabled {state['mail_bucket']} {state['event_bus']} 1" not in done.stdout:
            raise Failure("the data did not survive its stack", LOGS / "take-down.log")
        # Some grants cannot be withdrawn: earlier tests moved or destroyed their secrets.
        withdrawn = re.search(r"[1-9]\d* grants withdrawn", done.stdout)
        if not withdrawn:
            raise Failure("no grant was withdrawn", LOGS / "take-down.log")
        current.note(f"{withdrawn[0]}; table, key, bucket, bus and audit log outlived the stack")
    with step("Nothing is left"):
        nothing_is_left(state)


def nothing_is_left(state: dict) -> None:
    def of(service: str):
        return client(service, state["aws_endpoint"])

    there = [row["FunctionName"] for row in of("lambda").list_functions()["Functions"]]
    there += of("sqs").list_queues().get("QueueUrls", [])
    there += of("dynamodb").list_tables()["TableNames"]
    there += [row["Name"] for row in of("s3").list_buckets()["Buckets"]]
    there += [row["Name"] for row in of("events").list_event_buses()["EventBuses"]]
    there += [row["Name"] for row in of("scheduler").list_schedules()["Schedules"]]
    there += [row["RoleName"] for row in of("iam").list_roles()["Roles"]]
    there += [row["logGroupName"] for row in of("logs").describe_log_groups(logGroupNamePrefix=state["stack_name"])["logGroups"] if "Audit" in row["logGroupName"]]
    # Tests have other queues on the same emulator; the names of a stack's resources contain its name.
    left = [name for name in there if state["stack_name"] in name]
    key = of("kms").describe_key(KeyId=state["secrets_key_id"])["KeyMetadata"]["KeyState"]
    if left or key != "PendingDeletion":
        raise Failure(f"left are {', '.join(left) or 'nothing'}, and the key is {key}")
