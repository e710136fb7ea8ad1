"""The dashboard can be drawn, and draws what there is."""

import json
from collections.abc import Iterator

from tests.unit.template.counted import counted
from tests.unit.template.deployment import Deployment
from tests.unit.template.rules.watching import OURS

SHOWN = (
    "AWS/ApiGateway Count", "AWS/ApiGateway 4xx", "AWS/ApiGateway 5xx", "AWS/ApiGateway Latency",
    "AWS/SQS ApproximateNumberOfMessagesVisible", "AWS/RDS ServerlessDatabaseCapacity",
    "AWS/RDS DatabaseConnections", "AWS/Lambda ConcurrentExecutions", f"{OURS} OldestDueAge",
    f"{OURS} JobDuration", f"{OURS} Faults",
)  # fmt: skip


def empty_dashboards(deployment: Deployment) -> Iterator[str]:
    try:
        widgets = json.loads(deployment.resolve(deployment.properties("Dashboard")["DashboardBody"]))
        shown = [name for one in widgets["widgets"] for name in names_in(one["properties"]["metrics"])]
    except (ValueError, KeyError) as error:
        yield f"the dashboard is no JSON that CloudWatch draws: {error!r}"
        return
    yield from (f"the dashboard does not show {one}" for one in SHOWN if one not in shown)
    for namespace, _, metric in (one.partition(" ") for one in shown):
        if namespace == OURS and metric not in {name for name, _ in counted()}:
            yield f"the dashboard shows {metric}, which nothing counts"


def names_in(metrics: list[list[object]]) -> Iterator[str]:
    """Namespace and metric of each line. A dot stands for what the line before has there."""
    before = ["", ""]
    for line in metrics:
        if isinstance(line[0], str) and line[0] != "...":
            before = [str(old if new == "." else new) for old, new in zip(before, line, strict=False)]
            yield " ".join(before)


RULES = (empty_dashboards,)
