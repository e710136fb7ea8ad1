"""The dashboard can be drawn, and draws what there is, of every kind of job."""

import json
from collections.abc import Iterator
from itertools import chain, repeat

from millrace.domain.jobs import JOB_TABLES
from tests.unit.template.counted import counted
from tests.unit.template.deployment import Deployment
from tests.unit.template.rules.watching import OURS

QUEUED = "AWS/SQS ApproximateNumberOfMessagesVisible QueueName"
SHOWN = (
    "AWS/ApiGateway Count ApiId Api", "AWS/ApiGateway 4xx ApiId Api", "AWS/ApiGateway 5xx ApiId Api",
    "AWS/ApiGateway Latency ApiId Api", f"{QUEUED} PickupDeadLetters.QueueName",
    "AWS/RDS ServerlessDatabaseCapacity DBClusterIdentifier Database",
    "AWS/RDS DatabaseConnections DBClusterIdentifier Database",
    "AWS/Lambda ConcurrentExecutions FunctionName RunJob", f"{OURS} Faults",
)  # fmt: skip
SHOWN_BY_KIND = (
    f"{OURS} OldestDueAge kind {{kind}}", f"{OURS} JobDuration kind {{kind}}",
    f"{QUEUED} {{Kind}}Doorbell.QueueName", f"{QUEUED} {{Kind}}DeadLetters.QueueName",
)  # fmt: skip


def empty_dashboards(deployment: Deployment) -> Iterator[str]:
    try:
        widgets = json.loads(deployment.resolve(deployment.properties("Dashboard")["DashboardBody"]))
        shown = [name for one in widgets["widgets"] for name in series_in(one["properties"]["metrics"])]
    except (ValueError, KeyError) as error:
        yield f"the dashboard is no JSON that CloudWatch draws: {error!r}"
        return
    by_kind = [one.format(kind=kind, Kind=kind.title()) for one in SHOWN_BY_KIND for kind in JOB_TABLES]
    yield from (f"the dashboard does not show {one}" for one in (*SHOWN, *by_kind) if one not in shown)
    for namespace, metric, *_ in (one.split(" ") for one in shown):
        if namespace == OURS and metric not in {name for name, _ in counted()}:
            yield f"the dashboard shows {metric}, which nothing counts"


def series_in(metrics: list[list[object]]) -> Iterator[str]:
    """Each line's words. A dot stands for what the line before has there, three for all it has before."""
    before: list[str] = []
    for line in metrics:
        words = [one for one in line if isinstance(one, str)]
        if words[:1] == ["..."]:
            words = before[: len(before) - len(words) + 1] + words[1:]
        before = [
            old if new == "." else new for old, new in zip(chain(before, repeat("")), words, strict=False)
        ]
        if before:
            yield " ".join(before)


RULES = (empty_dashboards,)
