"""The stages of samconfig.toml: what they set is taken, by CloudFormation and by the functions."""

import tomllib

import pytest

from millrace.domain.jobs import JOB_TABLES
from tests.unit.template.deployment import Deployment
from tests.unit.template.needs import ROOT
from tests.unit.template.parameters import accepts
from tests.unit.template.providers import SWITCHED_ON
from tests.unit.template.rules.data import has_room
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
def test_the_database_of_a_stage_may_grow_to_at_least_its_least(stage: str):
    assert has_room(Deployment(parameters=given_in(stage)))
    assert not has_room(Deployment(parameters={**given_in(stage), "DatabaseMinCapacity": "32"}))


@pytest.mark.parametrize(
    "mistake",
    [
        "AlarmEmail=somebody", "AuthorizerTtlSeconds=99999", "BackupDays=99", "BackupDays=seven",
        "CorsOrigins=*",
        "CorsOrigins=https://a.example.com, https://b.example.com", "CorsOrigins=https://a.example.com/path",
        "DatabaseMaxCapacity=0", "DatabaseMaxCapacity=1.3", "DatabaseVersion=15.4",
        "Egress=NatGateway", "EvaluationConcurrency=1", "LimitedKinds=story", "LimitedKinds=export,",
        "LogDays=31", "MaxWaitSeconds=25",
        "PickupRate=rate(2 minutes)",
    ],
)  # fmt: skip
def test_a_mistaken_parameter_is_refused_before_anything_is_done(mistake: str):
    name, _, value = mistake.partition("=")

    assert not accepts(Deployment().document, {name: value})


@pytest.mark.parametrize(
    "given",
    [
        "AlarmEmail=", "AlarmEmail=ops@example.com", "CorsOrigins=", "CorsOrigins=https://app.example.com",
        "CorsOrigins=https://app.example.com,http://localhost:3000", "DatabaseVersion=16.10",
        f"LimitedKinds={','.join(JOB_TABLES)}",
        "LimitedKinds=", "LimitedKinds=evaluation,export",
    ],
)  # fmt: skip
def test_what_one_would_say_is_taken(given: str):
    name, _, value = given.partition("=")

    assert accepts(Deployment().document, {name: value})


@pytest.mark.parametrize("stage", STAGES)
def test_every_function_of_a_stage_can_read_its_environment(stage: str):
    assert list(refusals(Deployment(parameters=given_in(stage)))) == []


def test_a_model_of_several_without_a_price_is_found_before_it_is_deployed():
    given = {**SWITCHED_ON["openai/"], "AiModels": "openai/large,openai/unpriced"}

    found = list(refusals(Deployment(parameters=given)))

    assert accepts(Deployment().document, given)
    assert any("AI_PRICES has no price of openai/unpriced" in fault for fault in found)
