"""EventBridge, every minute: rescue the jobs whose worker was lost, ring for what is due, and tidy up."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from millrace import entry
from millrace.domain.jobs import EVALUATION, JOB_TABLES, JobTable
from millrace.entry import Tick
from millrace.env import Env
from millrace.errors import DatabaseError, DatabaseUnavailable
from millrace.store import audit, erasure, housekeeping, jobs, leftovers, renders
from millrace.workloads.attempt import Ending
from millrace.workloads.erasing import erase, erase_removed, erase_videos, sweep_exports
from millrace.workloads.runner import run_due

# As many as the consumers take in a minute. Were it all that is due, each minute would add as many again.
MOST_RINGS = 100
# As many as can be asked for in a minute.
MOST_LOOKED_UP = 100
# Of the function's time, what is kept for all that is not asking a provider, which may hang.
SECONDS_FOR_THE_REST = 30
# For five seconds each: a sleeping database takes some 15 to wake up, at times 30.
MOST_VAIN_CALLS = 8


def pick_up(tick: Tick, env: Env) -> None:
    """One kind after the other. What goes wrong stops nothing else; in the end the tick has failed for it."""
    wake(env)
    faults: list[Exception] = []
    for table in JOB_TABLES.values():
        with noting(faults):
            if table.handed_over:
                reconcile(table, tick=tick, env=env, faults=faults)
            else:
                rescue(table, env=env, faults=faults)
        with noting(faults):
            serve(table, tick=tick, env=env)
    for tidy_up in TIDYING_UP:
        with noting(faults):
            tidy_up(env)
    if faults:
        raise ExceptionGroup("Not everything could be picked up.", faults)


def wake(env: Env) -> None:
    """Without a database nothing can be done, so one that does not wake up ends the tick."""
    for _ in range(MOST_VAIN_CALLS):
        with suppress(DatabaseUnavailable):
            jobs.count_due(env.DB, EVALUATION, now=env.now())
            return
    jobs.count_due(env.DB, EVALUATION, now=env.now())


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


def reconcile(table: JobTable, *, tick: Tick, env: Env, faults: list[Exception]) -> None:
    """What a provider has only the provider knows. Those for whom no time is left come first next time."""
    for row in renders.list_stale(env.DB, now=env.now(), limit=MOST_LOOKED_UP):
        if tick.remaining_seconds() < SECONDS_FOR_THE_REST:
            break
        with noting(faults):
            if ending := load_look_up()(row, env=env):
                entry.report(ending, kind=table.kind, now=env.now())


def load_look_up() -> Callable[..., Ending | None]:
    """Only when it is needed: it brings pydantic, and most minutes have nothing to look up."""
    from millrace.workloads.reconciling import look_up

    return look_up


def report_rescue(table: JobTable, *, row: Mapping[str, Any]) -> None:
    entry.log("job_rescued", kind=table.kind, job_id=row["id"], status=row["status"])
    entry.count("JobsRescued", kind=table.kind)
    if row["status"] == table.failed:
        entry.count("JobsFailed", kind=table.kind)


def serve(table: JobTable, *, tick: Tick, env: Env) -> None:
    """Ring for what is due. With no queue there is nobody to ring for, so it is run here."""
    due = count_due(table, env=env)
    if not env.QUEUE.configured:
        drain(table, tick=tick, env=env)
    elif due:
        env.QUEUE.ring(table.kind, count=min(due, MOST_RINGS))


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


def give_up_videos(env: Env) -> None:
    """Those that nobody uploaded, or not as they were announced."""
    if count := leftovers.give_up_videos(env.DB, now=env.now()):
        entry.log("videos_given_up", count=count)


def sweep_videos(env: Env) -> None:
    if count := erase_videos(env):
        entry.log("videos_erased", count=count)


def sweep_removed_exports(env: Env) -> None:
    if count := erase_removed(env):
        entry.log("exports_erased", count=count)


def sweep_ended_exports(env: Env) -> None:
    if count := sweep_exports(env):
        entry.log("exports_swept", count=count)


def seal_audit_log(env: Env) -> None:
    """The line says how long the chain is now, and its hash: so it is known outside of the database too."""
    if link := audit.seal(env.DB, now=env.now()):
        entry.log("audit_sealed", place=link.place, hash=link.hash)


TIDYING_UP = (
    prune,
    delete_documents,
    erase_documents,
    give_up_videos,
    sweep_videos,
    sweep_removed_exports,
    sweep_ended_exports,
    seal_audit_log,
)

handler = entry.worker(scheduled=pick_up)
