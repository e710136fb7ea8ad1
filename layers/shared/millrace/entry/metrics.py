"""What is counted: CloudWatch metrics, written as embedded metric lines, from a closed list."""

from typing import Literal

from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "Millrace"

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
}


def count(metric: Metric, value: float = 1, *, kind: str | None = None) -> None:
    """Write one embedded metric line. `kind` is its only dimension: alarms have few series to watch."""
    if metric not in UNITS:
        raise ValueError(f"{metric!r} is not in the list of metrics")
    dimensions = {"kind": kind} if kind else None
    with single_metric(metric, UNITS[metric], value, namespace=NAMESPACE, default_dimensions=dimensions):
        pass  # The line is written as the block ends.
