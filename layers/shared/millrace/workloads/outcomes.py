"""What came of a render: its video is checked and the export completed, or the attempt has failed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from millrace.domain.export_files import clips_key, output_key
from millrace.domain.gpu import GpuStatus
from millrace.domain.gpu_times import LEAST_SECONDS, GpuUse
from millrace.domain.jobs import EXPORT, Job
from millrace.domain.rendering import Completed, Failed, WorkerReport
from millrace.domain.videos import MP4, OPENING_BYTES, is_of_type
from millrace.env import Env
from millrace.errors import (
    BucketError,
    InputUnusable,
    InvalidRequest,
    JobFailure,
    RenderFailed,
    RenderTimedOut,
    StorageUnavailable,
)
from millrace.store import renders
from millrace.workloads.attempt import Ending, end_failed

Row = Mapping[str, Any]

REPORT: TypeAdapter[Any] = TypeAdapter(WorkerReport)


@dataclass(frozen=True, slots=True)
class Output:
    """A video in the bucket, and when it was there."""

    bytes: int
    uploaded_at: datetime


def conclude(row: Row, status: GpuStatus, *, env: Env) -> Ending:
    """End the attempt by what the provider says of it, who has seen its end. StorageUnavailable."""
    report = read_output(status.output, row=row)
    use = use_of(row, env=env, execution_ms=status.execution_ms)
    if status.state != "completed" or status.error or not isinstance(report, Completed):
        return fail(row, failure_of(status, report=report, use=use), use=use, env=env)
    try:
        check_output(report, row=row, env=env)
    except InvalidRequest as refusal:
        return fail(row, RenderFailed(refusal.message), use=use, env=env)
    return complete(row, provider_job_id=report.provider_job_id, use=use, env=env)


def complete(row: Row, *, provider_job_id: str, use: GpuUse, env: Env) -> Ending:
    """With its video, which has been checked."""
    job = Job.of(row)
    done = renders.complete(
        env.DB,
        job,
        output_video_key=key_of(row),
        provider_job_id=provider_job_id,
        use=use,
        move_id=env.new_id(),
        now=env.now(),
    )
    return Ending(job, "completed" if done else "overtaken")


def fail(
    row: Row, failure: JobFailure, *, use: GpuUse, env: Env, lease_lost: bool = False, at_once: bool = False
) -> Ending:
    job = Job.of(row)
    after = renders.fail(
        env.DB, job, error=failure, use=use, move_id=env.new_id(), now=env.now(),
        jitter=0.0 if at_once else env.random(), lease_lost=lease_lost,
    )  # fmt: skip
    return end_failed(job, after, failure=failure, table=EXPORT, env=env)


def use_of(row: Row, *, env: Env, execution_ms: int | None = None, until: datetime | None = None) -> GpuUse:
    """What this attempt has used: by the provider's watch, or by ours since its first call."""
    if execution_ms is not None:
        return told_use(execution_ms, env=env)
    seconds = seconds_since(row["gpu_started_at"], now=until or env.now())
    return replace(GpuUse.of(seconds, second_microusd=env.config.gpu_second_microusd), is_known=False)


def told_use(execution_ms: int, *, env: Env) -> GpuUse:
    """By the provider's watch alone, by which it is paid."""
    return GpuUse.of(execution_ms / 1_000, second_microusd=env.config.gpu_second_microusd)


def seconds_since(moment: datetime | None, *, now: datetime) -> float:
    return (now - moment).total_seconds() if moment else 0.0


def read_output(output: Any, *, row: Row) -> Completed | Failed | None:
    """The worker's last report, as the provider kept it. None when it is none, or none of this attempt.

    With an error beside it, nothing is complete.
    """
    if not isinstance(output, Mapping):
        return None
    try:
        report = REPORT.validate_python({name: said for name, said in output.items() if name != "error"})
    except ValidationError:
        return None
    wanted = Failed if output.get("error") is not None else (Completed, Failed)
    about = (report.job_id, report.attempt) == (row["id"], row["attempt"])
    return report if about and isinstance(report, wanted) else None


def failure_of(status: GpuStatus, *, report: Completed | Failed | None, use: GpuUse) -> JobFailure:
    """In the worker's own words where there are any. The provider's may be anything, and are not repeated."""
    if isinstance(report, Failed):
        return failure_in(report)
    # The provider says the same of a job that no GPU took in time, or whose worker is gone: that may pass.
    if status.state == "timed_out" and use.seconds > LEAST_SECONDS // 2:
        minutes = use.seconds // 60
        return RenderTimedOut(f"Not done after {minutes} minutes, and stopped. Ask for less of the video.")
    return RenderFailed(f"The GPU provider ended the render without a result ({status.state}).")


def failure_in(report: Failed) -> JobFailure:
    return RenderFailed(report.message) if report.should_retry else InputUnusable(report.message)


def key_of(row: Row) -> str:
    """Where this attempt was told to put its video."""
    return output_key(row["tenant_id"], job_id=row["id"], attempt=row["attempt"])


def check_output(report: Completed, *, row: Row, env: Env) -> None:
    """What it reports is in the bucket, where we said, and a video. InvalidRequest, StorageUnavailable."""
    if report.output_video_key != key_of(row):
        raise InvalidRequest("The output is not under the key that was given.")
    output = find_output(row, env=env)
    if output is None or output.bytes != report.output_bytes:
        raise InvalidRequest("The output is not in the bucket, or is not what was reported.")


def find_output(row: Row, *, env: Env) -> Output | None:
    """The video that this attempt has put where it was told, if all of it is there. StorageUnavailable."""
    key = key_of(row)
    try:
        body = env.BUCKET.open(key, length=OPENING_BYTES)
        if body is None:
            return None
        with body:
            is_video = is_of_type(b"".join(body), content_type=MP4)
        if not is_video or (row["type"] == "annotate" and not is_there(clips_key(key), env=env)):
            return None
    except BucketError as error:
        raise StorageUnavailable from error
    return Output(body.facts.size, body.facts.uploaded_at)


def is_there(key: str, *, env: Env) -> bool:
    facts = env.BUCKET.head(key)
    return facts is not None and facts.size > 0
