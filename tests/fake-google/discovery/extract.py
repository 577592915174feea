#!/usr/bin/env python3
"""Trims Gmail's discovery document to the methods the fake serves: extract.py path/to/gmail.v1.json > gmail.v1.json

The document ships in the PyPI package google-api-python-client (googleapiclient/discovery_cache/documents/).
"""

import json
import sys

METHODS = [
    "getProfile",
    "watch",
    "stop",
    "history.list",
    *(f"labels.{name}" for name in ("list", "get", "create", "update", "patch", "delete")),
    *(f"messages.{name}" for name in ("list", "get", "send", "modify", "trash", "untrash", "delete", "batchModify", "batchDelete")),
    "messages.attachments.get",
    *(f"threads.{name}" for name in ("list", "get", "modify", "trash", "untrash", "delete")),
    "settings.sendAs.list",
    *(f"drafts.{name}" for name in ("list", "get", "create", "update", "send", "delete")),
]
PARAMETER_KEYS = ("location", "type", "format", "enum", "repeated", "required", "default")
SCHEMA_KEYS = ("type", "format", "enum", "$ref")


def picked(source, keys):
    return {key: source[key] for key in keys if key in source}


def parameters(source):
    return {name: picked(value, PARAMETER_KEYS) for name, value in sorted(source.items())}


def all_methods(resource):
    yield from resource.get("methods", {}).values()
    for nested in resource.get("resources", {}).values():
        yield from all_methods(nested)


def method(source):
    trimmed = picked(source, ("httpMethod", "path", "scopes"))
    trimmed["parameters"] = parameters(source.get("parameters", {}))
    if "mediaUpload" in source:
        media = source["mediaUpload"]
        paths = {protocol: described["path"] for protocol, described in media["protocols"].items()}
        trimmed["mediaUpload"] = {"accept": media["accept"], "maxSize": media["maxSize"], "paths": paths}
    for direction in ("request", "response"):
        if direction in source:
            trimmed[direction] = source[direction]["$ref"]
    return trimmed


def schema_type(source):
    trimmed = picked(source, SCHEMA_KEYS)
    if "items" in source:
        trimmed["items"] = schema_type(source["items"])
    if "properties" in source:
        trimmed["properties"] = {name: schema_type(value) for name, value in sorted(source["properties"].items())}
    return trimmed


def references(source):
    if "$ref" in source:
        yield source["$ref"]
    if "items" in source:
        yield from references(source["items"])
    for value in source.get("properties", {}).values():
        yield from references(value)


def reachable_schemas(document, names):
    found = {}
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = schema_type(document["schemas"][name])
            waiting.extend(references(found[name]))
    return dict(sorted(found.items()))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    by_id = {entry["id"].removeprefix("gmail.users."): entry for entry in all_methods(document)}
    methods = {name: method(by_id[name]) for name in METHODS}
    roots = {entry[key] for entry in methods.values() for key in ("request", "response") if key in entry}
    trimmed = {
        "revision": document["revision"],
        "parameters": parameters(document["parameters"]),
        "methods": methods,
        "schemas": reachable_schemas(document, roots),
    }
    json.dump(trimmed, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
