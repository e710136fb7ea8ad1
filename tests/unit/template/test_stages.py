"""The stages of samconfig.toml: what they set is taken, by CloudFormation and by the functions."""

import tomllib

import pytest

from tests.unit.template.deployment import Deployment
from tests.unit.template.needs import ROOT
from tests.unit.template.parameters import accepts
from tests.unit.template.providers import SWITCHED_ON
from tests.unit.template.rules.environments import refusals

STAGES = tomllib.loads((ROOT / "samconfig.toml").read_text())
del STAGES["version"]


def given_in(stage: str) -> dict[str, str]:
    pairs = (pair.split("=", 1) for pair in STAGES[stage]["deploy"]["parameters"]["parameter_overrides"])
    return {name: value.strip("'") for name, value in pairs}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_sets_parameters_that_the_template_accepts(stage: str):
    assert STAGES[stage]["deploy"]["parameters"]["stack_name"] == f"millrace-{stage}"
    assert accepts(Deployment().document, given_in(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_every_function_of_a_stage_can_read_its_environment(stage: str):
    assert list(refusals(Deployment(parameters=given_in(stage)))) == []


def test_a_model_of_several_without_a_price_is_found_before_it_is_deployed():
    given = {**SWITCHED_ON["openai/"], "AiModels": "openai/large,openai/unpriced"}

    found = list(refusals(Deployment(parameters=given)))

    assert accepts(Deployment().document, given)
    assert any("AI_PRICES has no price of openai/unpriced" in fault for fault in found)
