#!/usr/bin/env python3
"""Makes a canary deployment of what `sam build` made: a new version of each function gets a tenth of its traffic for ten minutes,
and none any more if an alarm rings.

It writes into the built template and not into template.yaml, since an alias serves the version that was published last, and SAM
publishes none when only a parameter changes: a new client secret would never arrive. Here each deployment is named anew, so that
each publishes a version, and one without this script is a plain one again."""

import datetime
import re
import sys
from pathlib import Path

BUILT = Path(__file__).resolve().parents[1] / ".aws-sam" / "build" / "template.yaml"

# At most ten. The API's alarm goes by its name: a reference to it would be one to the API, hence to the alias that waits for it.
ALARMS = [
    "!Ref OauthConnectErrorsAlarm",
    "!Ref ConnectorsApiErrorsAlarm",
    "!Ref PubsubWebhookErrorsAlarm",
    "!Ref HistoryProcessorErrorsAlarm",
    "!Ref WatchRenewerErrorsAlarm",
    "!Ref HistoryProcessorSecretAlarm",
    "!Ref DeadLettersAlarm",
    "!Ref OAuthClientRefusedAlarm",
    "!Ref NeedsReauthAlarm",
    "!Sub ${AWS::StackName}-api-errors",
]

FUNCTIONS = "\nGlobals:\n  Function:\n"
VARIABLES = "    Environment:\n      Variables:\n"


class Unusable(Exception):
    """The built template is not what this script knows."""


def canary(template: str, release: str) -> str:
    """The built template as one of a canary deployment that is called `release`."""
    head, found, rest = template.partition(FUNCTIONS)
    functions, ended, resources = re.split(r"(\n(?=\S))", rest, maxsplit=1) if found else ("", "", "")
    if functions.count(VARIABLES) != 1:
        raise Unusable("it has no Globals for functions with an environment")
    if "AutoPublishAlias" in functions:
        raise Unusable("it is one of a canary deployment already; run `sam build` first")
    alarms = "".join(f"      - {alarm}\n" for alarm in ALARMS)
    preference = f"    AutoPublishAlias: live\n    DeploymentPreference:\n      Type: Canary10Percent10Minutes\n      PassthroughCondition: true\n      Alarms:\n{alarms}"
    named = functions.replace(VARIABLES, f"{VARIABLES}        RELEASE: '{release}'\n")
    return head + found + preference + named + ended + resources


def main() -> None:
    release = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        BUILT.write_text(canary(BUILT.read_text(), release))
    except FileNotFoundError:
        sys.exit(f"canary.py: there is no {BUILT}; run `sam build` first")
    except Unusable as error:
        sys.exit(f"canary.py: {BUILT} cannot be used: {error}")
    print(f"{BUILT} is the canary deployment {release} now; `sam deploy` deploys it")


if __name__ == "__main__":
    main()
