"""Roles are taken on by whom they are for, and what they may do is said in the plainest words."""

from collections.abc import Iterator
from typing import Any

from tests.unit.template.deployment import Deployment

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
# Whose role it is not a function's: expected/network.yaml has it.
NO_FUNCTIONS = {"NatMachineRole"}
VERSION = "2012-10-17"
ROLE = {"AssumeRolePolicyDocument", "ManagedPolicyArns", "Policies"}
STATEMENT = {"Effect", "Action", "Resource"}
# A policy must allow something, so these are there when their statements are.
SOMETIMES = {"AsksModels": "NeedsRightsForModels", "AsksGpus": "HasGpuKey"}
# Whose statements say by a condition to whom a right is lent.
CONDITIONS = {"JoinsVpc"}


def lent_roles(deployment: Deployment) -> Iterator[str]:
    for name in set(deployment.named("AWS::IAM::Role")) - NO_FUNCTIONS:
        role = deployment.properties(name)
        if "Condition" in deployment.resources[name]:
            yield f"{name} is not always there"
        if role["AssumeRolePolicyDocument"] != {"Version": VERSION, "Statement": [TRUST]}:
            yield f"{name} may be taken on by others than Lambda"
        yield from (f"{name} has {one}" for one in sorted(role.keys() - ROLE))
        for policy in role["ManagedPolicyArns"]:
            condition, taken = on_condition(policy)
            if condition != SOMETIMES.get(taken):
                yield f"{name} takes {taken} on the condition {condition}"


def on_condition(policy: Any) -> tuple[str | None, str]:
    """When a role takes a policy of ours, and which. None: always."""
    match policy:
        case {"Fn::If": [condition, {"Ref": taken}, {"Ref": "AWS::NoValue"}]}:
            return condition, taken
        case {"Ref": taken}:
            return None, taken
    return "unknown", str(policy)


def roundabout_policies(deployment: Deployment) -> Iterator[str]:
    """They allow: a refusal would take back what another rule has found allowed."""
    for name in deployment.named("AWS::IAM::ManagedPolicy"):
        yield from odd_statements(deployment.properties(name).get("PolicyDocument"), name=name)
        if deployment.resources[name].get("Condition") != SOMETIMES.get(name):
            yield f"{name} is there on the condition {deployment.resources[name].get('Condition')}"
        if set(deployment.properties(name)) != {"PolicyDocument"}:
            yield f"{name} is more than a document"
    for name in deployment.named("AWS::IAM::Role"):
        yield from odd_statements(deployment.properties(name).get("Policies"), name=name)


def odd_statements(value: Any, *, name: str) -> Iterator[str]:
    if isinstance(value, dict) and "Statement" in value and value.get("Version") != VERSION:
        yield f"{name} is not written in IAM's language of {VERSION}"
    if isinstance(value, dict) and "Effect" in value:
        said = value.keys() - ({"Condition"} if name in CONDITIONS else set())
        if value["Effect"] != "Allow" or said != STATEMENT:
            yield f"{name} does not plainly allow: {value['Effect']}, {sorted(said)}"
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    for one in inner:
        yield from odd_statements(one, name=name)


RULES = (lent_roles, roundabout_policies)
