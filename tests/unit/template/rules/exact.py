"""What guards data, callers and money is as the tables in expected/ say, to the last property."""

from collections.abc import Iterator
from typing import Any

from local.intrinsics import load
from millrace.command.arms import MIGRATE, OPERATE
from millrace.domain.jobs import JOB_TABLES
from tests.unit.template.deployment import Deployment, kind_variable
from tests.unit.template.needs import ROOT

FOLDER = ROOT / "tests/unit/template/expected"
RESOURCES: dict[str, Any] = {
    name: resource
    for table in ("data", "deploying", "network", "requests", "rounds", "watching")
    for name, resource in load(FOLDER / f"{table}.yaml").items()
}
FUNCTIONS = load(FOLDER / "functions.yaml")
CHOICES = load(FOLDER / "choices.yaml")
VARIABLES = FUNCTIONS["Variables"] | {
    kind_variable(kind): {"Ref": f"{kind.title()}Doorbell"} for kind in JOB_TABLES
}
# What people read; the machine's script, which a test runs; patterns, which tests try.
NOT_HELD = {
    "Description", "DBSubnetGroupDescription", "GroupDescription", "Tags", "UserData", "AllowedPattern",
    "ConstraintDescription",
}  # fmt: skip
# What rules of their own hold: the code's place, its role, its routes.
HELD_ELSEWHERE = {"CodeUri", "Role", "Events", "Environment"}


def other_resources(deployment: Deployment) -> Iterator[str]:
    for name, wanted in RESOURCES.items():
        yield from differences(deployment.resources.get(name), wanted, at=name)


def other_functions(deployment: Deployment) -> Iterator[str]:
    """What all have, and what each has of its own."""
    shared = deployment.document["Globals"]["Function"]
    yield from differences(without(shared, {"Environment"}), FUNCTIONS["Shared"], at="Globals")
    for function in deployment.functions:
        found = without(deployment.properties(function), HELD_ELSEWHERE) | {
            name: value for name, value in deployment.variables(function).items() if name not in VARIABLES
        }
        yield from differences(found, FUNCTIONS["Own"].get(function), at=function)


def other_variables(deployment: Deployment) -> Iterator[str]:
    """A variable says the same wherever it is set; all are told where metrics go."""
    for function in deployment.functions:
        variables = deployment.variables(function)
        for name in variables.keys() & VARIABLES.keys():
            yield from differences(variables[name], VARIABLES[name], at=f"{function} {name}")
        for name in ("METRICS_NAMESPACE", "DATABASE_TLS", "LOG_LEVEL"):
            if variables and name not in variables:
                yield f"{function} has no variable {name}"
        if str(variables.get("DATABASE_USER")) in ("millrace_api", "millrace_engine"):
            yield from differences(variables.get("DATABASE_IAM"), "true", at=f"{function} DATABASE_IAM")


def other_ticks(deployment: Deployment) -> Iterator[str]:
    found = dict(deployment.events("ScheduleV2"))
    yield from differences(found, {"JobPickup": FUNCTIONS["Tick"]}, at="the schedule of")


def other_choices(deployment: Deployment) -> Iterator[str]:
    """Parameters, conditions and outputs. The command line finds its functions by two of the last."""
    for section, table in CHOICES.items():
        for name, wanted in table.items():
            yield from differences(deployment.document[section].get(name), wanted, at=name)
    for output in (OPERATE, MIGRATE):
        if output not in CHOICES["Outputs"]:
            yield f"the command line does not find {output}"


def differences(found: Any, wanted: Any, *, at: str) -> Iterator[str]:
    """Where the two part, by the way that leads there."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for name in sorted((found.keys() | wanted.keys()) - NOT_HELD):
            yield from differences(found.get(name), wanted.get(name), at=f"{at} {name}")
    elif found != wanted or isinstance(found, bool) != isinstance(wanted, bool):
        yield f"{at} is {found!r} and not {wanted!r}"


def without(properties: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in names}


RULES = (other_resources, other_functions, other_variables, other_ticks, other_choices)
