"""Checks the resources that SAM makes of a canary deployment; runs under SAM's own interpreter."""

import itertools
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "deploy"))

import canary  # noqa: E402
from samcli.yamlhelper import yaml_parse  # noqa: E402
from samtranslator.parser.parser import Parser  # noqa: E402
from samtranslator.translator.translator import Translator  # noqa: E402

# The resources that call a function, and the property that names it.
CALLERS = {
    "AWS::Lambda::Permission": lambda properties: properties["FunctionName"],
    "AWS::Lambda::EventSourceMapping": lambda properties: properties["FunctionName"],
    "AWS::Lambda::EventInvokeConfig": lambda properties: properties["Qualifier"],
    "AWS::Scheduler::Schedule": lambda properties: properties["Target"]["Arn"],
    "AWS::Logs::SubscriptionFilter": lambda properties: properties["DestinationArn"],
    "AWS::ApiGatewayV2::Api": lambda properties: [
        taken(operation)["x-amazon-apigateway-integration"]["uri"]
        for path in properties["Body"]["paths"].values()
        for operation in path.values()
    ],
}


def taken(value: dict) -> dict:
    """What stands here if the condition holds on which it depends."""
    return value["Fn::If"][1] if "Fn::If" in value else value


def resources(template: str) -> dict:
    """The resources after SAM's transformation."""
    parsed = yaml_parse(template)
    for resource in parsed["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://artifacts/{resource['Properties']['CodeUri']}"
    parameters = {name: str(given.get("Default", "given")) for name, given in parsed["Parameters"].items()}
    return Translator({}, Parser()).translate(parsed, parameters)["Resources"]


def of_type(made: dict, kind: str) -> dict:
    return {name: resource for name, resource in made.items() if resource["Type"] == kind}


def mentioned(value: object, always: bool = False) -> set[str]:
    """Every resource or parameter that a part of a template refers to; with `always` only those that no condition leaves out."""
    if isinstance(value, list):
        return set(itertools.chain.from_iterable(mentioned(inner, always) for inner in value))
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, inner in value.items():
        if key == "Fn::If" and always:
            continue
        if key == "Ref":
            found.add(inner)
        elif key == "Fn::GetAtt":
            found.add((inner if isinstance(inner, list) else inner.split("."))[0])
        elif key == "Fn::Sub":
            text, own = (inner, {}) if isinstance(inner, str) else inner
            found |= ({name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", text)} - own.keys()) | mentioned(own, always)
        else:
            found |= mentioned(inner, always)
    return found


def lost(made: dict) -> list[str]:
    """Resources that refer to one that a condition may leave out, without being left out with it."""
    conditional = {name: resource["Condition"] for name, resource in made.items() if "Condition" in resource}
    return [
        f"{name} refers to {other}"
        for name, resource in made.items()
        for other in mentioned({key: part for key, part in resource.items() if key != "Condition"}, always=True) & conditional.keys()
        if resource.get("Condition") != conditional[other]
    ]


def waits_for(made: dict) -> dict[str, set[str]]:
    """For each resource, those that CloudFormation makes before it; an alias also waits for its deployment group."""
    listed = lambda value: set(value if isinstance(value, list) else [value] if value else [])  # noqa: E731
    return {
        name: (mentioned(resource.get("Properties", {})) | mentioned(resource.get("UpdatePolicy", {})) | listed(resource.get("DependsOn")))
        & made.keys()
        for name, resource in made.items()
    }


def circle(waits: dict[str, set[str]]) -> list[str]:
    """The resources that wait for each other in a circle; empty if there is none."""
    left = {name: set(others) for name, others in waits.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def check(plain: str) -> str:
    """Raises at the first error; returns a summary."""
    kinds = {resource["Type"] for resource in resources(plain).values()}
    assert not {kind for kind in kinds if "CodeDeploy" in kind or kind in ("AWS::Lambda::Alias", "AWS::Lambda::Version")}, kinds

    first, second = (resources(canary.canary(plain, release)) for release in ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"))
    functions, aliases = of_type(first, "AWS::Lambda::Function"), of_type(first, "AWS::Lambda::Alias")
    versions = [set(of_type(made, "AWS::Lambda::Version")) for made in (first, second)]
    assert len(functions) == len(aliases) == len(versions[0]) == len(versions[1]) == 7, (aliases, versions)
    assert not versions[0] & versions[1], f"the next deployment publishes no version: {versions[0] & versions[1]}"
    for name, alias in aliases.items():
        assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"] in first, name

    calls = 0
    for kind, called in CALLERS.items():
        for name, resource in of_type(first, kind).items():
            targets = called(resource["Properties"])
            for target in targets if isinstance(targets, list) else [targets]:
                calls += 1
                assert target == "live" or mentioned(target) & aliases.keys(), f"{name} calls past the alias: {target}"

    names = {json.dumps(alarm["Properties"].get("AlarmName"), sort_keys=True) for alarm in of_type(first, "AWS::CloudWatch::Alarm").values()}
    groups = of_type(first, "AWS::CodeDeploy::DeploymentGroup")
    assert len(groups) == 7, groups.keys()
    for name, group in groups.items():
        alarms = [alarm["Name"] for alarm in group["Properties"]["AlarmConfiguration"]["Alarms"]]
        assert 0 < len(alarms) <= 10, f"{name} heeds {len(alarms)} alarms"
        for alarm in alarms:
            known = alarm.get("Ref") in of_type(first, "AWS::CloudWatch::Alarm") or json.dumps(alarm, sort_keys=True) in names
            assert known, f"{name} heeds {alarm}, which is no alarm"
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["Properties"]["AutoRollbackConfiguration"]["Events"], name
    assert not lost(resources(plain)) and not lost(first), lost(resources(plain)) + lost(first)
    assert not circle(waits_for(first)), f"a circle among {circle(waits_for(first))}"

    schedule = json.dumps(first["WatchRenewerScheduleRole"]["Properties"]["Policies"])
    assert "${WatchRenewerFunction.Arn}:live" in schedule, "the schedule may not call the alias"
    return f"{len(aliases)} aliases, {calls} callers, {len(groups)} deployment groups, no circle among {len(first)} resources"


if __name__ == "__main__":
    print(check((ROOT / ".aws-sam" / "build" / "template.yaml").read_text()))
