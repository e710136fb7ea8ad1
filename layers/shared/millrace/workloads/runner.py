"""From a due job to its end: claim, run, and complete, fail or give back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

from millrace.domain.jobs import JOB_TABLES, Job, JobTable
from millrace.env import Env
from millrace.errors import DatabaseUnavailable, JobFailure, ProcessingError
from millrace.store import jobs

MOST_LOOKS = 5

State = Literal["completed", "retried", "failed", "released", "overtaken"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How one attempt ended. `failure` says why it was retried or failed; its cause, if any, holds the trace.

    `overtaken`: someone else had ended the job or taken it over, and nothing was written.
    """

    job: Job
    state: State
    failure: JobFailure | None = None


def _evaluation() -> Callable[[Job, Env], bool]:
    from millrace.workloads import evaluation

    return evaluation.run


# A kind's module is imported with its first job: who only rings the doorbell does not need what it runs.
WORKLOADS: Mapping[str, Callable[[], Callable[[Job, Env], bool]]] = {"evaluation": _evaluation}


def run_due(kind: str, env: Env, *, worker_id: str, seconds_left: Callable[[], float]) -> Iterator[Ending]:
    """One job after another, until nothing is due or the time is too short for another."""
    while ending := run_one(kind, env, worker_id=worker_id, seconds_left=seconds_left):
        yield ending


def run_one(kind: str, env: Env, *, worker_id: str, seconds_left: Callable[[], float]) -> Ending | None:
    """Run the next due job. None when nothing is due, or when less time is left than a job may take.

    A job's failure is written into its row and comes back as its ending. DatabaseUnavailable comes out: then
    the lease runs out and the job is rescued.
    """
    table = JOB_TABLES[kind]
    if seconds_left() < table.most_seconds:
        return None
    job = _claim(env, table=table, worker_id=worker_id)
    if job is None:
        return None
    if seconds_left() < table.most_seconds:
        return _give_back(job, env, table=table)
    try:
        done = _run(job, env, kind=kind)
    except JobFailure as failure:
        return _fail(job, env, table=table, failure=failure)
    return Ending(job, "completed" if done else "overtaken")


def _claim(env: Env, *, table: JobTable, worker_id: str) -> Job | None:
    """The next due job. A rival may take the one we were rung for while its own was accepted after we looked:
    so nothing is due only when a later look says so too.
    """
    for _ in range(MOST_LOOKS):
        job = jobs.claim(env.DB, table, worker_id=worker_id, move_id=env.new_id(), now=env.now())
        if job or not jobs.count_due(env.DB, table, now=env.now(), most=1)[0]:
            return job
    return None


def _run(job: Job, env: Env, *, kind: str) -> bool:
    """What a person reads of an unforeseen error says nothing of its cause, which may quote a document."""
    try:
        return WORKLOADS[kind]()(job, env)
    except (JobFailure, DatabaseUnavailable):
        raise
    except Exception as cause:
        raise ProcessingError("Something went wrong while the job ran.") from cause


def _give_back(job: Job, env: Env, *, table: JobTable) -> Ending:
    if not jobs.release(env.DB, table, job, move_id=env.new_id(), now=env.now()):
        return Ending(job, "overtaken")
    env.QUEUE.ring(table.kind)
    return Ending(job, "released")


def _fail(job: Job, env: Env, *, table: JobTable, failure: JobFailure) -> Ending:
    """Write the failure down; when it will be tried again, ring for it in time."""
    now = env.now()
    row = jobs.fail(env.DB, table, job, error=failure, move_id=env.new_id(), now=now, jitter=env.random())
    if row is None:
        return Ending(job, "overtaken", failure)
    if row["status"] == table.failed:
        return Ending(job, "failed", failure)
    env.QUEUE.ring(table.kind, delay_seconds=ceil((row["run_after"] - now).total_seconds()))
    return Ending(job, "retried", failure)
