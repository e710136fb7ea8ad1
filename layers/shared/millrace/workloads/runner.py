"""From a due job to its end: claim it, and run it or give it back."""

from collections.abc import Callable, Iterator, Mapping

from millrace.domain.jobs import JOB_TABLES, Job, JobTable
from millrace.env import Env
from millrace.store import jobs
from millrace.workloads.attempt import Attempt, Ending, Workload

MOST_LOOKS = 5


def _evaluation() -> Workload:
    from millrace.workloads import evaluation

    return evaluation


def _export() -> Workload:
    from millrace.workloads import export

    return export


# A kind's module is imported when one is to be run: who only rings the doorbell does not need it.
WORKLOADS: Mapping[str, Callable[[], Workload]] = {"evaluation": _evaluation, "export": _export}


def run_due(kind: str, env: Env, *, worker_id: str, seconds_left: Callable[[], float]) -> Iterator[Ending]:
    """One job after another, until nothing is due or the time is too short for another."""
    while ending := run_one(kind, env, worker_id=worker_id, seconds_left=seconds_left):
        yield ending


def run_one(kind: str, env: Env, *, worker_id: str, seconds_left: Callable[[], float]) -> Ending | None:
    """Run the next due job. None when nothing is due, or when less time is left than a job may take.

    A job's failure is written into its row and comes back as its ending. DatabaseUnavailable comes out.
    """
    table = JOB_TABLES[kind]
    if seconds_left() < table.most_seconds:
        return None
    # Before the claim: what cannot be imported takes no job, and costs none an attempt.
    workload = WORKLOADS[kind]()
    job = _claim(env, table=table, worker_id=worker_id)
    if job is None:
        return None
    attempt = Attempt(job, table, workload, env, seconds_left)
    if seconds_left() < table.most_seconds:
        return attempt.give_back()
    return attempt.run()


def _claim(env: Env, *, table: JobTable, worker_id: str) -> Job | None:
    """The next due job. A rival may take the one we were rung for while its own was accepted after we looked:
    so nothing is due only when a later look says so too.
    """
    for _ in range(MOST_LOOKS):
        job = jobs.claim(env.DB, table, worker_id=worker_id, move_id=env.new_id(), now=env.now())
        if job or not jobs.is_any_due(env.DB, table, now=env.now()):
            return job
    return None
