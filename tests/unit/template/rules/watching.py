"""Somebody is told: of errors, of what could not be delivered, of what waits, of migrations that failed."""

import re
from collections.abc import Iterator
from typing import Any

from millrace.domain.jobs import JOB_TABLES
from tests.unit.template.counted import counted
from tests.unit.template.deployment import Deployment
from tests.unit.template.rules.rounds import seconds_of

# CloudWatch takes no more into one alarm.
MOST_METRICS = 10
MACHINE = "AWS/EC2 StatusCheckFailed"
OURS = "Millrace/millrace-local"
SOMEBODY = {"AlarmEmail": "somebody@example.com"}
SILENCES = {
    "breaching": ", or when nothing comes",
    "notBreaching": "",
    None: ", and stays when nothing comes",
}
REMEDIES = {f"arn:aws:automate:us-east-1:ec2:{one}" for one in ("recover", "reboot")}
SIGNS = {"GreaterThanThreshold": ">", "LessThanThreshold": "<"}
SAID = {
    "AlarmDescription", "AlarmActions", "OKActions", "Namespace", "MetricName", "Dimensions", "Statistic",
    "Period", "EvaluationPeriods", "ComparisonOperator", "Threshold", "TreatMissingData", "Metrics",
}  # fmt: skip

# What is watched, and what sets it off.
Watch = dict[str, str]


def other_alarms(deployment: Deployment) -> Iterator[str]:
    """Each series that matters raises an alarm, at the value and after the time that are meant."""
    for rate in deployment.document["Parameters"]["PickupRate"].get("AllowedValues", ["rate(1 day)"]):
        chosen = deployment.given({"PickupRate": rate})
        found, wanted = dict(watched(chosen)), wanted_watch(chosen, rate)
        for series in sorted(found.keys() | wanted.keys()):
            if found.get(series) != wanted.get(series):
                yield f"with {rate} {series} rings at {found.get(series)} and not at {wanted.get(series)}"


def wanted_watch(deployment: Deployment, rate: str) -> Watch:
    errors = {f"AWS/Lambda Errors Sum FunctionName={one}": "> 0 in 1 x 300 s" for one in deployment.functions}
    letters = {
        f"AWS/SQS ApproximateNumberOfMessagesVisible Maximum QueueName={one}.QueueName": "> 0 in 1 x 300 s"
        for one in deployment.named("AWS::SQS::Queue")
        if one.endswith("DeadLetters") and one != "PickupDeadLetters"
    }
    # Twice the rate, as in one period there may be no tick.
    rounds = 7200 if seconds_of(rate) > 900 else 1800
    ages = {f"{OURS} OldestDueAge Maximum kind={kind}": f"> 900 in 1 x {rounds} s" for kind in JOB_TABLES}
    return errors | letters | ages | {
        f"{OURS} MigrationsFailed Sum": "> 0 in 1 x 300 s",
        "AWS/ApiGateway 5xx Sum ApiId=Api": "> 0 in 1 x 300 s",
        "AWS/SQS NumberOfMessagesSent Sum QueueName=PickupDeadLetters.QueueName": "> 0 in 1 x 300 s",
        "AWS/Lambda Invocations Sum FunctionName=JobPickup": f"< 1 in 1 x {rounds} s, or when nothing comes",
        f"{MACHINE}_System Maximum InstanceId=NatMachine": f"> 0 in 2 x 60 s{SILENCES[None]}",
        f"{MACHINE}_Instance Maximum InstanceId=NatMachine": f"> 0 in 3 x 60 s{SILENCES[None]}",
    }  # fmt: skip


def watched(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Every series of every alarm, in the words of the table."""
    for name in deployment.named("AWS::CloudWatch::Alarm"):
        alarm = deployment.resolve(deployment.properties(name))
        limit = f"{SIGNS.get(alarm['ComparisonOperator'])} {alarm['Threshold']}"
        silence = SILENCES[alarm.get("TreatMissingData")]
        for metric in series_of(alarm):
            named = (f"{one['Name']}={one['Value']}" for one in metric.get("Dimensions", []))
            words = (metric["Namespace"], metric["MetricName"], metric["Stat"], *named)
            yield " ".join(words), f"{limit} in {alarm['EvaluationPeriods']} x {metric['Period']} s{silence}"


def series_of(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Metrics" not in alarm:
        yield {**alarm, "Stat": alarm["Statistic"]}
    for one in alarm.get("Metrics", []):
        if "MetricStat" in one:
            yield {**one["MetricStat"]["Metric"], **one["MetricStat"]}


def quiet_alarms(deployment: Deployment) -> Iterator[str]:
    """Each tells somebody, if there is somebody, when it begins and when it is over."""
    for name in deployment.named("AWS::CloudWatch::Alarm"):
        alarm = deployment.properties(name)
        for when in ("AlarmActions", "OKActions"):
            told = deployment.given(SOMEBODY).resolve(alarm.get(when)) or []
            if "Alarms" not in told:
                yield f"{name} tells nobody by {when}"
            if "Alarms" in (deployment.given({}).resolve(alarm.get(when)) or []):
                yield f"{name} tells of {when} when nobody asked to be told"
            for action in sorted(set(told) - REMEDIES - {"Alarms"}):
                yield f"{name} does more than tell: {action}"


def odd_alarms(deployment: Deployment) -> Iterator[str]:
    """Each is there as long as what it watches, and watches one thing."""
    for name in deployment.named("AWS::CloudWatch::Alarm"):
        alarm = deployment.properties(name)
        yield from (f"{name} has {one}" for one in sorted(alarm.keys() - SAID))
        yield from (f"{name} {fault}" for fault in odd_sums(alarm.get("Metrics", [])))
        is_there = "NatInstance" if "NatMachine" in str(alarm.get("Dimensions")) else None
        if deployment.resources[name].get("Condition") != is_there:
            yield f"{name} is there on the condition {deployment.resources[name].get('Condition')}"
        if "Metrics" in alarm and "MetricName" in alarm:
            yield f"{name} watches one metric beside a sum"


def odd_sums(metrics: list[dict[str, Any]]) -> Iterator[str]:
    """Several metrics are put together into one, each under a name of its own."""
    if len(metrics) > MOST_METRICS + 1:
        yield "has more metrics than CloudWatch takes"
    if any(one.get("ReturnData") is not False for one in metrics if "MetricStat" in one):
        yield "rings for more than one thing"
    ids = [str(one.get("Id")) for one in metrics]
    if len(set(ids)) < len(ids) or not all(re.fullmatch("[a-z][a-z0-9_]*", one) for one in ids):
        yield f"has metrics that CloudWatch cannot tell apart: {ids}"
    if metrics and [one["Expression"] for one in metrics if "Expression" in one] != ["SUM(METRICS())"]:
        yield "does not put its metrics together"


def never_counted(deployment: Deployment) -> Iterator[str]:
    """What alarms watch in our namespace is what the code counts, with a kind where it has one."""
    for series, _ in watched(deployment):
        namespace, metric, _, *named = series.split(" ")
        has_kind = any(one.startswith("kind=") for one in named)
        if namespace == OURS and (metric, has_kind) not in counted():
            yield f"nothing counts {series}"


RULES = (other_alarms, quiet_alarms, odd_alarms, never_counted)
