"""Reads a request to AWS as IAM does: which actions it needs, on which resources, under which condition keys."""

import json
import re

# The part of a partition key that IAM's condition dynamodb:LeadingKeys is compared with: its prefix, without the value.
PREFIX = re.compile(r"[^#]*#|[^#]*$")
IN_TRANSACTION = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


def read(head: bytes, body: bytes) -> dict:
    """Function, service and action as called, and `allowed_by`: what IAM must allow for it."""
    if signed := re.match(rb"(GET|PUT) /([^/ ?]+)/[^ ?]+\?\S*X-Amz-Signature=", head):
        return of_a_signed_url(*(part.decode() for part in signed.groups()))
    target = header(head, "x-amz-target").split(".")
    if len(target) != 2:
        raise ValueError("not a call of a JSON protocol")
    service = {"DynamoDB_20120810": "dynamodb", "TrentService": "kms", "AmazonSQS": "sqs", "AWSEvents": "events"}[target[0]]
    content = json.loads(body)
    needed = {"dynamodb": dynamodb, "kms": kms, "sqs": sqs, "events": events}[service](target[1], content)
    return {"function": function(head), "service": service, "action": target[1], "allowed_by": needed}


def header(head: bytes, name: str) -> str:
    found = re.search(rb"(?im)^%s:[ \t]*(.*?)\r?$" % re.escape(name.encode()), head)
    return found.group(1).decode() if found else ""


def of_a_signed_url(method: str, bucket: str) -> dict:
    """IAM asks whether the role that signed it may do it, whoever sends it: only one function signs."""
    action = "PutObject" if method == "PUT" else "GetObject"
    return {"function": "connectors-api", "service": "s3", "action": action, "allowed_by": [right(f"s3:{action}", f"{bucket}/*", {})]}


def function(head: bytes) -> str:
    """The calling function, from the SDK's user agent: AWS_SDK_UA_APP_ID."""
    found = re.search(r"\bapp/([\w-]+)", header(head, "user-agent") + " " + header(head, "x-amz-user-agent"))
    return found.group(1) if found else ""


def right(action: str, resource: str, keys: dict[str, list[str]]) -> dict:
    return {"action": action, "resource": resource, "keys": keys}


def leading(values) -> dict[str, list[str]]:
    """The partition keys that are read or written, without their values."""
    return {"dynamodb:LeadingKeys": sorted({PREFIX.match(value).group() for value in values})}


def partition(item: dict) -> str:
    return item["pk"]["S"]


def dynamodb(action: str, content: dict) -> list[dict]:
    name = f"dynamodb:{action}"
    match action:
        case "GetItem" | "UpdateItem" | "DeleteItem":
            return [right(name, content["TableName"], leading([partition(content["Key"])]))]
        case "PutItem":
            return [right(name, content["TableName"], leading([partition(content["Item"])]))]
        case "BatchGetItem":
            return [right(name, table, leading(map(partition, wanted["Keys"]))) for table, wanted in content["RequestItems"].items()]
        case "BatchWriteItem":
            rows = lambda writes: [write["DeleteRequest"]["Key"] if "DeleteRequest" in write else write["PutRequest"]["Item"] for write in writes]
            return [right(name, table, leading(map(partition, rows(writes)))) for table, writes in content["RequestItems"].items()]
        case "TransactWriteItems":
            # IAM has no such action: each part needs its own right.
            parts = [(IN_TRANSACTION[kind], part) for item in content["TransactItems"] for kind, part in item.items()]
            return [right(f"dynamodb:{kind}", part["TableName"], leading([partition(part.get("Key") or part["Item"])])) for kind, part in parts]
        case "Query":
            index = content.get("IndexName")
            resource = content["TableName"] + (f"/index/{index}" if index else "")
            return [right(name, resource, leading([queried(content)]))]
        case _:
            return [right(name, content.get("TableName", ""), {})]


def queried(content: dict) -> str:
    """The partition key of a query: what its condition sets equal."""
    placeholder = re.search(r"\b\w+\s*=\s*(:\w+)", content["KeyConditionExpression"]).group(1)
    value = content["ExpressionAttributeValues"][placeholder]["S"]
    # The keys of two indexes are ids of connectors and triggers: only their prefix counts.
    return next((prefix for prefix in ("con_", "trg_") if value.startswith(prefix)), value)


def kms(action: str, content: dict) -> list[dict]:
    return [right(f"kms:{action}", content["KeyId"].rsplit("/")[-1], {"kms:EncryptionContextKeys": sorted(content.get("EncryptionContext", {}))})]


def sqs(action: str, content: dict) -> list[dict]:
    return [right(f"sqs:{action}", content["QueueUrl"].rsplit("/")[-1], {})]


def events(action: str, content: dict) -> list[dict]:
    # IAM checks each entry by itself.
    bus = lambda entry: entry.get("EventBusName", "default").rsplit("/")[-1]
    keys = lambda entry: {"events:source": [entry["Source"]], "events:detail-type": [entry["DetailType"]]}
    return [right(f"events:{action}", bus(entry), keys(entry)) for entry in content["Entries"]]
