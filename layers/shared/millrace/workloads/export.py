"""One export: handed over to a rented GPU, which renders it and calls back."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from millrace.domain.callbacks import Link, make_token
from millrace.domain.export_requests import count_video_seconds
from millrace.domain.exports import TypedParams
from millrace.domain.gpu_times import GpuTimes
from millrace.domain.jobs import Job
from millrace.domain.questions import ModelAnswer
from millrace.domain.rendering import RenderOrder
from millrace.env import Env
from millrace.errors import (
    ConfigurationInvalid,
    DatabaseUnavailable,
    GpuUnavailable,
    GpuUnknown,
    JobFailure,
    ProcessingError,
)
from millrace.store import renders
from millrace.workloads.attempt import Calls, Complete

CALLBACK_PATH = "/api/runpod/callback"


def run(
    job: Job,
    env: Env,
    *,
    deadline: datetime,  # noqa: ARG001 - a call of the provider has a limit of its own
    on_answer: Callable[[ModelAnswer], None],  # noqa: ARG001 - no model is asked
) -> Complete | None:
    """Ask the provider for it, once. None when it was ended by someone else before.

    GpuUnknown when nobody knows what came of that: then the job is left to whoever hears of it.
    """
    params = TypedParams.of(job.row["type"], params=job.row["params"]).params
    times = GpuTimes.of(
        expected_seconds=job.row["gpu_seconds_reserved"],
        by_size=count_video_seconds(params) is None,
        now=env.now(),
    )
    # All that may be missing is looked for before the provider is asked.
    order, url = env.GPU.submit, callback_url(job, until=times.deadline_at, env=env)
    if not begin(job, times=times, env=env):
        return None
    provider_job_id = submit(job, url=url, times=times, order=order)
    return lambda move_id, _calls: note(job, provider_job_id=provider_job_id, move_id=move_id, env=env)


def fail(
    job: Job,
    env: Env,
    *,
    failure: JobFailure,
    calls: Calls,  # noqa: ARG001 - no model was asked
    move_id: str,
) -> Mapping[str, Any] | None:
    """Whatever fails here has not been ordered: of the rest nobody knows what has become."""
    return renders.give_up(env.DB, job, error=failure, move_id=move_id, now=env.now(), jitter=env.random())


def callback_url(job: Job, *, until: datetime, env: Env) -> str:
    """The link by which this attempt may call, and nobody else."""
    if env.config.callback_url is None:
        raise ConfigurationInvalid("CALLBACK_URL is missing: a provider must know where to call")
    token = make_token(Link(job.id, job.attempt), until=until, keys=env.CALLBACK_KEYS())
    return f"{env.config.callback_url}{CALLBACK_PATH}/{token}"


def begin(job: Job, *, times: GpuTimes, env: Env) -> bool:
    """A database that is away does not leave the job waiting for a word of a provider who was never asked.

    SpendLimitReached when what it may cost is more than is left of the day.
    """
    most_microusd = times.execution_seconds * env.config.gpu_second_microusd
    try:
        return renders.begin(
            env.DB, job, deadline_at=times.deadline_at, most_microusd=most_microusd, now=env.now()
        )
    except DatabaseUnavailable as away:
        raise ProcessingError("The database was away before the GPU provider could be asked.") from away


def submit(job: Job, *, url: str, times: GpuTimes, order: Callable[..., str]) -> str:
    """The provider's id of it. Whatever is not known to have failed may be running: GpuUnknown."""
    wanted = RenderOrder(job_id=job.id, attempt=job.attempt, callback_url=url)
    try:
        return order(
            wanted.model_dump(),
            webhook_url=url,
            execution_seconds=times.execution_seconds,
            ttl_seconds=times.ttl_seconds,
        )
    except (JobFailure, GpuUnknown):
        raise
    except Exception as fault:
        raise GpuUnknown("Nobody knows what came of the order.") from fault


def note(job: Job, *, provider_job_id: str, move_id: str, env: Env) -> bool:
    if renders.note_submitted(env.DB, job, provider_job_id=provider_job_id, move_id=move_id, now=env.now()):
        return True
    stop(provider_job_id, env=env)
    return False


def stop(provider_job_id: str, *, env: Env) -> None:
    """Nobody waits for its result. If the provider cannot be told, its worker is when it calls."""
    with suppress(GpuUnavailable):
        env.GPU.cancel(provider_job_id)
