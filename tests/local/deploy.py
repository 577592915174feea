"""Deploys the real template onto the emulator, and adds what the emulator leaves out: routes and table settings."""

import json
import re
import subprocess

import boto3

import build
from settings import LOGS, REGION, ROOT, STACK, ZIPPED, aws_environment, overrides, parameters
from terminal import Failure, step
from tools import sam

METHODS = {"get", "head", "post", "put", "patch", "delete"}


def client(service: str, endpoint: str):
    return boto3.client(
        service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )


def deploy(endpoint: str, google_url: str, microsoft_url: str) -> dict[str, str]:
    """Creates or updates the stack; returns its outputs, with the emulator's URL of the API as `ApiUrl`."""
    with step("sam deploy"):
        template(endpoint, google_url, microsoft_url)
    with step("Create the API's routes") as current:
        stack = client("cloudformation", endpoint).describe_stacks(StackName=STACK)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        current.note(f"{routes(endpoint, stack)} routes")
        api = physical_ids(endpoint)["HttpApi"]
        outputs["ApiUrl"] = f"{endpoint}/_aws/execute-api/{api}/$default"
        if "ConsoleUrl" in outputs:
            # By host, so that the page stands where it does on AWS; browsers resolve all of localhost to this machine.
            outputs["ConsoleUrl"] = f"http://{api}.execute-api.localhost:{endpoint.rsplit(':', 1)[1]}/console"
    with step("Set how the table expires and is kept"):
        keeping(endpoint, outputs["TableName"])
    return outputs


def keeping(endpoint: str, table: str) -> None:
    """Sets two properties of the table that MiniStack's CloudFormation ignores."""
    declared = processed(endpoint)["ConnectorsTable"]["Properties"]
    dynamodb = client("dynamodb", endpoint)
    recovery = declared["PointInTimeRecoverySpecification"]
    dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)
    expiry = declared["TimeToLiveSpecification"]
    if dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"] != "ENABLED":
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)


def processed(endpoint: str) -> dict:
    """The template's resources, as SAM made them."""
    body = client("cloudformation", endpoint).get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
    return (json.loads(body) if isinstance(body, str) else body)["Resources"]


def template(endpoint: str, google_url: str, microsoft_url: str) -> None:
    """`sam deploy` of what `sam build` made."""
    log = LOGS / "deploy.log"
    command = [sam(), "deploy", "--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local", "--template-file", str(ZIPPED / "template.yaml"), "--stack-name", STACK, "--region", REGION]
    # Signed URLs of large files lead to the emulator's S3.
    command += overrides({"ConsoleConnectOrigins": endpoint} | parameters(google_url, microsoft_url))
    with log.open("wb") as output:
        done = subprocess.run(
            command, cwd=ROOT, env=build.environment() | aws_environment(endpoint), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    if done.returncode != 0:
        raise Failure("sam deploy failed", log)


def physical_ids(endpoint: str) -> dict[str, str]:
    listed = client("cloudformation", endpoint).describe_stack_resources(StackName=STACK)["StackResources"]
    return {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in listed}


def routes(endpoint: str, stack: dict) -> int:
    """Creates routes and CORS from the OpenAPI body that SAM generates, which MiniStack ignores."""
    resources = processed(endpoint)
    ids = physical_ids(endpoint)
    gateway, api = client("apigatewayv2", endpoint), ids["HttpApi"]
    openapi = resources["HttpApi"]["Properties"]["Body"]

    origins = next(row["ParameterValue"] for row in stack["Parameters"] if row["ParameterKey"] == "AllowedOrigins")
    gateway.update_api(ApiId=api, CorsConfiguration=cors(openapi["x-amazon-apigateway-cors"], origins))

    wanted = {
        f"{method.upper()} {path}": function_of(operation)
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
        if method in METHODS and function_of(operation) in ids
    }
    existing = {route["RouteKey"]: route["RouteId"] for route in gateway.get_routes(ApiId=api)["Items"]}
    for key in existing.keys() - wanted.keys():
        gateway.delete_route(ApiId=api, RouteId=existing[key])
    new = {key: function for key, function in wanted.items() if key not in existing}
    integrations = {function: integration(endpoint, gateway, api, ids[function]) for function in set(new.values())}
    for key, function in new.items():
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integrations[function]}")
    return len(wanted)


def function_of(operation: dict) -> str:
    """The function behind a route, also behind one that a condition makes."""
    return re.search(r"\$\{(\w+?)(\.Arn)?\}/invocations", json.dumps(operation)).group(1)


def integration(endpoint: str, gateway, api: str, function: str) -> str:
    arn = client("lambda", endpoint).get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    made = gateway.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0")
    return made["IntegrationId"]


def cors(declared: dict, origins: str) -> dict:
    """The CORS settings of the OpenAPI extension, named as API Gateway's API names them."""
    return {
        "AllowOrigins": origins.split(","),
        "AllowMethods": declared["allowMethods"],
        "AllowHeaders": declared["allowHeaders"],
        "MaxAge": declared["maxAge"],
    }
