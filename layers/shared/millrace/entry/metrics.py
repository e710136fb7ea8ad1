"""What is counted: CloudWatch metrics, written as embedded metric lines, from a closed list."""

import json
import sys
from contextvars import ContextVar
from typing import Literal

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.metric import SingleMetric

Metric = Literal[
    "JobsCreated",
    "JobsRefused",
    "JobsCompleted",
    "JobsRetried",
    "JobsFailed",
    "JobsRescued",
    "JobDuration",
    "OldestDueAge",
    "CallersRefused",
    "Faults",
    "MigrationsFailed",
]
UNITS: dict[str, MetricUnit] = {
    "JobsCreated": MetricUnit.Count,
    "JobsRefused": MetricUnit.Count,
    "JobsCompleted": MetricUnit.Count,
    "JobsRetried": MetricUnit.Count,
    "JobsFailed": MetricUnit.Count,
    "JobsRescued": MetricUnit.Count,
    "JobDuration": MetricUnit.Seconds,
    "OldestDueAge": MetricUnit.Seconds,
    "CallersRefused": MetricUnit.Count,
    "Faults": MetricUnit.Count,
    "MigrationsFailed": MetricUnit.Count,
}

# Each stack has its own, or the alarms of one would watch the jobs of another. Kept per context, since the
# local cloud and the tests run many invocations at once.
_namespace: ContextVar[str | None] = ContextVar("namespace", default="Millrace")


def set_namespace(name: str | None) -> None:
    """None: nobody collects metrics, so none are written."""
    _namespace.set(name)


def count(metric: Metric, value: float = 1, *, kind: str | None = None) -> None:
    """Write one embedded metric line. `kind` is its only dimension: alarms have few series to watch."""
    if metric not in UNITS:
        raise ValueError(f"{metric!r} is not in the list of metrics")
    namespace = _namespace.get()
    if namespace is None:
        return
    one = SingleMetric(namespace=namespace)
    one.add_metric(metric, UNITS[metric], value)
    if kind:
        one.add_dimension("kind", kind)
    # In one piece: Powertools' own single_metric prints the line and its end apart, and threads come between.
    sys.stdout.write(json.dumps(one.serialize_metric_set(), separators=(",", ":")) + "\n")
