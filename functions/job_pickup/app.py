"""EventBridge, every minute: rescue the jobs whose worker was lost, and ring for all that is due."""

from collections.abc import Mapping
from typing import Any

from millrace import entry
from millrace.domain.jobs import JOB_TABLES, JobTable
from millrace.entry import Tick
from millrace.env import Env
from millrace.store import jobs
from millrace.workloads.runner import run_due


def pick_up(tick: Tick, env: Env) -> None:
    """One kind after the other. With no queue there is nobody to ring for, so what is due is run here."""
    for table in JOB_TABLES.values():
        rescue(table, env=env)
        due = count_due(table, env=env)
        if env.QUEUE.configured:
            env.QUEUE.ring(table.kind, count=due)
        else:
            drain(table, tick=tick, env=env)


def rescue(table: JobTable, *, env: Env) -> None:
    for row in jobs.rescue(env.DB, table, now=env.now(), new_id=env.new_id, jitter=env.random):
        report_rescue(table, row=row)


def report_rescue(table: JobTable, *, row: Mapping[str, Any]) -> None:
    entry.log("job_rescued", kind=table.kind, job_id=row["id"], status=row["status"])
    entry.count("JobsRescued", kind=table.kind)
    if row["status"] == table.failed:
        entry.count("JobsFailed", kind=table.kind)


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


handler = entry.worker(scheduled=pick_up)
