"""The world of the bench: the template's resources on MiniStack, the fake Google, and the functions' binaries."""

import http.client
import io
import json
import re
import shutil
import tempfile
import threading
import time
import zipfile
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import build
import processes
import recorder
from bench_lambda import Function, http_event, queue_event
from settings import APP_ORIGIN, LOCAL, LOGS, PUBSUB_AUDIENCE, PUBSUB_SERVICE_ACCOUNT, PUBSUB_SUBSCRIPTION, PUSH_PATH, ROOT, STACK
from settings import aws_environment, bare_environment, issuer, parameters
from terminal import Failure, step
from web import expect, serves, wait_until

FUNCTIONS = ["pubsub-webhook", "watch-renewer", "history-processor", "connectors-api", "oauth-connect", "console"]
BUCKET = "bench"
# No sweep runs during a measurement, and no quota delays a mailbox.
OWN_PARAMETERS = {"SweepEveryMinutes": "15", "GmailUserUnitsPerMinute": "1000000"}


class Calls:
    """The AWS calls of the functions with their times, kept in memory instead of the recorder's file."""

    def __init__(self):
        self.seen: list[dict] = []
        self.refusals = self

    def refuses(self, _) -> bool:
        return False

    def note(self, at: float, request: tuple[bytes, bytes], answer: tuple[bytes, bytes] | None) -> None:
        if found := re.search(rb"(?im)^x-amz-target:\s*(\S+)", request[0]):
            self.seen.append({"action": found.group(1).decode().rsplit(".", 1)[1], "began": at, "answered": time.time() if answer else None})


class World:
    """Everything that runs; ended by its `with` statement."""

    def __init__(self, binaries: dict[str, Path]):
        self.binaries = binaries
        self.calls = Calls()
        self.pushes: list[dict] = []
        self.functions: dict[str, Function] = {}
        self.stack = ExitStack()

    def __enter__(self) -> "World":
        try:
            self.start()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stack.close()

    def start(self) -> None:
        import ministack

        LOCAL.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix="bench-", dir=LOCAL))
        self.stack.callback(shutil.rmtree, scratch, True)
        with step("Start MiniStack, the recorder and the fake Google"):
            self.endpoint, started = ministack.start(LOGS / "bench-ministack.log", scratch / "ministack")
            self.stack.callback(processes.end, started)
            self.recorded = processes.free_port()
            upstream = ("127.0.0.1", int(self.endpoint.rsplit(":", 1)[1]))
            threading.Thread(target=recorder.serve, args=(self.recorded, upstream, self.calls), daemon=True).start()
            self.start_google()
        with step("Deploy the template, its functions but for their code") as current:
            self.deploy()
            current.note(f"{len(self.environments)} functions' environments")
        self.aws_line = http.client.HTTPConnection("127.0.0.1", upstream[1], timeout=30)
        for name in FUNCTIONS:
            function = Function(name, self.binaries[name], self.environments[name], LOGS / f"bench-{name}.log")
            self.stack.callback(function.end)
            function.start_up()
            self.functions[name] = function
        self.start_gateway()

    def start_google(self) -> None:
        port = processes.free_port()
        self.google = f"http://127.0.0.1:{port}"
        log = LOGS / "bench-fake-google.log"
        secret = parameters(self.google)["GoogleClientSecret"]
        command = [str(build.FAKE_GOOGLE), "--port", str(port), "--client-secret", secret, "--user-issuer", issuer(self.google)]
        started = processes.start(command, bare_environment(), log, ROOT)
        self.stack.callback(processes.end, started)

        def ready() -> bool:
            processes.still_running(started)
            return serves(f"{self.google}/admin/health")

        wait_until(ready, 15, "the fake Google", log)

    def deploy(self) -> None:
        """Every resource of the template, and each function's environment as CloudFormation resolves it."""
        from deploy import client

        s3, cloudformation, functions = (client(service, self.endpoint) for service in ("s3", "cloudformation", "lambda"))
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="none.zip", Body=nothing())
        text, replaced = re.subn(r"(?m)^    CodeUri: \.$", f"    CodeUri: s3://{BUCKET}/none.zip", (ROOT / "template.yaml").read_text())
        if replaced != 1:
            raise Failure("the template's functions have not one CodeUri any more")
        s3.put_object(Bucket=BUCKET, Key="template.yaml", Body=text.encode())
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in (parameters(self.google) | OWN_PARAMETERS).items()]
        cloudformation.create_stack(
            StackName=STACK, TemplateURL=f"{self.endpoint}/{BUCKET}/template.yaml", Parameters=given, Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        # The bench is the event source: MiniStack would wake functions that have no code.
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        outputs = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in outputs}
        rows = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        logical = {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in rows}
        self.environments = {}
        for name in FUNCTIONS:
            resource = "".join(word.capitalize() for word in name.split("-")) + "Function"
            configured = functions.get_function_configuration(FunctionName=logical[resource])
            reached = aws_environment(f"http://127.0.0.1:{self.recorded}")
            memory = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configured["MemorySize"])}
            self.environments[name] = bare_environment() | reached | memory | configured["Environment"]["Variables"]

    def start_gateway(self) -> None:
        """The endpoint of the fake's pushes, which calls the webhook and records the times of each push."""
        world = self

        class Gateway(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                arrived = time.time()
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer, answered = world.functions["pubsub-webhook"].invoke(http_event("POST", self.path, headers, body))
                self.wfile.write(f"HTTP/1.1 {answer['statusCode']} OK\r\ncontent-length: 0\r\n\r\n".encode())
                world.pushes.append({"arrived": arrived, "answered": answered, "status": answer["statusCode"]})

            def log_message(self, *_) -> None:
                pass

        gateway = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
        gateway.daemon_threads = True
        threading.Thread(target=gateway.serve_forever, daemon=True).start()
        self.stack.callback(gateway.server_close)
        self.stack.callback(gateway.shutdown)
        endpoint = f"http://127.0.0.1:{gateway.server_port}{PUSH_PATH}"
        push = {"endpoint": endpoint, "audience": PUBSUB_AUDIENCE, "subscription": PUBSUB_SUBSCRIPTION, "service_account": PUBSUB_SERVICE_ACCOUNT}
        expect("PUT", f"{self.google}/admin/push", push)

    def api(self, name: str, method: str, path: str, token: str, body: dict) -> tuple[dict, float]:
        """The function's answer to a user's request, and its seconds."""
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "origin": APP_ORIGIN, "x-requested-with": "XMLHttpRequest"}
        event = http_event(method, path, headers, json.dumps(body))
        began = time.time()
        answer, at = self.functions[name].invoke(event)
        if answer["statusCode"] not in (200, 201):
            raise Failure(f"{method} {path} answered {answer['statusCode']}: {answer['body']}")
        return json.loads(answer["body"]), at - began

    def aws(self, target: str, body: dict) -> dict:
        """Calls SQS without an SDK, whose own time would be measured too."""
        headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": target, "authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request"}
        self.aws_line.request("POST", "/", json.dumps(body), headers)
        answer = self.aws_line.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise Failure(f"{target} answered {answer.status}: {content.decode(errors='replace')}")
        return json.loads(content) if content else {}

    def receive(self, url: str, name: str = "All") -> list[dict]:
        request = {"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0, "AttributeNames": [name]}
        return self.aws("AmazonSQS.ReceiveMessage", request).get("Messages", [])

    def delete(self, url: str, messages: list[dict]) -> None:
        for message in messages:
            self.aws("AmazonSQS.DeleteMessage", {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})

    def work(self) -> dict | None:
        """Hands the messages of the notification queue to the processor; returns when they were taken and handled."""
        url = self.outputs["NotificationQueueUrl"]
        messages = self.receive(url)
        if not messages:
            return None
        taken = time.time()
        answer, handled = self.functions["history-processor"].invoke(queue_event(messages, f"arn:aws:sqs:us-east-1:000000000000:{url.rsplit('/', 1)[-1]}"))
        if answer["batchItemFailures"]:
            raise Failure(f"the processor failed: {answer}", LOGS / "bench-history-processor.log")
        self.delete(url, messages)
        return {"taken": taken, "handled": handled}

    def latency(self, ms: int) -> None:
        expect("PUT", f"{self.google}/admin/latency", {"ms": ms})

    def timings(self) -> list[dict]:
        """The requests to Google since the last `forget`, in seconds."""
        timings = expect("GET", f"{self.google}/admin/timings")
        return [{"path": row["path"], "began": row["began"] / 1e6, "answered": row["answered"] / 1e6} for row in timings]

    def forget(self) -> None:
        expect("DELETE", f"{self.google}/admin/calls")
        self.calls.seen.clear()
        self.pushes.clear()


def nothing() -> bytes:
    """A zip for functions that MiniStack never runs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bootstrap", "")
    return buffer.getvalue()
