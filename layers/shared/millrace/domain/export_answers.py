"""Answers about exports: accepted, as they stand, and what has happened to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from millrace.domain.evaluations import WORTH_A_RETRY, Model, MonthlyUsage
from millrace.domain.export_requests import estimate_end
from millrace.domain.exports import ExportType
from millrace.domain.jobs import EXPORT
from millrace.domain.quota import GPU_SECONDS

LINK_SECONDS = 3_600

ExportStatus = Literal["pending", "processing", "complete", "error", "cancelled"]

ID = r"^[\x21-\x7e]+$"
OfProject = Annotated[
    str | None, Field(description="Only exports of this project.", min_length=1, max_length=128, pattern=ID)
]
OfUser = Annotated[
    str | None,
    Field(description="Only exports of this person's projects.", min_length=1, max_length=128, pattern=ID),
]
OfStatus = Annotated[ExportStatus | None, Field(description="Only exports of this status.")]
Active = Annotated[
    Literal["true", "false"], Field(description="With `true`, only exports that wait or are being rendered.")
]


class AcceptedExport(Model):
    job_id: str
    status: Literal["pending"]
    created_at: datetime
    estimated_completion: datetime


class GpuUsage(MonthlyUsage):
    """GPU seconds of the tenant's month. What is under way counts as it was estimated."""

    meter = GPU_SECONDS


class ExportAccepted(Model):
    """The job has an id and will be done."""

    data: AcceptedExport
    usage: GpuUsage

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Self:
        """From what the creating batch wrote down, so that a repeat is answered with the same words."""
        accepted_at = datetime.fromisoformat(facts["accepted_at"])
        end = estimate_end(due_at=accepted_at, gpu_seconds=facts["gpu_seconds"], now=accepted_at)
        usage = GpuUsage.of(facts, at=accepted_at)
        return cls.model_validate({"data": {**facts, "estimated_completion": end}, "usage": usage})


class ListedExport(Model):
    """An export as it stands, without what takes room."""

    job_id: str
    project_id: str
    type: ExportType
    status: ExportStatus
    progress: int = Field(ge=0, le=100)
    progress_message: str | None = None
    input_video_key: str
    created_at: datetime
    estimated_completion: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error_code: str | None = None
    error: str | None = None
    can_retry: bool | None = Field(default=None, description="Whether the same may end well another time.")
    retry_count: int
    gpu_seconds: int | None = Field(default=None, description="What it took.")

    @classmethod
    def of(cls, row: Mapping[str, Any], *, now: datetime, **more: Any) -> Self:
        """From the job's row. Each state tells what is of use in it."""
        told = dict(row) | {"job_id": row["id"]} | more
        if row["status"] in EXPORT.live:
            told["estimated_completion"] = estimate_end(
                due_at=row["started_at"] or row["run_after"],
                gpu_seconds=row["gpu_seconds_reserved"],
                now=now,
            )
        if row["status"] == EXPORT.failed:
            told["can_retry"] = row["error_code"] in WORTH_A_RETRY
        else:
            # What the attempt before ended with is for the timeline.
            told |= {"error_code": None, "error": None}
        return cls.model_validate(told)


class Export(ListedExport):
    """An export with all that is known of it."""

    params: dict[str, Any]
    max_retries: int
    output_video_key: str | None = None
    output_url: str | None = None
    output_expires_at: datetime | None = None
    clips_url: str | None = Field(default=None, description="Of `annotate`: the list of clips, as TSV.")


class ExportAnswer(Model):
    data: Export


class ExportList(Model):
    """The newest first."""

    data: list[ListedExport]
    next_cursor: str | None = None


class ExportEvent(Model):
    """One thing that happened to an export."""

    at: datetime
    what: str = Field(description="The move, such as `create`, `claim`, `complete`, `fail` or `cancel`.")
    attempt: int
    status: str | None = Field(default=None, description="What the job was after it, where the move says.")
    error_code: str | None = None
    by: str | None = Field(default=None, description="The person, as the calling system knows them.")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Of the detail, only what is the caller's business."""
        detail = row["detail"]
        return cls(
            at=row["created_at"],
            what=row["move"],
            attempt=row["attempt"],
            status=detail.get("status"),
            error_code=detail.get("error_code"),
            by=detail.get("person"),
        )


class ExportEventList(Model):
    """The newest first."""

    data: list[ExportEvent]
    next_cursor: str | None = None

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], *, next_cursor: str | None) -> Self:
        return cls(data=[ExportEvent.of(row) for row in rows], next_cursor=next_cursor)


class RemovedExport(Model):
    job_id: str
    status: Literal["cancelled", "deleted"]


class ExportRemoved(Model):
    """What was live is cancelled, and what was final is gone with its output."""

    data: RemovedExport
