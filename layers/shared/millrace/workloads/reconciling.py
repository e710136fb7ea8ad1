"""Exports of which nothing was heard for a while are looked up at the provider: the export's rescue."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from millrace.domain.jobs import Job
from millrace.env import Env
from millrace.errors import GpuJobLost, GpuUnavailable, JobFailure, LeaseExpired
from millrace.store import renders
from millrace.workloads.attempt import Ending
from millrace.workloads.outcomes import complete, conclude, fail, find_output, use_of

Row = Mapping[str, Any]


def look_up(row: Row, *, env: Env) -> Ending | None:
    """What came of it meanwhile. None when it goes on, or nobody can say yet. StorageUnavailable."""
    if row["submitted_at"] is None:
        lost = LeaseExpired("The worker was lost before the GPU provider was asked.")
        return end(row, lost, env=env, at_once=True)
    if row["runpod_job_id"] is None:
        # It may be running all the same, and will say so itself.
        return wait(row, lost="The GPU provider never told of the job.", env=env)
    try:
        status = env.GPU.status(row["runpod_job_id"])
    except GpuUnavailable:
        return wait(row, lost="The GPU provider could not be reached.", env=env)
    if status is None:
        return give_up(row, lost="The GPU provider no longer knows the job.", env=env)
    if status.has_ended:
        return conclude(row, status, env=env)
    return wait(row, lost="The render was not done in its time.", env=env)


def wait(row: Row, *, lost: str, env: Env) -> Ending | None:
    """Until the provider has certainly deleted it."""
    if is_past_deadline(row, env=env):
        return give_up(row, lost=lost, env=env)
    postpone(row, env=env)
    return None


def postpone(row: Row, *, env: Env) -> None:
    """For another lease."""
    renders.renew(env.DB, Job.of(row), now=env.now())


def give_up(row: Row, *, lost: str, env: Env) -> Ending | None:
    """Unless its video is there: then it was rendered, and only nobody told us. StorageUnavailable."""
    output = find_output(row, env=env)
    if output is not None:
        # Whoever made it is not told to stop: it would take its video back.
        use = use_of(row, until=output.uploaded_at, env=env)
        return complete(row, provider_job_id=row["runpod_job_id"], use=use, env=env)
    if is_stopped(row, env=env) or is_past_deadline(row, env=env):
        return end(row, GpuJobLost(lost), env=env)
    postpone(row, env=env)
    return None


def is_stopped(row: Row, *, env: Env) -> bool:
    """A provider that says it is gone may be mistaken, and then it must not run beside the next attempt."""
    if row["runpod_job_id"] is None:
        return False
    try:
        env.GPU.cancel(row["runpod_job_id"])
    except GpuUnavailable:
        return False
    return True


def is_past_deadline(row: Row, *, env: Env) -> bool:
    deadline_at: datetime = row["provider_deadline_at"]
    return env.now() >= deadline_at


def end(row: Row, failure: JobFailure, *, env: Env, at_once: bool = False) -> Ending:
    """Unless it was heard of meanwhile. It has used a GPU until its last word, as far as anybody knows."""
    use = use_of(row, until=row["updated_at"], env=env)
    return fail(row, failure, use=use, env=env, lease_lost=True, at_once=at_once)
