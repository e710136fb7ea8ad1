"""Doorbells and the schedule, with faults planted."""

from typing import Any

import pytest

from tests.unit.template.deployment import Deployment
from tests.unit.template.planting import faults_after
from tests.unit.template.rules.rounds import RULES

BELL = "Resources EvaluationDoorbell Properties"
LETTERS = "Resources EvaluationDeadLetters Properties"
RINGING = "Resources RunJob Properties Events EvaluationDoorbell Properties"
TICK = "Resources JobPickup Properties Events EveryMinute Properties"
LEAST = "Parameters DatabaseMinCapacity AllowedPattern"
PAUSING = "Rules PausingNeedsASlowerPickup"

PLANTED = [
    (f"{BELL} VisibilityTimeout", 539, "less than six times RunJob's 90 s"),
    (f"{BELL} VisibilityTimeout", None, "less than six times RunJob's 90 s"),
    (f"{BELL} RedrivePolicy maxReceiveCount", 50, "does not give up after 5"),
    (f"{BELL} MessageRetentionPeriod", 3_600, "does not keep a message for its 3600 s and little more"),
    (f"{BELL} MessageRetentionPeriod", 86_400, "does not keep a message for its 3600 s and little more"),
    (f"{BELL} MessageRetentionPeriod", None, "does not keep a message for its 3600 s and little more"),
    (f"{RINGING} BatchSize", 10, "not given messages of EvaluationDoorbell one by one"),
    (f"{RINGING} FunctionResponseTypes", None, "or cannot give one back"),
    (f"{RINGING} ScalingConfig", None, "RunJob runs as often as"),
    (f"{RINGING} FilterCriteria", {"Filters": [{"Pattern": "{}"}]}, "listens to EvaluationDoorbell by ["),
    (f"{RINGING} Enabled", False, "listens to EvaluationDoorbell by ["),
    (f"{RINGING} ScalingConfig MaximumConcurrency", 2, "RunJob may be limited by None"),
    (f"{BELL} DelaySeconds", 900, "EvaluationDoorbell has DelaySeconds"),
    (f"{BELL} SqsManagedSseEnabled", False, "EvaluationDoorbell is not encrypted"),
    (f"{LETTERS} MessageRetentionPeriod", 60, "EvaluationDeadLetters forgets before anybody has read it"),
    ("Resources RunJob Properties Events", {}, "there is no EvaluationDoorbell that is listened to"),
    ("Parameters PickupRate Default", "rate(30 seconds)", "JobPickup is not run at a rate"),
    (f"{TICK} FlexibleTimeWindow Mode", "FLEXIBLE", "JobPickup may be run late"),
    (f"{TICK} DeadLetterConfig", None, "JobPickup's schedule forgets"),
    ("Resources PickupDeadLetters Properties MessageRetentionPeriod", 1_209_600, "ticks for more than a day"),
    ("Resources PickupDeadLetters Properties MessageRetentionPeriod", None, "ticks for more than a day"),
    (
        "Resources MissedTicksAlarm Properties MetricName",
        "ApproximateNumberOfMessagesVisible",
        "MissedTicksAlarm stays on for as long as",
    ),
    ("Rules", {}, "a minimum of 0 with rate(1 minute) never lets the database pause"),
    (
        f"{PAUSING} Assertions 0 Assert",
        {"Fn::Not": [{"Fn::Equals": [{"Ref": "PickupRate"}, "rate(1 minute)"]}]},
        "a minimum of 0 with rate(5 minutes) never lets",
    ),
    ("Parameters PauseAfterSeconds MaxValue", 3_600, "a minimum of 0 with rate(1 hour) never lets"),
    (
        "Resources DatabaseSettings Properties Parameters idle_session_timeout",
        "900000",
        "a minimum of 0 with rate(1 hour) never lets",
    ),
    (LEAST, None, "a minimum of 0.0 with rate(1 minute) never lets"),
    (LEAST, None, "a minimum of 00 is a pause that nobody hears of"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule):
    assert list(rule(Deployment())) == []


@pytest.mark.parametrize(("path", "value", "fault"), PLANTED)
def test_a_planted_fault_is_named(path: str, value: Any, fault: str):
    assert [found for found in faults_after(path, value, rules=RULES) if fault in found] != []
