"""Who is told of what, with faults planted."""

from typing import Any

import pytest

from tests.unit.template.deployment import Deployment
from tests.unit.template.planting import faults_after
from tests.unit.template.rules.watching import RULES

PLANTED = [
    ("Resources ErrorsAlarm", None, "nobody hears of the errors of CreateJob"),
    ("Resources MigrationsAlarm", None, "nobody hears of the errors of Migrate"),
    ("Resources MigrationsAlarm Properties Metrics 1", None, "no alarm counts MigrationsFailed of Migrate"),
    ("Resources MigrationsAlarm Properties Metrics 2", None, "no alarm counts Errors of Migrate"),
    ("Resources DeadLettersAlarm", None, "nobody hears of EvaluationDeadLetters"),
    ("Resources MissedTicksAlarm", None, "nobody hears of PickupDeadLetters"),
    ("Resources OldestDueAlarm", None, "an old job of the kind evaluation"),
    ("Resources OldestDueAlarm Properties AlarmActions", None, "OldestDueAlarm tells nobody"),
    ("Resources NatMachineLostAlarm Properties AlarmActions 1", None, "NatMachineLostAlarm tells nobody"),
    ("Resources ErrorsAlarm Properties Metrics", [{}] * 12, "ErrorsAlarm has more metrics than"),
    ("Resources PickupSilentAlarm Properties Period", 3600, "runs as it should is called silent"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule):
    assert list(rule(Deployment())) == []


@pytest.mark.parametrize(("path", "value", "fault"), PLANTED)
def test_a_planted_fault_is_named(path: str, value: Any, fault: str):
    assert [found for found in faults_after(path, value, rules=RULES) if fault in found] != []
