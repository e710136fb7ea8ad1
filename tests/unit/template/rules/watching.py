"""Somebody is told: of errors, of what could not be delivered, of what waits, of migrations that failed."""

from collections.abc import Iterator

from millrace.domain.jobs import JOB_TABLES
from tests.unit.template.deployment import Deployment
from tests.unit.template.rules.rounds import seconds_of

# CloudWatch takes no more into one alarm.
MOST_METRICS = 10


def unwatched(deployment: Deployment) -> Iterator[str]:
    """Every function's errors, every queue of dead letters and every kind's oldest job raise an alarm."""
    alarms = {name: deployment.properties(name) for name in deployment.named("AWS::CloudWatch::Alarm")}
    text = str(alarms)
    errors = str([alarms.get("ErrorsAlarm"), alarms.get("MigrationsAlarm")])
    for function in deployment.functions:
        if f"'FunctionName', 'Value': {{'Ref': '{function}'}}" not in errors:
            yield f"nobody hears of the errors of {function}"
    for queue in deployment.named("AWS::SQS::Queue"):
        if queue.endswith("DeadLetters") and f"['{queue}', 'QueueName']" not in text:
            yield f"nobody hears of {queue}"
    for kind in JOB_TABLES:
        if f"'kind', 'Value': '{kind}'" not in text:
            yield f"nobody hears of an old job of the kind {kind}"
    for name, alarm in alarms.items():
        if "'Alarms'" not in str(alarm.get("AlarmActions")):
            yield f"{name} tells nobody"
        if len(alarm.get("Metrics", [])) > MOST_METRICS + 1:
            yield f"{name} has more metrics than CloudWatch takes"


def silent_failures(deployment: Deployment) -> Iterator[str]:
    """Migrations fail by saying so and by saying nothing. The pickup's silence outlasts its slowest rate."""
    told = str(deployment.properties("MigrationsAlarm").get("Metrics"))
    for metric in ("MigrationsFailed", "Errors"):
        if metric not in told:
            yield f"no alarm counts {metric} of Migrate"
    alarm = deployment.properties("PickupSilentAlarm")
    rates = deployment.document["Parameters"]["PickupRate"].get("AllowedValues", ["rate(1 day)"])
    if alarm.get("Period", 0) * alarm.get("EvaluationPeriods", 0) < 2 * max(map(seconds_of, rates)):
        yield "a pickup that runs as it should is called silent"


RULES = (unwatched, silent_failures)
