"""Requests and answers of the evaluation routes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from millrace.domain.estimates import estimate_completion
from millrace.domain.limits import LimitLeft, limits_left
from millrace.domain.parameters import Digits
from millrace.domain.quota import EVALUATIONS, Meter, warn
from millrace.domain.spending import warn_of_spending
from millrace.errors import JobFailure


def transient_kinds(failure: type[JobFailure]) -> Iterator[str]:
    """The names of those of its kinds, and of their kinds, that may pass by themselves."""
    for kind in failure.__subclasses__():
        if kind.transient:
            yield kind.__name__
        yield from transient_kinds(kind)


Status = Literal["pending", "processing", "completed", "failed", "cancelled"]
Recommendation = Literal["approve", "approve_with_conditions", "approve_with_verification", "reject"]

Wait = Annotated[
    int,
    Field(
        ge=0,
        description=(
            "For how many seconds the answer may be held until the job's status or progress changes. Where "
            "holding is switched off, and beyond what is held at most, it comes sooner."
        ),
    ),
    Digits,
]
OfStatus = Annotated[Status | None, Field(description="Only jobs of this status.")]
OfLead = Annotated[
    str | None,
    Field(description="Only jobs of this lead.", min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$"),
]

# Failures after which another try may end well without anybody changing anything.
WORTH_A_RETRY = frozenset(transient_kinds(JobFailure))


class Model(BaseModel, defer_build=True):
    """Made ready when it is first used: no function uses all of them."""


class CreateEvaluation(Model):
    """Ask for a lead to be judged. Without a body: once, by the default model."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())

    force_refresh: bool = Field(default=False, description="Judge again although there is a result.")
    model_version: str = Field(
        default="auto", min_length=1, max_length=120, description="A configured model, or `auto`."
    )


class AcceptedJob(Model):
    job_id: str
    lead_id: str
    status: Literal["pending"]
    requested_at: datetime
    estimated_completion: datetime


class MonthlyUsage(Model):
    meter: ClassVar[Meter] = EVALUATIONS

    remaining: int
    limit: int
    month: str
    warning: str | None = Field(default=None, description="A sentence, from 80 percent on.")
    spend_warning: str | None = Field(
        default=None, description="Of what may be spent today, where the job costs money, from 80 percent on."
    )
    limits: list[LimitLeft] | None = Field(
        default=None, description="Limits of the key's user, where there are any for this kind of job."
    )

    @classmethod
    def of(cls, facts: Mapping[str, Any], *, at: datetime) -> Self:
        used, limit, month = facts["used"], facts["limit"], facts["month"]
        return cls(
            remaining=max(limit - used, 0),
            limit=limit,
            month=month,
            warning=warn(cls.meter, used=used, limit=limit, period=month),
            spend_warning=warn_of_spending(facts, at=at),
            limits=limits_left(facts, at=at),
        )


class EvaluationAccepted(Model):
    """The job has an id and will be done."""

    data: AcceptedJob
    usage: MonthlyUsage

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "EvaluationAccepted":
        """From what the creating batch wrote down, so that a repeat is answered with the same words."""
        usage = MonthlyUsage.of(facts, at=datetime.fromisoformat(facts["accepted_at"]))
        return cls.model_validate({"data": facts, "usage": usage})


class EvaluationView(Model):
    """The judgement of this job."""

    model_config = ConfigDict(protected_namespaces=())

    id: str
    score: int
    label: Literal["A", "B", "C"]
    recommendation: Recommendation
    summary: str
    risk_flags: list[str]
    fraud_signals: list[str]
    score_breakdown: list[dict[str, Any]]
    warnings: list[str]
    evaluated_at: datetime
    model_version: str


class EvaluationJob(Model):
    """A job as it stands."""

    job_id: str
    lead_id: str
    status: Status
    requested_at: datetime
    estimated_completion: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    progress_message: str | None = None
    duration_ms: int | None = None
    evaluation: EvaluationView | None = None
    error_code: str | None = None
    error_message: str | None = None
    can_retry: bool | None = Field(
        default=None,
        description=(
            "Whether `POST …/retry` takes it: its lead is there, and its model is still configured. Where "
            "nothing else has changed since, such as the documents, it may well fail again."
        ),
    )
    retry_count: int | None = None
    max_retries: int | None = None

    @classmethod
    def of(
        cls,
        row: Mapping[str, Any],
        *,
        models: Sequence[str],
        now: datetime,
        durations: Sequence[timedelta] = (),
    ) -> "EvaluationJob":
        """From the job's row and its evaluation's. Each state tells what is of use in it.

        `models`: those that are configured. `durations`: what the latest jobs took, to say when a live one
        will be done.
        """
        status, started_at, completed_at = row["status"], row["started_at"], row["completed_at"]
        told = {name: row[name] for name in ("lead_id", "status", "requested_at")}
        if status in ("pending", "processing"):
            told["estimated_completion"] = estimate_completion(
                requested_at=row["requested_at"], due_at=row["run_after"], durations=durations, now=now
            )
            told["progress_message"] = row["progress_message"]
        else:
            told["completed_at"] = completed_at
        if status != "pending" and started_at:
            told["started_at"] = started_at
            told["duration_ms"] = ((completed_at or now) - started_at) // timedelta(milliseconds=1)
        if status == "completed":
            told["evaluation"] = {**row, "id": row["evaluation_id"], "model_version": row["judged_by"]}
        if status == "failed":
            names = ("error_code", "error_message", "retry_count", "max_retries")
            told |= {name: row[name] for name in names}
            told["can_retry"] = row["lead_deleted_at"] is None and row["model_version"] in models
        return cls.model_validate({"job_id": row["id"], **told})


class EvaluationJobAnswer(Model):
    data: EvaluationJob


class EvaluationJobList(Model):
    """The newest first."""

    data: list[EvaluationJob]
    next_cursor: str | None = None
