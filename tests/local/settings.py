"""The local stack's folders and files, and its template parameters."""

import os
import platform
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".local"
LOCAL = (ROOT / (os.environ.get("LOCAL_DIR") or ".local")).resolve()
LOGS = LOCAL / "logs"
STATE = LOCAL / "stack.json"
PROCESSES = LOCAL / "processes.json"
# Records of a test run: each AWS call of a function, and everything that the tests received.
CALLS = LOCAL / "aws-calls.jsonl"
# What each request of Graph named.
GRAPH_REQUESTS = LOCAL / "graph-requests.jsonl"
SEEN = LOCAL / "seen.jsonl"
CANARIES = LOCAL / "canaries.json"
COLLECTED = LOCAL / "collected.jsonl"
RECORDS_CALLS = os.environ.get("LOCAL_RECORD_CALLS") == "1"
# Tests that run in parallel each read their own events from the collected ones.
COLLECTS_EVENTS = os.environ.get("LOCAL_COLLECT_EVENTS") == "1"
# Settings of `sam local invoke` for the running stack.
SAM_LOCAL = LOCAL / "sam-local"
BUILD = ROOT / ".aws-sam" / "build"
# The same with a zip in place of each function's folder, which is what the local stack deploys.
ZIPPED = ROOT / ".aws-sam" / "zipped"
# The binaries of the seven functions, by their packages' names.
FUNCTIONS = ("oauth-connect", "connectors-api", "pubsub-webhook", "history-processor", "watch-renewer", "audit-keeper", "console")

REGION = "us-east-1"
STACK = "email-connectors-local"
APP_ORIGIN = "https://app.example.com"
PUSH_PATH = "/api/email/webhook/google/pubsub"
GRAPH_PATH = "/api/email/webhook/microsoft/graph"
PUBSUB_AUDIENCE = "https://connectors.example.com/pubsub"
PUBSUB_SUBSCRIPTION = "projects/example-project/subscriptions/gmail"
PUBSUB_SERVICE_ACCOUNT = "gmail-push@example-project.iam.gserviceaccount.com"


def architecture() -> str:
    """The machine's own architecture, in the template's words: the functions run on it natively."""
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def issuer(google_url: str) -> str:
    """Whom the users' tokens are of."""
    return f"{google_url}/users"


def parameters(google_url: str, microsoft_url: str = "") -> dict[str, str]:
    """Template parameters of a stack that talks to the Google and, if one is given, to the Microsoft at these URLs."""
    own = {
        "Architecture": architecture(),
        "AppPublicUrl": APP_ORIGIN,
        "AllowedOrigins": APP_ORIGIN,
        # The fake Google is the users' issuer too.
        "AuthIssuer": issuer(google_url),
        "AuthAudience": "email-connectors",
        "AuthJwksUrl": f"{issuer(google_url)}/certs",
        "AuthRoleClaim": "role",
        "ConsoleClientId": "local-console",
        "GoogleClientId": "local-client.apps.googleusercontent.com",
        "GoogleClientSecret": "local-secret",
        "GoogleAuthUrl": f"{google_url}/o/oauth2/v2/auth",
        "GoogleTokenUrl": f"{google_url}/token",
        "GoogleRevokeUrl": f"{google_url}/revoke",
        "GoogleCertsUrl": f"{google_url}/oauth2/v3/certs",
        "GmailApiBase": google_url,
        "GmailBatchUrl": f"{google_url}/batch/gmail/v1",
        "PubSubTopic": "projects/example-project/topics/gmail",
        "PubSubSubscription": PUBSUB_SUBSCRIPTION,
        "PubSubAudience": PUBSUB_AUDIENCE,
        "PubSubServiceAccount": PUBSUB_SERVICE_ACCOUNT,
        # MiniStack's CloudFormation does not know AWS::Events::Archive.
        "EventArchiveDays": "0",
    }
    if microsoft_url:
        own |= {
            "MicrosoftClientId": "11111111-1111-4111-8111-111111111111",
            "MicrosoftClientSecret": "local-secret",
            "MicrosoftNotificationKey": "local-notification-key-of-32-characters",
            "MicrosoftLoginBase": microsoft_url,
            "GraphApiBase": f"{microsoft_url}/v1.0",
            "GraphNotificationUrl": f"{microsoft_url}/front{GRAPH_PATH}",
        }
    given = shlex.split(os.environ.get("LOCAL_PARAMETERS", ""))
    return own | dict(pair.split("=", 1) for pair in given)


def overrides(values: dict[str, str]) -> list[str]:
    """The parameters as arguments of `sam`, which needs quotes around empty values and spaces."""
    return ["--parameter-overrides"] + [f'{key}="{value}"' for key, value in values.items()]


def clean_environment() -> dict[str, str]:
    """This environment without the developer's own AWS settings, which a tool could use by mistake."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SAM_"))}


def bare_environment() -> dict[str, str]:
    """The least that a service needs: the functions inherit MiniStack's environment."""
    return {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TZ") if key in os.environ}


def aws_environment(endpoint: str) -> dict[str, str]:
    """Variables that point AWS clients at the emulator."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
