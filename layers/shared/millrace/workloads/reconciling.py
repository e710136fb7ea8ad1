"""Exports of which nothing was heard for a while are looked up at the provider: the export's rescue."""

from collections.abc import Mapping
from typing import Any

from millrace.domain.jobs import Job
from millrace.env import Env
from millrace.errors import GpuJobLost, GpuUnavailable, JobFailure, LeaseExpired
from millrace.store import renders
from millrace.workloads.attempt import Ending
from millrace.workloads.export import stop
from millrace.workloads.outcomes import conclude, fail, use_of

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
        return end(row, GpuJobLost("The GPU provider no longer knows the job."), env=env)
    if status.has_ended:
        return conclude(row, status, env=env)
    return wait(row, lost="The render was not done in its time.", env=env)


def wait(row: Row, *, lost: str, env: Env) -> Ending | None:
    """For another lease, until the provider has certainly deleted it."""
    if env.now() < row["provider_deadline_at"]:
        renders.renew(env.DB, Job.of(row), now=env.now())
        return None
    if row["runpod_job_id"] is not None:
        stop(row["runpod_job_id"], env=env)
    return end(row, GpuJobLost(lost), env=env)


def end(row: Row, failure: JobFailure, *, env: Env, at_once: bool = False) -> Ending:
    """Unless it was heard of meanwhile."""
    return fail(row, failure, use=use_of(row, env=env), env=env, lease_lost=True, at_once=at_once)
