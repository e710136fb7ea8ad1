"""`sam local invoke`: what its container cannot reach of the template is told otherwise."""

import json
from typing import Any

import pytest

from millrace.domain.configuration import read_config
from tests.unit.template.deployment import Deployment
from tests.unit.template.needs import ROOT

# As sam has it: for every function, of those variables that the template gives it.
INSTEAD: dict[str, str] = json.loads((ROOT / "local/sam-variables.json").read_text())["Parameters"]
DEPLOYMENT = Deployment()
CONFIGURED = [name for name in DEPLOYMENT.functions if DEPLOYMENT.variables(name)]


def is_known(value: Any) -> bool:
    """Said in the template, or by a parameter. What AWS would make is here a name that leads nowhere."""
    return not isinstance(value, dict) or value.get("Ref") in DEPLOYMENT.document["Parameters"]


@pytest.mark.parametrize("function", CONFIGURED)
def test_a_function_can_read_what_sam_local_tells_it(function: str):
    told = DEPLOYMENT.variables(function)

    variables = {
        name: INSTEAD[name] if name in INSTEAD else str(DEPLOYMENT.resolve(value))
        for name, value in told.items()
        if name in INSTEAD or is_known(value)
    }

    assert set(told) - set(variables) <= {"METRICS_NAMESPACE"}
    config = read_config(variables)
    assert not config.queue_urls
    assert not config.database_iam


def test_what_is_told_otherwise_is_what_the_template_gives():
    assert set(INSTEAD) <= {name for function in CONFIGURED for name in DEPLOYMENT.variables(function)}
