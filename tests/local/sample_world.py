"""A table, queues and a bus for one run of the samples, in the running stack's AWS.

The stack's own data would change the answers, and its processor would consume the wake-ups before they are checked."""

import json
import secrets
import time

from deploy import client
from settings import issuer, parameters

# The queues that a sample may write to, by their variables; events are read from a queue behind the bus.
QUEUES = {
    "NOTIFICATION_QUEUE_URL": "notification_queue_url",
    "DEAD_LETTER_QUEUE_URL": "dead_letter_queue_url",
    "QUARANTINE_QUEUE_URL": "quarantine_queue_url",
}
BUS = "EVENT_BUS_NAME"
ISSUER = "https://login.example.com"
TIMEOUT_SECONDS = 5


class World:
    def __init__(self, state: dict):
        endpoint = state["aws_endpoint"]
        self.dynamodb, self.sqs, self.events = (client(service, endpoint) for service in ("dynamodb", "sqs", "events"))
        self.name = f"samples-{secrets.token_hex(4)}"
        self.queues: dict[str, str] = {}
        # Replacements for the stack's own names, and for its issuer: the samples' tokens were signed before there was a stack.
        self.instead = {state["table"]: self.table(state["table"]), state["event_bus"]: self.bus(), issuer(state["google_url"]): ISSUER}
        # They name no role either.
        self.instead[parameters(state["google_url"])["AuthRoleClaim"]] = ""
        for variable, key in QUEUES.items():
            self.queues[variable] = self.queue(key.removesuffix("_queue_url").replace("_", "-"), state[key].endswith(".fifo"))
            self.instead[state[key]] = self.queues[variable]

    def table(self, like: str) -> str:
        described = self.dynamodb.describe_table(TableName=like)["Table"]
        indexes = [{key: index[key] for key in ("IndexName", "KeySchema", "Projection")} for index in described["GlobalSecondaryIndexes"]]
        self.dynamodb.create_table(
            TableName=self.name,
            AttributeDefinitions=described["AttributeDefinitions"],
            KeySchema=described["KeySchema"],
            GlobalSecondaryIndexes=indexes,
            BillingMode="PAY_PER_REQUEST",
        )
        return self.name

    def queue(self, purpose: str, fifo: bool) -> str:
        name, attributes = f"{self.name}-{purpose}", {"VisibilityTimeout": "300"}
        if fifo:
            name, attributes = f"{name}.fifo", attributes | {"FifoQueue": "true"}
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def bus(self) -> str:
        """A bus that forwards every event to a queue."""
        self.events.create_event_bus(Name=self.name)
        self.queues[BUS] = self.queue("events", fifo=False)
        target = self.sqs.get_queue_attributes(QueueUrl=self.queues[BUS], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.events.put_rule(Name=self.name, EventBusName=self.name, EventPattern=json.dumps({"source": [{"prefix": ""}]}))
        self.events.put_targets(Rule=self.name, EventBusName=self.name, Targets=[{"Id": "queue", "Arn": target}])
        return self.name

    def taken(self, variable: str, wanted: int) -> list:
        """Takes all messages out of a queue, parsed if they are JSON; waits until there are this many."""
        queue, found = self.queues[variable], []
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            received = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", [])
            for message in received:
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                found.append(decoded(message["Body"]))
            if not received and (len(found) >= wanted or time.monotonic() > deadline):
                return found
            if not received:
                time.sleep(0.1)

    def remove(self) -> None:
        self.events.remove_targets(Rule=self.name, EventBusName=self.name, Ids=["queue"])
        self.events.delete_rule(Name=self.name, EventBusName=self.name)
        self.events.delete_event_bus(Name=self.name)
        for queue in self.queues.values():
            self.sqs.delete_queue(QueueUrl=queue)
        self.dynamodb.delete_table(TableName=self.name)


def decoded(body: str):
    try:
        return json.loads(body)
    except ValueError:
        return body
