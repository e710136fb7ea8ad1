"""How models are switched on, with faults planted."""

from typing import Any

import pytest

from millrace.bindings.ai import providers_of
from millrace.domain.model_access import ModelAccess
from tests.unit.template.deployment import Deployment
from tests.unit.template.planting import faults_after
from tests.unit.template.providers import SWITCHED_ON
from tests.unit.template.rules.models import RULES

PLANTED = [
    ("Parameters AiModels AllowedPattern", None, "AiModels may be 'nobody/knows'"),
    ("Parameters AiModels AllowedPattern", "local/rules", "with bedrock/ AiModels is refused"),
    ("Parameters AiPrices AllowedPattern", None, "AiPrices may be 'openai/a=cheap/2'"),
    ("Parameters BedrockRegion AllowedPattern", ".+", "BedrockRegion cannot be left out"),
    ("Parameters OpenAiBaseUrl AllowedPattern", "|https?://.+", "may be 'http://models.example.com'"),
    ("Parameters OpenAiApiKeySecret AllowedPattern", None, "OpenAiApiKeySecret may be 'the-key-itself'"),
    ("Rules ModelsNeedAWayOut", None, "with Egress=none bedrock/ is accepted"),
    (
        "Rules ModelsNeedAWayOut RuleCondition",
        {"Fn::Not": [{"Fn::Equals": [{"Ref": "Egress"}, "none"]}]},
        "with Egress=nat-instance @cf/ is refused",
    ),
    ("Rules ModelsNeedPrices", None, "openai/ may be asked without a price"),
    (
        "Rules GpusNeedAKeyAndAPrice Assertions 0",
        None,
        "with ['GpuEndpointId', 'GpuPrice'] alone GPUs are acc",
    ),
    ("Rules GpusNeedAKeyAndAPrice Assertions 1", None, "with ['GpuEndpointId', 'GpuKeySecret'] alone GPUs"),
    ("Rules GpuKeysNeedAnEndpoint", None, "with ['GpuKeySecret'] alone GPUs are accepted"),
    ("Resources RunJob Properties MemorySize", 512, "RunJob has less than 1024 MB"),
    ("Resources RunJob Properties MemorySize", None, "RunJob has less than 1024 MB"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule):
    assert list(rule(Deployment())) == []


@pytest.mark.parametrize(("path", "value", "fault"), PLANTED)
def test_a_planted_fault_is_named(path: str, value: Any, fault: str):
    assert [found for found in faults_after(path, value, rules=RULES) if fault in found] != []


def test_each_provider_of_models_can_be_switched_on():
    assert set(providers_of(ModelAccess())) <= set(SWITCHED_ON)
