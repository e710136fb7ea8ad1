"""How a job's attempt ended, for the log and for the counters."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from millrace.entry.logs import LogEvent, log, log_fault
from millrace.entry.metrics import Metric, count
from millrace.errors import GpuUnknown, JobFailure, SpendLimitReached

EVENTS: Mapping[str, LogEvent] = {
    "completed": "job_completed",
    "submitted": "job_submitted",
    "unknown": "job_unknown",
    "retried": "job_retried",
    "failed": "job_failed",
    "released": "job_released",
    "waiting": "job_waiting",
    "overtaken": "job_overtaken",
}
METRICS: Mapping[str, Metric] = {
    "completed": "JobsCompleted",
    "retried": "JobsRetried",
    "failed": "JobsFailed",
}


class ClaimedJob(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def attempt(self) -> int: ...

    @property
    def row(self) -> Mapping[str, Any]: ...


class Ending(Protocol):
    """What the runner says of an attempt."""

    @property
    def job(self) -> ClaimedJob: ...

    @property
    def state(self) -> str: ...

    @property
    def failure(self) -> JobFailure | GpuUnknown | SpendLimitReached | None: ...


def report(ending: Ending, *, kind: str, now: datetime) -> None:
    """Log and count one ending. The cause of a failure that nobody foresaw is logged with its trace."""
    job, failure = ending.job, ending.failure
    seconds = (now - job.row["started_at"]).total_seconds()
    log(
        EVENTS[ending.state],
        kind=kind,
        job_id=job.id,
        attempt=job.attempt,
        duration_ms=round(seconds * 1000),
        code=type(failure).__name__ if failure else None,
    )
    if failure and failure.__cause__:
        log_fault(failure.__cause__)
    if ending.state in METRICS:
        count(METRICS[ending.state], kind=kind)
    if ending.state == "completed":
        count("JobDuration", seconds, kind=kind)
