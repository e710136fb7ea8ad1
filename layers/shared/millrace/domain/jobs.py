"""What a job is: its table and that table's words, its states, and when a failed attempt is tried again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from millrace.domain.quota import EVALUATIONS, GPU_SECONDS, Meter
from millrace.errors import JobFailure

FIRST_BACKOFF_SECONDS = 30.0
LONGEST_BACKOFF_SECONDS = 900.0

# What a caller is told before anything is known: the result is there within the hour.
PROMISE = timedelta(hours=1)
# When it is worth asking again how far a live job is.
POLL_AGAIN_SECONDS = 2


@dataclass(frozen=True, slots=True)
class JobTable:
    """One kind of job: the table it is in, the words that table has for the states, and its limits."""

    kind: str
    name: str
    # What one is charged to. None: nothing is sold by the job.
    meter: Meter | None = None
    waiting: str = "pending"
    running: str = "processing"
    done: str = "completed"
    failed: str = "failed"
    cancelled: str = "cancelled"
    # What it is charged when it is accepted, and what it has then used, as SQL; None: no more and no less.
    reserved: str = "1"
    used: str | None = None
    # When set, work that is paid for was asked for, and, unless another column says so, money has been spent
    # on this attempt: a cancel then keeps the charge.
    paid_column: str = "model_called_at"
    spent_column: str | None = None
    error_columns: tuple[str, str] = ("error_code", "error_message")
    # What else belongs to an attempt, and what it is again when the next one begins.
    attempt_columns: Mapping[str, str] = field(default_factory=dict)
    # What belongs to a charge, and what it is again when a failed job is charged anew.
    round_columns: Mapping[str, str] = field(default_factory=dict)
    # A run only hands the job to a provider, where it goes on: who asks there rescues it.
    handed_over: bool = False
    # How long a worker is believed to live without a word, and how long a run may take.
    lease_seconds: int = 120
    most_seconds: int = 75

    @property
    def live(self) -> tuple[str, str]:
        return (self.waiting, self.running)


EVALUATION = JobTable(kind="evaluation", name="ai_evaluation_jobs", meter=EVALUATIONS)
EXPORT = JobTable(
    kind="export",
    name="export_jobs",
    meter=GPU_SECONDS,
    reserved="job.gpu_seconds_reserved",
    used="COALESCE(job.gpu_seconds, job.gpu_seconds_reserved)",
    done="complete",
    failed="error",
    paid_column="submitted_at",
    spent_column="gpu_started_at",
    error_columns=("error_code", "error"),
    attempt_columns={
        "progress": "0",
        "runpod_job_id": "NULL",
        "provider_deadline_at": "NULL",
        "gpu_started_at": "NULL",
    },
    round_columns={"gpu_seconds": "NULL"},
    handed_over=True,
)

JOB_TABLES: Mapping[str, JobTable] = {table.kind: table for table in (EVALUATION, EXPORT)}


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was claimed. `attempt` is the fencing token: it names this claim among all of the job's."""

    id: str
    tenant_id: str
    attempt: int
    retry_count: int
    max_retries: int
    row: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Job":
        return cls(
            id=row["id"],
            tenant_id=row["tenant_id"],
            attempt=row["attempt"],
            retry_count=row["retry_count"],
            max_retries=row["max_retries"],
            row=row,
        )


def retry_at(error: JobFailure, *, retry_count: int, now: datetime, jitter: float) -> datetime:
    """Exponential backoff with full jitter (0 to 1), and within reason no sooner than the failure asks."""
    ceiling = min(FIRST_BACKOFF_SECONDS * 2**retry_count, LONGEST_BACKOFF_SECONDS)
    asked = error.retry_after_seconds or 0
    if not isfinite(asked):
        asked = 0
    return now + timedelta(seconds=min(max(ceiling * jitter, asked), LONGEST_BACKOFF_SECONDS))
