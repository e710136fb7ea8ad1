"""Who is told of what, with faults planted."""

from typing import Any

import pytest

from tests.unit.template.counted import counted
from tests.unit.template.deployment import Deployment
from tests.unit.template.needs import ROOT
from tests.unit.template.planting import faults_after
from tests.unit.template.rules import dashboard, watching

RULES = (*watching.RULES, *dashboard.RULES)
ERRORS = "Resources ErrorsAlarm Properties"
OLDEST = "Resources OldestDueAlarm Properties"
SILENT = "Resources PickupSilentAlarm Properties"
BODY = "Resources Dashboard Properties DashboardBody"

PLANTED = [
    ("Resources ErrorsAlarm", None, "AWS/Lambda Errors Sum FunctionName=CreateJob rings at None"),
    ("Resources ServerErrorsAlarm", None, "AWS/ApiGateway 5xx Sum ApiId=Api rings at None"),
    ("Resources MigrationsAlarm", None, "AWS/Lambda Errors Sum FunctionName=Migrate rings at None"),
    ("Resources MigrationsAlarm Properties Metrics 1", None, "MigrationsFailed Sum rings at None"),
    ("Resources MigrationsAlarm Properties Metrics 2", None, "FunctionName=Migrate rings at None"),
    ("Resources DeadLettersAlarm", None, "QueueName=EvaluationDeadLetters.QueueName rings at None"),
    ("Resources MissedTicksAlarm", None, "QueueName=PickupDeadLetters.QueueName rings at None"),
    ("Resources OldestDueAlarm", None, "OldestDueAge Maximum kind=evaluation rings at None"),
    ("Resources OldestDueAlarm Properties AlarmActions", None, "OldestDueAlarm tells nobody by AlarmActions"),
    (f"{ERRORS} OKActions", None, "ErrorsAlarm tells nobody by OKActions"),
    ("Resources NatMachineLostAlarm Properties AlarmActions 1", None, "NatMachineLostAlarm tells nobody"),
    ("Conditions TellsSomebody", {"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}, "ErrorsAlarm tells nobody"),
    (
        f"{ERRORS} OKActions Fn::If 1 0",
        "arn:aws:automate:us-east-1:ec2:stop",
        "ErrorsAlarm does more than tell",
    ),
    (f"{ERRORS} ActionsEnabled", False, "ErrorsAlarm has ActionsEnabled"),
    (f"{ERRORS} Threshold", 1_000_000, "FunctionName=CreateJob rings at > 1000000 in 1 x 300 s and not"),
    (f"{ERRORS} ComparisonOperator", "LessThanThreshold", "FunctionName=CreateJob rings at < 0"),
    (f"{ERRORS} EvaluationPeriods", 100, "FunctionName=CreateJob rings at > 0 in 100 x 300 s"),
    (f"{ERRORS} Metrics", [{}] * 12, "ErrorsAlarm has more metrics than"),
    (f"{ERRORS} Metrics 0", None, "ErrorsAlarm does not put its metrics together"),
    (
        f"{ERRORS} Metrics 1 MetricStat Metric MetricName",
        "Throttles",
        "AWS/Lambda Throttles Sum FunctionName=Authorize rings at >",
    ),
    (f"{OLDEST} Namespace", "Millrace", "OldestDueAge Maximum kind=evaluation rings at None"),
    (f"{OLDEST} MetricName", "OldestAge", "nothing counts Millrace/millrace-local OldestAge Maximum"),
    (f"{OLDEST} Dimensions", None, "nothing counts Millrace/millrace-local OldestDueAge Maximum"),
    (f"{OLDEST} Period", 300, "with rate(1 hour) Millrace/millrace-local OldestDueAge Maximum kind=eval"),
    (f"{SILENT} Period", 3600, "with rate(1 hour) AWS/Lambda Invocations Sum FunctionName=JobPickup"),
    (f"{SILENT} TreatMissingData", "notBreaching", "FunctionName=JobPickup rings at < 1 in 1 x 1800 s and"),
    (f"{OLDEST} TreatMissingData", None, "kind=evaluation rings at > 900 in 1 x 1800 s, and stays when"),
    (f"{ERRORS} Metrics 1 ReturnData", None, "ErrorsAlarm rings for more than one thing"),
    (f"{ERRORS} Metrics 1 Id", "manage", "ErrorsAlarm has metrics that CloudWatch cannot tell apart"),
    (f"{ERRORS} Metrics 1 Id", None, "ErrorsAlarm has metrics that CloudWatch cannot tell apart"),
    ("Resources NatMachineLostAlarm Condition", None, "NatMachineLostAlarm is there on the condition None"),
    (BODY, "Nothing", "the dashboard is no JSON"),
    (BODY, '{"widgets": []}', "the dashboard does not show AWS/ApiGateway 5xx ApiId Api"),
    (BODY, '{"widgets": []}', "the dashboard does not show Millrace/millrace-local JobDuration kind export"),
    (
        BODY,
        {"Fn::Sub": '{"widgets": [{"properties": {"metrics": [["Millrace/${AWS::StackName}", "Errors"]]}}]}'},
        "the dashboard shows Errors, which nothing counts",
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule):
    assert list(rule(Deployment())) == []


@pytest.mark.parametrize(("path", "value", "fault"), PLANTED)
def test_a_planted_fault_is_named(path: str, value: Any, fault: str):
    assert [found for found in faults_after(path, value, rules=RULES) if fault in found] != []


def test_what_the_code_counts_is_found():
    assert {("OldestDueAge", True), ("MigrationsFailed", False), ("JobsRefused", True)} <= counted()
    assert ("OldestDueAge", False) not in counted()


@pytest.mark.parametrize("alarm", list(Deployment().named("AWS::CloudWatch::Alarm")))
def test_whoever_is_woken_reads_what_to_do(alarm: str):
    explained = (ROOT / "docs/deploy.md").read_text().partition("## When an alarm rings")[2]

    assert any(f"`{alarm}`" in row.split("|")[1] for row in explained.splitlines() if row.startswith("|"))
