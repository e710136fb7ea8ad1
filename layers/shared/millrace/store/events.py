"""The timeline of every job, one row a move, written in the move's own batch."""

from datetime import datetime

from millrace.bindings.database import Database, Statement
from millrace.domain.jobs import JobTable


def record(
    db: Database,
    table: JobTable,
    *,
    job_id: str,
    move_id: str,
    move: str,
    now: datetime,
    detail: str | None = None,
    person: str | None = None,
    by: str = "id",
) -> Statement:
    """Write the move down, if it took place. A move has one event, so the move's id is the event's.

    `person` made it, if one did. `by` is the column that holds `job_id`, for a job that is known by something
    else of its own.
    """
    return db.prepare(f"""
        INSERT INTO job_events (id, tenant_id, job_id, kind, attempt, move, detail, created_at)
        SELECT job.last_move_id, job.tenant_id, job.id, '{table.kind}', job.attempt, ?3,
               jsonb_build_object('status', job.status, 'error_code', CAST(?5 AS TEXT),
                                  'person', CAST(?6 AS TEXT)), ?4
        FROM {table.name} AS job WHERE job.{by} = ?1 AND job.last_move_id = ?2
    """).bind(job_id, move_id, move, now, detail, person)


def record_claim(db: Database, table: JobTable, *, move_id: str, now: datetime) -> Statement:
    """The same, but which job was claimed only the move knows: it is among the few that are running."""
    return db.prepare(f"""
        INSERT INTO job_events (id, tenant_id, job_id, kind, attempt, move, detail, created_at)
        SELECT job.last_move_id, job.tenant_id, job.id, '{table.kind}', job.attempt, 'claim',
               jsonb_build_object('worker_id', job.worker_id), ?2
        FROM {table.name} AS job WHERE job.status = '{table.running}' AND job.last_move_id = ?1
    """).bind(move_id, now)
