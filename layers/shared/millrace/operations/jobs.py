"""Jobs as an operator looks after them: what there is, what happened, once more, no more."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from millrace.bindings.database import Database, Row
from millrace.domain.jobs import EVALUATION, EXPORT, JOB_TABLES, JobTable
from millrace.env import Env
from millrace.errors import CommandRefused
from millrace.store import evaluations, jobs, timeline

MOST_LISTED = 100


def retry_export(db: Database, job_id: str, **move: Any) -> object:
    """Imported when one is to be retried: it brings pydantic, which no other operation needs."""
    from millrace.store import export_orders

    return export_orders.retry(db, job_id, **move)


# How each kind is charged anew. Each raises the refusal that says why not.
RETRY: Mapping[str, Callable[..., object]] = {
    EVALUATION.kind: evaluations.retry,
    EXPORT.kind: retry_export,
}


def list_newest(env: Env, *, kind: str, status: str | None, limit: int) -> dict[str, Any]:
    """The newest jobs of a kind, of one state or of all."""
    table = JOB_TABLES.get(kind)
    if table is None:
        raise CommandRefused(f"There is no kind {kind}. There are {', '.join(JOB_TABLES)}.")
    rows = timeline.list_jobs(env.DB, table, status=status, limit=max(1, min(limit, MOST_LISTED)))
    return {"jobs": [to_facts(row) for row in rows]}


def show(env: Env, *, job_id: str) -> dict[str, Any]:
    """One job's row, and all that happened to it."""
    _, row = find(env, job_id)
    return {
        "job": to_facts(row),
        "events": [to_facts(event) for event in timeline.list_events(env.DB, job_id)],
    }


def retry(env: Env, *, job_id: str) -> dict[str, Any]:
    """Once more, charged anew, for a job that failed."""
    table, row = find(env, job_id)
    RETRY[table.kind](env.DB, job_id, tenant_id=row["tenant_id"], move_id=env.new_id(), now=env.now())
    env.QUEUE.ring(table.kind)
    return {"job_id": job_id, "status": table.waiting}


def cancel(env: Env, *, job_id: str) -> dict[str, Any]:
    """End a live job. What it was charged is given back, unless it was spent already.

    A GPU that renders it is told to stop when it next calls.
    """
    table, row = find(env, job_id)
    if not jobs.cancel(
        env.DB, table, job_id, tenant_id=row["tenant_id"], move_id=env.new_id(), now=env.now()
    ):
        # As it is now: somebody else may have moved it since.
        _, row = find(env, job_id)
        raise CommandRefused(f"The job is {row['status']}, and that is final.")
    return {"job_id": job_id, "status": table.cancelled}


def find(env: Env, job_id: str) -> tuple[JobTable, Row]:
    """Whatever kind it is of, whosever it is."""
    for table in JOB_TABLES.values():
        if row := timeline.find_job(env.DB, table, job_id=job_id):
            return table, row
    raise CommandRefused(f"There is no job {job_id}.")


def to_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
