"""The running stack's metrics, from the embedded metrics in the logs: printed, or compared with docs/metrics.md."""

import json
import re
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, SummaryMetricFamily
from prometheus_client.exposition import generate_latest

import function_logs
from lines import lines_of
from settings import ROOT
from terminal import Failure, heading, say

DOCS = ROOT / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<unit>\w+) \| (?P<dimensions>[^|]*) \| (?P<by_provider>[^|]*) \| (?P<functions>[^|]*) \|", re.M)
PROVIDER = "Provider"
PROVIDERS = {"gmail", "outlook"}
# No request of a test makes a function panic; unit tests of the gateway cover it.
NEVER = {"Panics"}
QUANTILES = (0.5, 0.95, 0.99)


@dataclass
class Counted:
    """One metric of the functions, with its values."""

    unit: str
    values: dict[tuple[tuple[str, str], ...], list[float]] = field(default_factory=dict)
    # The sets of dimensions that CloudWatch shows it by.
    sets: set[frozenset[str]] = field(default_factory=set)

    def of(self, dimension: str) -> set[str]:
        return {value for labels in self.values for name, value in labels if name == dimension}

    def labels(self) -> list[str]:
        return sorted({name for labels in self.values for name, _ in labels})


def collect(states: list[dict]) -> dict[str, Counted]:
    """Every metric by its name, with the values for each label: dimensions, and the provider where it is known."""
    found: dict[str, Counted] = {}
    for state, line in ((state, line) for state in states for line in lines(state)):
        if '"_aws"' not in line:
            continue
        document = json.loads(line)
        for directive in document["_aws"]["CloudWatchMetrics"]:
            if directive["Namespace"] != state["stack_name"]:
                raise Failure(f"a metric is in the namespace {directive['Namespace']}")
            # A value stands in each of the sets; the labels are those of the set with all of them.
            names = [*directive["Dimensions"][0], *([PROVIDER] if PROVIDER in document else [])]
            labels = tuple((name, document[name]) for name in names)
            for metric in directive["Metrics"]:
                counted = found.setdefault(metric["Name"], Counted(metric.get("Unit", "")))
                counted.sets.update(map(frozenset, directive["Dimensions"]))
                value = document[metric["Name"]]
                counted.values.setdefault(labels, []).extend(value if isinstance(value, list) else [value])
    return found


def lines(state: dict):
    for _, events in function_logs.groups(state):
        for event in events:
            yield from lines_of(event["message"])


def show(state: dict) -> None:
    """Prints the metrics as Prometheus text."""
    registry = CollectorRegistry()
    found = collect([state])

    class Functions:
        def collect(self):
            for name, counted in sorted(found.items()):
                labels = counted.labels()
                yield counter(name, counted, labels) if counted.unit == "Count" else summary(name, counted, labels)

    registry.register(Functions())
    say(generate_latest(registry).decode().rstrip())


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def counter(name: str, counted: Counted, labels: list[str]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"connectors_{snake(name)}", name, labels=[snake(label) for label in labels])
    for dimensions, values in counted.values.items():
        family.add_metric([dict(dimensions).get(label, "") for label in labels], sum(values))
    return family


def summary(name: str, counted: Counted, labels: list[str]) -> SummaryMetricFamily:
    full = f"connectors_{snake(name)}_{counted.unit.lower()}"
    family = SummaryMetricFamily(full, name, labels=[snake(label) for label in labels])
    for dimensions, values in counted.values.items():
        of = {snake(label): dict(dimensions).get(label, "") for label in labels}
        family.add_metric(list(of.values()), count_value=len(values), sum_value=sum(values))
        ordered = sorted(values)
        for quantile in QUANTILES:
            family.add_sample(full, of | {"quantile": str(quantile)}, ordered[min(len(ordered) - 1, int(quantile * len(ordered)))])
    return family


def compare(states: list[dict]) -> None:
    """Raises unless these stacks counted exactly the documented metrics, with their units and dimensions, and split
    exactly those by provider of which the docs say so."""
    documented = {row["name"]: row for row in ROW.finditer(DOCS.read_text())}
    found = collect(states)
    wrong = [f"{name} is in the docs, and was not counted" for name in documented.keys() - found.keys() - NEVER]
    wrong += [f"{name} was counted, and is not in the docs" for name in found.keys() - documented.keys()]
    for name, counted in found.items():
        if name not in documented:
            continue
        row = documented[name]
        own = frozenset({part.strip() for part in row["dimensions"].split(",") if part.strip()} | {"Function"})
        expected = {own, own | {PROVIDER}} if row["by_provider"] else {own}
        # Where nobody knew the provider, nothing could be split.
        needed = expected if counted.of(PROVIDER) else {own}
        functions = {part.strip() for part in row["functions"].split(",")}
        if counted.unit != row["unit"]:
            wrong.append(f"{name} is counted in {counted.unit}, and the docs say {row['unit']}")
        wrong += [f"{name} has the dimensions {', '.join(sorted(names))}" for names in counted.sets - expected]
        wrong += [f"{name} was never counted with the dimensions {', '.join(sorted(names))}" for names in needed - counted.sets]
        wrong += [f"{name} was counted for the provider {of}, which there is not" for of in counted.of(PROVIDER) - PROVIDERS]
        wrong += [f"{name} was counted by {function}, of which the docs do not know" for function in counted.of("Function") - functions]
    heading("Metrics")
    series = sum(len(counted.values) for counted in found.values())
    say(f"  {len(found)} metrics were counted, {len(documented)} are in the docs; {series} combinations of dimensions")
    for line in sorted(wrong):
        say(f"  {line}")
    if wrong:
        raise Failure("the docs and the functions do not name the same metrics")
