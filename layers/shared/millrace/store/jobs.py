"""The moves of a job, written once for every kind. Each names the state and the attempt it leaves."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from millrace.bindings.database import Database, Row, Statement
from millrace.domain.jobs import Job, JobTable, retry_at
from millrace.errors import JobFailure, LeaseExpired
from millrace.store import ledger

MOST_RESCUED = 100
LONGEST_MESSAGE = 500

# Fair: the tenants that wait are found by skipping from one to the next; who has least running is served.
# Flat: only the partial index of waiting jobs is read, a probe a waiting tenant, however many jobs there are.
CLAIM = """
WITH RECURSIVE waiting(tenant_id) AS (
  SELECT (SELECT tenant_id FROM {jobs} WHERE status = '{waiting}' ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (SELECT later.tenant_id FROM {jobs} AS later
          WHERE later.status = '{waiting}' AND later.tenant_id > waiting.tenant_id
          ORDER BY later.tenant_id LIMIT 1)
  FROM waiting WHERE waiting.tenant_id IS NOT NULL
),
turns AS (
  SELECT waiting.tenant_id, COUNT(busy.id) AS running
  FROM waiting LEFT JOIN {jobs} AS busy ON busy.status = '{running}' AND busy.tenant_id = waiting.tenant_id
  WHERE waiting.tenant_id IS NOT NULL
  GROUP BY waiting.tenant_id
  ORDER BY running, waiting.tenant_id
),
chosen AS (
  SELECT due.id FROM turns {join_next_due} LIMIT 1
)
UPDATE {jobs}
SET status = '{running}', attempt = attempt + 1, started_at = COALESCE(started_at, ?1), locked_until = ?2,
    worker_id = ?3, last_move_id = ?4, updated_at = ?1
WHERE id IN (SELECT id FROM chosen)
RETURNING *
"""

# Differs: PostgreSQL has many writers, so a job that another one is claiming is passed over.
NEXT_DUE = {
    "postgres": """
  CROSS JOIN LATERAL (
    SELECT job.id FROM {jobs} AS job
    WHERE job.status = '{waiting}' AND job.tenant_id = turns.tenant_id AND job.run_after <= ?1
    ORDER BY job.run_after LIMIT 1 FOR UPDATE SKIP LOCKED
  ) AS due""",
    # Differs: SQLite knows no LATERAL, and its one writer needs no lock.
    "sqlite": """
  JOIN {jobs} AS due ON due.id = (
    SELECT job.id FROM {jobs} AS job
    WHERE job.status = '{waiting}' AND job.tenant_id = turns.tenant_id AND job.run_after <= ?1
    ORDER BY job.run_after LIMIT 1
  )""",
}


def claim(db: Database, table: JobTable, *, worker_id: str, move_id: str, now: datetime) -> Job | None:
    """Take the next due job of this kind for a lease. None means that nothing is due."""
    lease = now + timedelta(seconds=table.lease_seconds)
    take = db.prepare(_claim_sql(table, dialect=db.dialect)).bind(now, lease, worker_id, move_id)
    row = db.batch([take, _claim_event(db, table, move_id=move_id, now=now)])[0].first()
    return Job.of(row) if row else None


def find_held(db: Database, table: JobTable, *, worker_id: str) -> Job | None:
    """The job that a worker has claimed and not ended. None when it holds none."""
    row = (
        db.prepare(f"SELECT * FROM {table.name} WHERE status = '{table.running}' AND worker_id = ?1")
        .bind(worker_id)
        .first()
    )
    return Job.of(row) if row else None


def extend(
    db: Database, table: JobTable, job: Job, *, now: datetime, progress_message: str | None = None
) -> bool:
    """Renew the lease and say how far it is. False when the job is no longer this worker's."""
    return _still_ours(
        db.prepare(f"""
            UPDATE {table.name}
            SET locked_until = ?3, updated_at = ?5,
                progress_message = COALESCE(CAST(?4 AS TEXT), progress_message)
            WHERE id = ?1 AND attempt = ?2 AND status = '{table.running}'
        """).bind(job.id, job.attempt, now + timedelta(seconds=table.lease_seconds), progress_message, now)
    )


def begin_paid_work(db: Database, table: JobTable, job: Job, *, now: datetime) -> bool:
    """The last look before money is spent. False when the job is no longer this worker's: then spend none."""
    return _still_ours(
        db.prepare(f"""
            UPDATE {table.name} SET {table.paid_column} = COALESCE({table.paid_column}, ?3), updated_at = ?3
            WHERE id = ?1 AND attempt = ?2 AND status = '{table.running}'
        """).bind(job.id, job.attempt, now)
    )


def complete(
    db: Database, table: JobTable, job: Job, *, result: Sequence[Statement], columns: dict[str, str],
    move_id: str, now: datetime,
) -> bool:  # fmt: skip
    """The guarded end of a job: `columns` of its row, then the `result` statements, which follow the move.

    False when someone else ended it first; then nothing has changed.
    """
    assigned = "".join(f", {column} = ?{place}" for place, column in enumerate(columns, start=5))
    move = db.prepare(f"""
        UPDATE {table.name}
        SET status = '{table.done}', completed_at = ?3, last_move_id = ?4, updated_at = ?3,
            locked_until = NULL, worker_id = NULL, {_cleared_errors(table)}{assigned}
        WHERE id = ?1 AND attempt = ?2 AND status = '{table.running}'
    """).bind(job.id, job.attempt, now, move_id, *columns.values())
    settle = ledger.settle(db, table, job_id=job.id, move_id=move_id, now=now)
    event = _event(db, table, job_id=job.id, move_id=move_id, move="complete", now=now)
    return db.batch([move, *result, *settle, event])[0].meta.changes == 1


def release(db: Database, table: JobTable, job: Job, *, move_id: str, now: datetime) -> bool:
    """Give a job back untouched, due at once, no retry counted. False when it is no longer this worker's."""
    move = db.prepare(f"""
        UPDATE {table.name}
        SET status = '{table.waiting}', run_after = ?3, started_at = NULL, last_move_id = ?4, updated_at = ?3,
            {_cleared(table)}
        WHERE id = ?1 AND attempt = ?2 AND status = '{table.running}'
    """).bind(job.id, job.attempt, now, move_id)
    event = _event(db, table, job_id=job.id, move_id=move_id, move="release", now=now)
    return db.batch([move, event])[0].meta.changes == 1


def fail(
    db: Database, table: JobTable, job: Job, *, error: JobFailure, move_id: str, now: datetime, jitter: float,
    lease_lost: bool = False,
) -> Row | None:  # fmt: skip
    """End an attempt without a result: back to waiting while the error is transient and retries are left.

    With `lease_lost`, only if the lease has really run out. The row as it is then, or None when someone
    else moved the job first.
    """
    code, message = table.error_columns
    again = "?3 AND retry_count < max_retries"
    move = db.prepare(f"""
        UPDATE {table.name}
        SET status = CASE WHEN {again} THEN '{table.waiting}' ELSE '{table.failed}' END,
            completed_at = CASE WHEN {again} THEN NULL ELSE ?4 END,
            run_after = CASE WHEN {again} THEN ?5 ELSE run_after END,
            retry_count = CASE WHEN {again} THEN retry_count + 1 ELSE retry_count END,
            started_at = CASE WHEN {again} THEN NULL ELSE started_at END,
            last_move_id = ?6, updated_at = ?4, {code} = ?7, {message} = ?8, {_cleared(table)}
        WHERE id = ?1 AND attempt = ?2 AND status = '{table.running}'
        {"AND locked_until < ?4" if lease_lost else ""}
        RETURNING *
    """).bind(
        job.id, job.attempt, error.transient, now,
        retry_at(error, retry_count=job.retry_count, now=now, jitter=jitter),
        move_id, error.code, error.message[:LONGEST_MESSAGE],
    )  # fmt: skip
    close = ledger.settle if error.keeps_charge else ledger.release
    charge = close(db, table, job_id=job.id, move_id=move_id, now=now, when=f"job.status = '{table.failed}'")
    event = _event(db, table, job_id=job.id, move_id=move_id, move="fail", now=now, detail=error.code)
    return db.batch([move, *charge, event])[0].first()


def cancel(
    db: Database, table: JobTable, job_id: str, *, tenant_id: str, move_id: str, now: datetime
) -> bool:
    """End a live job for its owner. What was not paid for yet is given back. False when it is not live."""
    move = db.prepare(f"""
        UPDATE {table.name}
        SET status = '{table.cancelled}', completed_at = ?3, last_move_id = ?4, updated_at = ?3,
            locked_until = NULL, worker_id = NULL
        WHERE id = ?1 AND tenant_id = ?2 AND status IN ('{table.waiting}', '{table.running}')
    """).bind(job_id, tenant_id, now, move_id)
    paid = f"job.{table.paid_column} IS NOT NULL"
    back = ledger.release(db, table, job_id=job_id, move_id=move_id, now=now, when=f"NOT ({paid})")
    kept = ledger.settle(db, table, job_id=job_id, move_id=move_id, now=now, when=paid)
    event = _event(db, table, job_id=job_id, move_id=move_id, move="cancel", now=now)
    return db.batch([move, *back, *kept, event])[0].meta.changes == 1


def rescue(
    db: Database, table: JobTable, *, now: datetime, new_id: Callable[[], str], jitter: Callable[[], float]
) -> list[Row]:
    """Treat every lost lease as a transient failure. The jobs so moved, as they are then.

    One batch a job: a batch over many would take locks in an order that deadlocks with other moves.
    """
    lost = db.prepare(f"""
        SELECT * FROM {table.name} WHERE status = '{table.running}' AND locked_until < ?1
        ORDER BY locked_until LIMIT {MOST_RESCUED}
    """).bind(now)
    error = LeaseExpired("The worker was not heard of again.")
    moved = (
        fail(db, table, Job.of(row), error=error, move_id=new_id(), now=now, jitter=jitter(), lease_lost=True)
        for row in lost.all().results
    )
    return [row for row in moved if row]


def count_due(
    db: Database, table: JobTable, *, now: datetime, most: int = 1_000
) -> tuple[int, datetime | None]:
    """How many jobs wait that could run now (counted up to `most`), and since when the oldest does."""
    counted = db.prepare(f"""
        SELECT COUNT(*) AS due, MIN(run_after) AS "oldest [TIMESTAMPTZ]"
        FROM (SELECT run_after FROM {table.name} WHERE status = '{table.waiting}' AND run_after <= ?1
              ORDER BY run_after LIMIT {int(most)}) AS waiting
    """)
    row = counted.bind(now).first()
    return row["due"], row["oldest"]


def created_event(db: Database, table: JobTable, *, job_id: str, now: datetime) -> Statement:
    """The first row of the timeline. A job's creation is its first move, under the job's own id."""
    return _event(db, table, job_id=job_id, move_id=job_id, move="create", now=now)


def _claim_sql(table: JobTable, *, dialect: str) -> str:
    words = {"jobs": table.name, "waiting": table.waiting, "running": table.running}
    return CLAIM.format(join_next_due=NEXT_DUE[dialect].format(**words), **words)


def _claim_event(db: Database, table: JobTable, *, move_id: str, now: datetime) -> Statement:
    """Like `_event`, but which job was claimed only the move knows: it is among the few that are running."""
    return db.prepare(f"""
        INSERT INTO job_events (id, tenant_id, job_id, kind, attempt, move, detail, created_at)
        SELECT job.last_move_id, job.tenant_id, job.id, '{table.kind}', job.attempt, 'claim',
               jsonb_build_object('worker_id', job.worker_id), ?2
        FROM {table.name} AS job WHERE job.status = '{table.running}' AND job.last_move_id = ?1
    """).bind(move_id, now)


def _event(
    db: Database,
    table: JobTable,
    *,
    job_id: str,
    move_id: str,
    move: str,
    now: datetime,
    detail: str | None = None,
) -> Statement:
    """The job's timeline. A move has one event, so the move's id is the event's."""
    return db.prepare(f"""
        INSERT INTO job_events (id, tenant_id, job_id, kind, attempt, move, detail, created_at)
        SELECT job.last_move_id, job.tenant_id, job.id, '{table.kind}', job.attempt, ?3,
               jsonb_build_object('status', job.status, 'error_code', CAST(?5 AS TEXT)), ?4
        FROM {table.name} AS job WHERE job.id = ?1 AND job.last_move_id = ?2
    """).bind(job_id, move_id, move, now, detail)


def _cleared(table: JobTable) -> str:
    """What belonged to the attempt that is over."""
    return f"locked_until = NULL, worker_id = NULL, progress_message = NULL, {table.paid_column} = NULL"


def _cleared_errors(table: JobTable) -> str:
    return ", ".join(f"{column} = NULL" for column in table.error_columns)


def _still_ours(statement: Statement) -> bool:
    return statement.run().meta.changes == 1
