"""What CloudFormation takes of the parameters that somebody gives, before it does anything."""

import re
from math import inf
from typing import Any

from local.intrinsics import Resolver


def accepts(document: dict[str, Any], given: dict[str, str]) -> bool:
    """As CloudFormation decides it: each parameter for itself, then the template's rules."""
    return all(takes(document["Parameters"][name], value) for name, value in given.items()) and all(
        holds(document, rule, given) for rule in document.get("Rules", {}).values()
    )


def takes(parameter: dict[str, Any], value: str) -> bool:
    if "AllowedValues" in parameter and value not in map(str, parameter["AllowedValues"]):
        return False
    if parameter["Type"] == "Number" and not is_within(parameter, value):
        return False
    return re.fullmatch(parameter.get("AllowedPattern", ".*"), value) is not None


def is_within(parameter: dict[str, Any], value: str) -> bool:
    if not re.fullmatch(r"-?\d+(\.\d+)?", value):
        return False
    return parameter.get("MinValue", -inf) <= float(value) <= parameter.get("MaxValue", inf)


def holds(document: dict[str, Any], rule: dict[str, Any], given: dict[str, str]) -> bool:
    resolver = Resolver(document, parameters=given)
    if not resolver.holds(rule["RuleCondition"]):
        return True
    return all(resolver.holds(assertion["Assert"]) for assertion in rule["Assertions"])
