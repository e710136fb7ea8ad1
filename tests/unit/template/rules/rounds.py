"""Doorbells and the schedule: what is rung for comes in time, alone and once, and lets a database sleep."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from local.intrinsics import Resolver
from millrace.bindings.queue import LONGEST_DELAY_SECONDS
from millrace.domain.jobs import JOB_TABLES
from tests.unit.template.deployment import Deployment, referred
from tests.unit.template.parameters import accepts

UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
ZEROS = ("0", "0.0", "0.00", "00", "-0", "+0", ".0", "0.", "0e0", " 0")
DAY = 86_400
FORTNIGHT = 14 * DAY
LISTENING = {"Queue", "BatchSize", "FunctionResponseTypes", "ScalingConfig"}


def short_visibilities(deployment: Deployment) -> Iterator[str]:
    """A message stays away for six times its consumer's time, comes alone, and does not pile up."""
    for function, event in deployment.events("SQS"):
        queue = str(referred(event["Queue"]))
        properties = deployment.properties(queue)
        timeout = deployment.setting(function, "Timeout")
        if properties.get("VisibilityTimeout", 30) < 6 * timeout:
            yield f"{queue} hides a message for less than six times {function}'s {timeout} s"
        if properties.get("RedrivePolicy", {}).get("maxReceiveCount") != 5:
            yield f"{queue} does not give up after 5 deliveries"
        life = LONGEST_DELAY_SECONDS + 5 * properties.get("VisibilityTimeout", 30)
        if not life < properties.get("MessageRetentionPeriod", 345_600) <= life + 600:
            yield f"{queue} does not keep a message for its {life} s and little more"
        if event.get("BatchSize") != 1 or event.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{function} is not given messages of {queue} one by one, or cannot give one back"
        if "MaximumConcurrency" not in event.get("ScalingConfig", {}):
            yield f"{function} runs as often as {queue} is long"


def odd_queues(deployment: Deployment) -> Iterator[str]:
    """Encrypted, without a delay; dead letters are kept as long as can be; nothing rung is passed over."""
    for name in deployment.named("AWS::SQS::Queue"):
        queue = deployment.properties(name)
        known = {"MessageRetentionPeriod", "SqsManagedSseEnabled"}
        if name.endswith("Doorbell"):
            known |= {"VisibilityTimeout", "RedrivePolicy"}
        yield from (f"{name} has {one}" for one in sorted(queue.keys() - known))
        if queue.get("SqsManagedSseEnabled") is not True:
            yield f"{name} is not encrypted"
        longest = FORTNIGHT if name.endswith("DeadLetters") and name != "PickupDeadLetters" else 0
        if queue.get("MessageRetentionPeriod", 0) < longest:
            yield f"{name} forgets before anybody has read it"
    for function, event in deployment.events("SQS"):
        if event.keys() != LISTENING or event["ScalingConfig"].keys() != {"MaximumConcurrency"}:
            yield f"{function} listens to {referred(event['Queue'])} by {sorted(event)}"
            continue
        limit = str(referred(event["ScalingConfig"]["MaximumConcurrency"]))
        # SQS takes no less than two.
        if deployment.document["Parameters"].get(limit, {}).get("MinValue") != 2:
            yield f"{function} may be limited by {limit} to less than Lambda takes, or to anything"


def missing_doorbells(deployment: Deployment) -> Iterator[str]:
    """Every kind of job has a queue of its own that is listened to."""
    heard = {referred(event["Queue"]) for _, event in deployment.events("SQS")}
    bells = {f"{kind.title()}Doorbell" for kind in JOB_TABLES}
    yield from (f"there is no {bell} that is listened to" for bell in sorted(bells - heard))
    yield from (f"nobody knows the kind of {queue}" for queue in sorted(heard - bells, key=str))


def wrong_schedules(deployment: Deployment) -> Iterator[str]:
    """At least a minute apart, on time, and with somewhere for what could not be delivered."""
    for function, event in deployment.events("ScheduleV2"):
        if seconds_of(deployment.resolve(event["ScheduleExpression"])) < 60:
            yield f"{function} is not run at a rate of a minute or more"
        if event.get("FlexibleTimeWindow", {}).get("Mode") != "OFF":
            yield f"{function} may be run late"
        if "RetryPolicy" not in event or "DeadLetterConfig" not in event:
            yield f"{function}'s schedule forgets what fails"


def kept_ticks(deployment: Deployment) -> Iterator[str]:
    """A missed tick is worth nothing after the next: it goes by itself, and what tells of it falls silent."""
    for function, event in deployment.events("ScheduleV2"):
        letters = str(referred(event.get("DeadLetterConfig", {}).get("Arn")))
        if deployment.properties(letters).get("MessageRetentionPeriod", 345_600) > DAY:
            yield f"{letters} keeps {function}'s ticks for more than a day"
        for name in deployment.named("AWS::CloudWatch::Alarm"):
            told = str(deployment.properties(name))
            if "ApproximateNumberOfMessages" in told and f"['{letters}', 'QueueName']" in told:
                yield f"{name} stays on for as long as a missed tick lies in {letters}"


def restless_databases(deployment: Deployment) -> Iterator[str]:
    """Whatever the template accepts: a database that may pause is left alone for longer than it waits to."""
    idle = int(deployment.properties("DatabaseSettings")["Parameters"]["idle_session_timeout"]) / 1000
    wait = deployment.document["Parameters"]["PauseAfterSeconds"]["MaxValue"]
    rates = deployment.document["Parameters"]["PickupRate"].get("AllowedValues", ["rate(1 minute)"])
    for least, rate in product(ZEROS, rates):
        given = {"DatabaseMinCapacity": least, "PickupRate": rate, "PauseAfterSeconds": str(wait)}
        if accepts(deployment.document, given) and seconds_of(rate) <= wait + idle:
            yield f"a minimum of {least} with {rate} never lets the database pause"
        if accepts(deployment.document, given) and not pauses(deployment.document, given):
            yield f"a minimum of {least} is a pause that nobody hears of"


def seconds_of(rate: str) -> int:
    """0 for what is not a rate of minutes, hours or days."""
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", rate)
    return int(found[1]) * UNIT_SECONDS[found[2]] if found else 0


def pauses(document: dict[str, Any], given: dict[str, str]) -> bool:
    return Resolver(document, parameters=given).holds("Pauses")


RULES = (
    short_visibilities, odd_queues, missing_doorbells, wrong_schedules, kept_ticks, restless_databases,
)  # fmt: skip
