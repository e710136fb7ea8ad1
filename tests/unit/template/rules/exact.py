"""What guards data, callers and money is as the tables in expected/ say, to the last property."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from local.intrinsics import load
from millrace.command.arms import MIGRATE, OPERATE
from millrace.domain.jobs import JOB_TABLES
from tests.unit.template.deployment import Deployment, kind_variable
from tests.unit.template.needs import ROOT

FOLDER = ROOT / "tests/unit/template/expected"
TABLES = ("data", "deploying", "network", "requests", "rounds", "watching")
RESOURCES: dict[str, Any] = {
    name: resource for table in TABLES for name, resource in load(FOLDER / f"{table}.yaml").items()
}
# Written once, for one kind of job: the others' queues are the same.
RESOURCES |= {
    name.replace("Evaluation", kind.title()): json.loads(
        json.dumps(RESOURCES[name]).replace("Evaluation", kind.title())
    )
    for name in ("EvaluationDoorbell", "EvaluationDeadLetters")
    for kind in JOB_TABLES
}
FUNCTIONS = load(FOLDER / "functions.yaml")
CHOICES = load(FOLDER / "choices.yaml")
VARIABLES = FUNCTIONS["Variables"] | {
    kind_variable(kind): {"Ref": f"{kind.title()}Doorbell"} for kind in JOB_TABLES
}
# What people read; the machine's script, which a test runs; patterns, which tests try; what the dashboard
# draws, which has a rule.
NOT_HELD = {
    "Description", "DBSubnetGroupDescription", "GroupDescription", "Tags", "UserData", "AllowedPattern",
    "ConstraintDescription", "DashboardBody",
}  # fmt: skip
# What rules of their own hold: what a function is told, and its routes.
HELD_ELSEWHERE = {"Events", "Environment"}
# Which rules of their own hold to the last property.
RULED = {
    "AWS::Serverless::Function", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::CloudWatch::Alarm",
}  # fmt: skip


def other_resources(deployment: Deployment) -> Iterator[str]:
    """Each is in a table, or of a type that has rules of its own."""
    for name in sorted(deployment.resources.keys() | RESOURCES.keys()):
        found = deployment.resources.get(name, {})
        if name in RESOURCES or found["Type"] not in RULED:
            yield from differences(found or None, RESOURCES.get(name), at=name)
        elif found["Type"] != "AWS::Serverless::Function":
            more = found.keys() - {"Type", "Condition", "Properties"}
            yield from (f"{name} has {one}" for one in sorted(more))


def other_functions(deployment: Deployment) -> Iterator[str]:
    """What all have, and what each has of its own. Its folder and its role are called as it is."""
    shared = deployment.document["Globals"]["Function"]
    yield from differences(without(shared, {"Environment"}), FUNCTIONS["Shared"], at="Globals")
    yield from (f"Globals has {one}" for one in deployment.document["Globals"] if one != "Function")
    for function in deployment.functions:
        built = without(deployment.resources[function], {"Properties", "DependsOn"})
        yield from differences(built, FUNCTIONS["Built"], at=function)
        found = without(deployment.properties(function), HELD_ELSEWHERE) | {
            name: value for name, value in deployment.variables(function).items() if name not in VARIABLES
        }
        wanted = FUNCTIONS["Own"].get(function, {}) | {
            "CodeUri": f"functions/{folder_of(function)}/",
            "Role": {"Fn::GetAtt": [f"{function}Role", "Arn"]},
        }
        yield from differences(found, wanted, at=function)


def folder_of(function: str) -> str:
    """JobStatus lies in job_status."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", function).lower()


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
        there = deployment.document[section]
        for name in sorted(there.keys() | table.keys()):
            yield from differences(there.get(name), table.get(name), at=name)
    for output in (OPERATE, MIGRATE):
        if output not in CHOICES["Outputs"]:
            yield f"the command line does not find {output}"


def lost_parameters(deployment: Deployment) -> Iterator[str]:
    """In the console's form each parameter stands in one group."""
    groups = deployment.document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = Counter(name for group in groups for name in group["Parameters"])
    for name in sorted(grouped.keys() | deployment.document["Parameters"].keys()):
        if grouped[name] != 1 or name not in deployment.document["Parameters"]:
            yield f"the parameter {name} stands in {grouped[name]} groups"


def differences(found: Any, wanted: Any, *, at: str) -> Iterator[str]:
    """Where the two part, by the way that leads there."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for name in sorted((found.keys() | wanted.keys()) - NOT_HELD):
            yield from differences(found.get(name), wanted.get(name), at=f"{at} {name}")
    elif found != wanted or isinstance(found, bool) != isinstance(wanted, bool):
        yield f"{at} is {found!r} and not {wanted!r}"


def without(properties: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in names}


RULES = (other_resources, other_functions, other_variables, other_ticks, other_choices, lost_parameters)
