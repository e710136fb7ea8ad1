"""The moves of a job, written once for every kind. Each names the state and the attempt it leaves."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zlib import crc32

from millrace.bindings.database import Database, Row, Statement, Value
from millrace.domain.jobs import Job, JobTable, retry_at
from millrace.errors import DatabaseError, JobFailure, LeaseExpired
from millrace.store import events, ledger, moving

MOST_RESCUED = 100
MOST_COUNTED = 1_000
LONGEST_MESSAGE = 500

# Fair: the tenants that wait are found by skipping from one to the next. Who has least running is served;
# among equals it is anybody's turn (?5), or those first by name would be served until they have nothing left.
# Flat: only the partial indexes of live jobs are read, a probe a waiting tenant, however many have ended.
CLAIM = """
WITH RECURSIVE waiting(tenant_id) AS (
  SELECT (SELECT tenant_id FROM {jobs} WHERE status = '{waiting}' ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (SELECT later.tenant_id FROM {jobs} AS later
          WHERE later.status = '{waiting}' AND later.tenant_id > waiting.tenant_id
          ORDER BY later.tenant_id LIMIT 1)
  FROM waiting WHERE waiting.tenant_id IS NOT NULL
),
busy AS (
  SELECT tenant_id, COUNT(*) AS running FROM {jobs} WHERE status = '{running}' GROUP BY tenant_id
),
turns AS (
  SELECT waiting.tenant_id, COALESCE(busy.running, 0) AS running,
         (ROW_NUMBER() OVER (ORDER BY waiting.tenant_id) + ?5) % COUNT(*) OVER () AS turn
  FROM waiting LEFT JOIN busy ON busy.tenant_id = waiting.tenant_id
  WHERE waiting.tenant_id IS NOT NULL
  ORDER BY running, turn
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

# Differs: PostgreSQL has many writers, so a job that another one is claiming is passed over. It takes the
# turns in the order they come in; to sort here would be to lock a job of every tenant first.
NEXT_DUE = {
    "postgres": """
  CROSS JOIN LATERAL (
    SELECT job.id FROM {jobs} AS job
    WHERE job.status = '{waiting}' AND job.tenant_id = turns.tenant_id AND job.run_after <= ?1
    ORDER BY job.run_after LIMIT 1 FOR UPDATE SKIP LOCKED
  ) AS due""",
    # Differs: SQLite knows no LATERAL, its one writer needs no lock, and it may forget a subquery's order.
    "sqlite": """
  JOIN {jobs} AS due ON due.id = (
    SELECT job.id FROM {jobs} AS job
    WHERE job.status = '{waiting}' AND job.tenant_id = turns.tenant_id AND job.run_after <= ?1
    ORDER BY job.run_after LIMIT 1
  ) ORDER BY turns.running, turns.turn""",
}


def claim(db: Database, table: JobTable, *, worker_id: str, move_id: str, now: datetime) -> Job | None:
    """Take the next due job of this kind for a lease. None means that nothing is due."""
    lease = now + timedelta(seconds=table.lease_seconds)
    # Any number will do, as long as each claim has another.
    turn = crc32(move_id.encode())
    take = db.prepare(claim_sql(table, dialect=db.dialect)).bind(now, lease, worker_id, move_id, turn)
    row = db.batch([take, events.record_claim(db, table, move_id=move_id, now=now)])[0].first()
    return Job.of(row) if row else None


def find_held(db: Database, table: JobTable, *, worker_id: str) -> Job | None:
    """The job that a worker has claimed and neither ended nor handed over. None when it holds none."""
    held = db.prepare(f"""
        SELECT * FROM {table.name} WHERE status = '{table.running}' AND worker_id = ?1{moving.in_hand(table)}
    """)
    row = held.bind(worker_id).first()
    return Job.of(row) if row else None


def extend(db: Database, table: JobTable, job: Job, *, now: datetime, progress_message: str) -> bool:
    """Renew the lease and say how far it is. False when the job is no longer this worker's."""
    return _still_ours(db, table, job, now=now, progress_message=progress_message)


def begin_paid_work(
    db: Database, table: JobTable, job: Job, *, now: datetime, progress_message: str,
    columns: Mapping[str, Value] = moving.NO_COLUMNS,
) -> bool:  # fmt: skip
    """`extend`, and the last look before money is spent. False: then spend none. `columns` go with it."""
    paid = f", {table.paid_column} = COALESCE({table.paid_column}, ?5){moving.assigned(columns, first=6)}"
    return _still_ours(
        db, table, job, now=now, progress_message=progress_message, assigned=paid, values=columns.values()
    )


def complete(
    db: Database, table: JobTable, job: Job, *, result: Sequence[Statement], columns: Mapping[str, Value],
    move_id: str, now: datetime,
) -> bool:  # fmt: skip
    """The guarded end of a job: `columns` of its row, then the `result` statements, which follow the move.

    False when someone else ended it first; then nothing has changed.
    """
    move = db.prepare(f"""
        UPDATE {table.name}
        SET status = '{table.done}', completed_at = ?3, last_move_id = ?4, updated_at = ?3,
            locked_until = NULL, worker_id = NULL,
            {moving.cleared_errors(table)}{moving.assigned(columns, first=5)}
        WHERE id = ?1 AND attempt = ?2 AND status = '{table.running}'
    """).bind(job.id, job.attempt, now, move_id, *columns.values())
    settle = ledger.settle(db, table, job_id=job.id, move_id=move_id, now=now)
    event = events.record(db, table, job_id=job.id, move_id=move_id, move="complete", now=now)
    return db.batch([move, *result, *settle, event])[0].meta.changes == 1


def release(db: Database, table: JobTable, job: Job, *, move_id: str, now: datetime) -> bool:
    """Give a job back untouched, due at once, no retry counted. False when it is no longer its worker's."""
    move = db.prepare(f"""
        UPDATE {table.name}
        SET status = '{table.waiting}', run_after = ?3, started_at = NULL, last_move_id = ?4, updated_at = ?3,
            {moving.begun_anew(table)} {moving.cleared(table)}
        WHERE id = ?1 AND attempt = ?2 AND status = '{table.running}'{moving.in_hand(table)}
    """).bind(job.id, job.attempt, now, move_id)
    event = events.record(db, table, job_id=job.id, move_id=move_id, move="release", now=now)
    return db.batch([move, event])[0].meta.changes == 1


def fail(
    db: Database, table: JobTable, job: Job, *, error: JobFailure, move_id: str, now: datetime, jitter: float,
    also: Sequence[Statement] = (), columns: Mapping[str, Value] = moving.NO_COLUMNS,
    lease_lost: bool = False,
) -> Row | None:  # fmt: skip
    """End an attempt without a result: back to waiting while the error is transient and retries are left.

    `also` are statements for the same batch, `columns` what is set besides. With `lease_lost`, only if the
    lease has really run out. The row as it is then, or None when someone else moved the job first.
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
            {moving.begun_anew(table, when=again)}
            last_move_id = ?6, updated_at = ?4, {code} = ?7, {message} = ?8,
            {moving.cleared(table)}{moving.assigned(columns, first=9)}
        WHERE id = ?1 AND attempt = ?2 AND status = '{table.running}'
        {"AND locked_until < ?4" if lease_lost else ""}
        RETURNING *
    """).bind(
        job.id, job.attempt, error.transient, now,
        retry_at(error, retry_count=job.retry_count, now=now, jitter=jitter),
        move_id, error.code, error.message[:LONGEST_MESSAGE], *columns.values(),
    )  # fmt: skip
    close = ledger.settle if error.keeps_charge else ledger.release
    charge = close(db, table, job_id=job.id, move_id=move_id, now=now, when=f"job.status = '{table.failed}'")
    event = events.record(db, table, job_id=job.id, move_id=move_id, move="fail", now=now, detail=error.code)
    return db.batch([move, *also, *charge, event])[0].first()


def cancel(
    db: Database, table: JobTable, job_id: str, *, tenant_id: str, move_id: str, now: datetime
) -> bool:
    """End a live job for its owner. What was not paid for yet is given back. False when it is not live."""
    whose = {"id": job_id, "tenant_id": tenant_id}
    return db.batch(cancelling(db, table, whose=whose, move_id=move_id, now=now))[0].meta.changes == 1


def cancelling(
    db: Database, table: JobTable, *, whose: Mapping[str, str], move_id: str, now: datetime,
    person: str | None = None,
) -> list[Statement]:  # fmt: skip
    """What cancels the live job that has these values in its columns, for a batch of which it is a part.

    The first statement is the move. There must be one such job at most. `person`: who wanted it.
    """
    columns = " AND ".join(f"{column} = ?{place}" for place, column in enumerate(whose, start=3))
    move = db.prepare(f"""
        UPDATE {table.name}
        SET status = '{table.cancelled}', completed_at = ?1, last_move_id = ?2, updated_at = ?1,
            locked_until = NULL, worker_id = NULL
        WHERE {columns} AND status IN ('{table.waiting}', '{table.running}')
    """).bind(now, move_id, *whose.values())
    # By this and the move's id the others find the job that was moved.
    by, value = next(iter(whose.items()))
    paid = f"job.{table.spent_column or table.paid_column} IS NOT NULL"
    unpaid = f"NOT ({paid})"
    back = ledger.release(db, table, job_id=value, by=by, move_id=move_id, now=now, when=unpaid)
    kept = ledger.settle(
        db, table, job_id=value, by=by, move_id=move_id, now=now, when=paid, as_reserved=True
    )
    event = events.record(
        db, table, job_id=value, by=by, move_id=move_id, move="cancel", now=now, person=person
    )
    return [move, *back, *kept, event]


def reopen(
    db: Database, table: JobTable, job_id: str, *, tenant_id: str, period: str, move_id: str, now: datetime,
    when: str = "TRUE", values: Sequence[Value] = (),
) -> Statement:  # fmt: skip
    """The move by which a failed job waits again, to be charged to this period.

    `when` is a further condition, its values from ?6 on.
    """
    code, message = table.error_columns
    return db.prepare(f"""
        UPDATE {table.name}
        SET status = '{table.waiting}', retry_count = 0, run_after = ?3, started_at = NULL,
            {moving.begun_anew(table)} {moving.charged_anew(table)} completed_at = NULL,
            charge_round = charge_round + 1, charged_period = ?5,
            last_move_id = ?4, updated_at = ?3, {code} = NULL, {message} = NULL, {moving.cleared(table)}
        WHERE id = ?1 AND tenant_id = ?2 AND status = '{table.failed}' AND {when}
    """).bind(job_id, tenant_id, now, move_id, period, *values)


def rescue(
    db: Database, table: JobTable, *, now: datetime, new_id: Callable[[], str], jitter: Callable[[], float]
) -> Iterator[Row | DatabaseError]:
    """Treat every lost lease as a transient failure. Each job so moved, as it is then.

    One batch a job: a batch over many would take locks in an order that deadlocks with other moves. A job
    that the database refuses to move comes out as the error, and does not keep the others from rescue.
    """
    lost = db.prepare(f"""
        SELECT * FROM {table.name} WHERE status = '{table.running}' AND locked_until < ?1
        ORDER BY locked_until LIMIT {MOST_RESCUED}
    """).bind(now)
    error = LeaseExpired("The worker was not heard of again.")
    for row in lost.all().results:
        job, move_id = Job.of(row), new_id()
        try:
            moved = fail(
                db, table, job, error=error, move_id=move_id, now=now, jitter=jitter(), lease_lost=True
            )
        except DatabaseError as refused:
            yield refused
        else:
            if moved:
                yield moved


def is_any_due(db: Database, table: JobTable, *, now: datetime) -> bool:
    """Whether there is something to claim."""
    due = db.prepare(f"""
        SELECT EXISTS (SELECT 1 FROM {table.name} WHERE status = '{table.waiting}' AND run_after <= ?1)
          AS "any [BOOLEAN]"
    """)
    return bool(due.bind(now).first("any"))


def count_due(db: Database, table: JobTable, *, now: datetime) -> tuple[int, datetime | None]:
    """How many jobs wait that could run now (counted up to 1,000), and since when the oldest does."""
    counted = db.prepare(f"""
        SELECT COUNT(*) AS due, MIN(run_after) AS "oldest [TIMESTAMPTZ]"
        FROM (SELECT run_after FROM {table.name} WHERE status = '{table.waiting}' AND run_after <= ?1
              ORDER BY run_after LIMIT {MOST_COUNTED}) AS waiting
    """)
    row = counted.bind(now).first()
    return row["due"], row["oldest"]


def claim_sql(table: JobTable, *, dialect: str) -> str:
    words = {"jobs": table.name, "waiting": table.waiting, "running": table.running}
    return CLAIM.format(join_next_due=NEXT_DUE[dialect].format(**words), **words)


def _still_ours(
    db: Database, table: JobTable, job: Job, *, now: datetime, progress_message: str, assigned: str = "",
    values: Iterable[Value] = (),
) -> bool:  # fmt: skip
    lease = now + timedelta(seconds=table.lease_seconds)
    renew = db.prepare(f"""
        UPDATE {table.name} SET locked_until = ?3, progress_message = ?4, updated_at = ?5{assigned}
        WHERE id = ?1 AND attempt = ?2 AND status = '{table.running}'
    """)
    renewed = renew.bind(job.id, job.attempt, lease, progress_message, now, *values).run()
    return renewed.meta.changes == 1
