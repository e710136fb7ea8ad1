"""EventBridge, every minute: rescue the jobs whose worker was lost, ring for what is due, and tidy up."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from millrace import entry
from millrace.domain.jobs import JOB_TABLES, JobTable
from millrace.entry import Tick
from millrace.env import Env
from millrace.errors import DatabaseError
from millrace.store import erasure, housekeeping, jobs
from millrace.workloads.erasing import erase
from millrace.workloads.runner import run_due

# As many as the consumers take in a minute. Were it all that is due, each minute would add as many again.
MOST_RINGS = 100


def pick_up(tick: Tick, env: Env) -> None:
    """One kind after the other. What goes wrong stops nothing else; in the end the tick has failed for it."""
    faults: list[Exception] = []
    for table in JOB_TABLES.values():
        with noting(faults):
            rescue(table, env=env, faults=faults)
        with noting(faults):
            serve(table, tick=tick, env=env)
    for tidy_up in (prune, delete_documents, erase_documents):
        with noting(faults):
            tidy_up(env)
    if faults:
        raise ExceptionGroup("Not everything could be picked up.", faults)


@contextmanager
def noting(faults: list[Exception]) -> Iterator[None]:
    try:
        yield
    except Exception as fault:  # noqa: BLE001  # whatever it was, the other steps are taken
        note(fault, faults=faults)


def note(fault: Exception, *, faults: list[Exception]) -> None:
    entry.log_fault(fault)
    faults.append(fault)


def rescue(table: JobTable, *, env: Env, faults: list[Exception]) -> None:
    for moved in jobs.rescue(env.DB, table, now=env.now(), new_id=env.new_id, jitter=env.random):
        if isinstance(moved, DatabaseError):
            note(moved, faults=faults)
        else:
            report_rescue(table, row=moved)


def report_rescue(table: JobTable, *, row: Mapping[str, Any]) -> None:
    entry.log("job_rescued", kind=table.kind, job_id=row["id"], status=row["status"])
    entry.count("JobsRescued", kind=table.kind)
    if row["status"] == table.failed:
        entry.count("JobsFailed", kind=table.kind)


def serve(table: JobTable, *, tick: Tick, env: Env) -> None:
    """Ring for what is due. With no queue there is nobody to ring for, so it is run here."""
    due = count_due(table, env=env)
    if env.QUEUE.configured:
        env.QUEUE.ring(table.kind, count=min(due, MOST_RINGS))
    else:
        drain(table, tick=tick, env=env)


def count_due(table: JobTable, *, env: Env) -> int:
    """How many jobs wait; the age of the oldest is what an alarm watches."""
    now = env.now()
    due, oldest = jobs.count_due(env.DB, table, now=now)
    age = (now - oldest).total_seconds() if oldest else 0
    entry.log("jobs_due", kind=table.kind, due=due, oldest_seconds=age)
    entry.count("OldestDueAge", age, kind=table.kind)
    return due


def drain(table: JobTable, *, tick: Tick, env: Env) -> None:
    seconds_left = tick.remaining_seconds
    for ending in run_due(table.kind, env, worker_id=tick.worker_id, seconds_left=seconds_left):
        entry.report(ending, kind=table.kind, now=env.now())


def prune(env: Env) -> None:
    for table, count in housekeeping.prune(env.DB, now=env.now()).items():
        if count:
            entry.log("rows_pruned", table=table, count=count)


def delete_documents(env: Env) -> None:
    """Those that nobody uploaded, and those of leads on whom a person decided long ago."""
    kept = timedelta(days=env.config.document_days)
    report_documents("abandoned", count=erasure.delete_abandoned(env.DB, now=env.now()))
    report_documents("outdated", count=erasure.delete_outdated(env.DB, kept=kept, now=env.now()))


def report_documents(reason: str, *, count: int) -> None:
    if count:
        entry.log("documents_deleted", reason=reason, count=count)


def erase_documents(env: Env) -> None:
    """From the bucket, what has been deleted, here or by a person."""
    count = erase(erasure.find_erasable(env.DB, now=env.now()), env=env)
    if count:
        entry.log("documents_erased", count=count)


handler = entry.worker(scheduled=pick_up)
