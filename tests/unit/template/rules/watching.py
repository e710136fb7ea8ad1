"""Somebody is told: of errors, of what could not be delivered, of what waits, of migrations that failed."""

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


def odd_alarms(deployment: Deployment) -> Iterator[str]:
    """Each tells somebody, if there is somebody, when it begins and when it is over."""
    for name in deployment.named("AWS::CloudWatch::Alarm"):
        alarm = deployment.properties(name)
        for when in ("AlarmActions", "OKActions"):
            if "Alarms" not in (deployment.given(SOMEBODY).resolve(alarm.get(when)) or []):
                yield f"{name} tells nobody by {when}"
            if "Alarms" in (deployment.given({}).resolve(alarm.get(when)) or []):
                yield f"{name} tells of {when} when nobody asked to be told"
        yield from (f"{name} has {one}" for one in sorted(alarm.keys() - SAID))
        if len(alarm.get("Metrics", [])) > MOST_METRICS + 1:
            yield f"{name} has more metrics than CloudWatch takes"
        sums = [one["Expression"] for one in alarm.get("Metrics", []) if "Expression" in one]
        if any(one.get("ReturnData") is not False for one in alarm.get("Metrics", []) if "MetricStat" in one):
            yield f"{name} rings for more than one thing"
        is_there = "NatInstance" if "NatMachine" in str(alarm.get("Dimensions")) else None
        if deployment.resources[name].get("Condition") != is_there:
            yield f"{name} is there on the condition {deployment.resources[name].get('Condition')}"
        if sums not in ([], ["SUM(METRICS())"], ["MAX(METRICS())"]) or ("Metrics" in alarm) != bool(sums):
            yield f"{name} does not put its metrics together"


def never_counted(deployment: Deployment) -> Iterator[str]:
    """What alarms watch in our namespace is what the code counts, with a kind where it has one."""
    for series, _ in watched(deployment):
        namespace, metric, _, *named = series.split(" ")
        has_kind = any(one.startswith("kind=") for one in named)
        if namespace == OURS and (metric, has_kind) not in counted():
            yield f"nothing counts {series}"


RULES = (other_alarms, odd_alarms, never_counted)
