"""The moves of a job, written once for every kind. Each names the state and the attempt it leaves."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zlib import crc32

from millrace.bindings.database import Database, Row, Statement, Value
from millrace.domain.callers import KeyUser
from millrace.domain.jobs import Job, JobTable, retry_at
from millrace.errors import ConstraintBroken, DatabaseError, JobFailure, LeaseExpired, Refusal
from millrace.store import events, ledger, moving, spend
from millrace.store.claiming import claim_sql
from millrace.store.ledger import Booking, in_order

MOST_RESCUED = 100
MOST_COUNTED = 1_000
LONGEST_MESSAGE = 500


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
    return _renew(db, table, job, now=now, progress_message=progress_message).run().meta.changes == 1


def begin_paid_work(
    db: Database, table: JobTable, job: Job, *, now: datetime, progress_message: str, most_microusd: int = 0,
    columns: Mapping[str, Value] = moving.NO_COLUMNS,
) -> bool:  # fmt: skip
    """`extend`, and the last look before money is spent. False: then spend none. `columns` go with it.

    The most that may be spent is set aside. SpendLimitReached: then nothing has changed.
    """
    paid = f", {table.paid_column} = COALESCE({table.paid_column}, ?5){moving.assigned(columns, first=6)}"
    renew = _renew(
        db, table, job, now=now, progress_message=progress_message, assigned=paid, values=columns.values()
    )
    reserve = spend.reserve(db, table, job, most_microusd=most_microusd, now=now)
    try:
        return db.batch([renew, *reserve])[0].meta.changes == 1
    except ConstraintBroken as broken:
        if broken.constraint != "usage_within_quota":
            raise
        raise spend.find_refusal(db, tenant_id=job.tenant_id, cost=most_microusd, now=now) from None


def complete(
    db: Database, table: JobTable, job: Job, *, result: Sequence[Statement], columns: Mapping[str, Value],
    booked: Sequence[Booking] = (), move_id: str, now: datetime,
) -> bool:  # fmt: skip
    """The guarded end of a job: `columns` of its row, then the `result` statements, which follow the move.

    `booked` is for the same batch. False when someone else ended it first; then the move has changed nothing.
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
    return db.batch([move, *result, *in_order([*booked, *settle]), event])[0].meta.changes == 1


def release(
    db: Database, table: JobTable, job: Job, *, move_id: str, now: datetime, due_at: datetime | None = None,
    why: Refusal | None = None, says: str | None = None,
) -> bool:  # fmt: skip
    """Give a job back untouched, no retry counted. False when it is no longer its worker's.

    It is due at once, unless there is a reason `why` it has to wait, which its progress `says`.
    """
    move = db.prepare(f"""
        UPDATE {table.name}
        SET status = '{table.waiting}', run_after = ?5, started_at = NULL, last_move_id = ?4, updated_at = ?3,
            {moving.begun_anew(table)} {moving.cleared(table, says="?6")}
        WHERE id = ?1 AND attempt = ?2 AND status = '{table.running}'{moving.in_hand(table)}
    """).bind(job.id, job.attempt, now, move_id, due_at or now, says)
    event = events.record(
        db, table, job_id=job.id, move_id=move_id, move="release", now=now, detail=why.code if why else None
    )
    return db.batch([move, event])[0].meta.changes == 1


def fail(
    db: Database, table: JobTable, job: Job, *, error: JobFailure, move_id: str, now: datetime, jitter: float,
    booked: Sequence[Booking] = (), columns: Mapping[str, Value] = moving.NO_COLUMNS,
    lease_lost: bool = False,
) -> Row | None:  # fmt: skip
    """End an attempt without a result: back to waiting while the error is transient and retries are left.

    `booked` is for the same batch, `columns` are what is set besides. With `lease_lost`, only if the lease
    has really run out. The row as it is then, or None when someone else moved the job first.
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
    return db.batch([move, *in_order([*booked, *charge]), event])[0].first()


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
            locked_until = NULL, worker_id = NULL, progress_message = NULL
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
    return [move, *in_order([*back, *kept]), event]


def reopen(
    db: Database, table: JobTable, job_id: str, *, tenant_id: str, period: str, move_id: str, now: datetime,
    user: KeyUser | None = None, when: str = "TRUE", values: Sequence[Value] = (),
) -> Statement:  # fmt: skip
    """The move by which a failed job waits again, to be charged to this period.

    It is counted for `user` from now on. `when` is a further condition, its values from ?6 on.
    """
    code, message = table.error_columns
    return db.prepare(f"""
        UPDATE {table.name}
        SET status = '{table.waiting}', retry_count = 0, run_after = ?3, started_at = NULL,
            {moving.begun_anew(table)} {moving.charged_anew(table)} completed_at = NULL,
            charge_round = charge_round + 1, charged_period = ?5,
            user_id = COALESCE(?{6 + len(values)}, user_id),
            last_move_id = ?4, updated_at = ?3, {code} = NULL, {message} = NULL, {moving.cleared(table)}
        WHERE id = ?1 AND tenant_id = ?2 AND status = '{table.failed}' AND {when}
    """).bind(job_id, tenant_id, now, move_id, period, *values, user.user_id if user else None)


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


def _renew(
    db: Database, table: JobTable, job: Job, *, now: datetime, progress_message: str, assigned: str = "",
    values: Iterable[Value] = (),
) -> Statement:  # fmt: skip
    lease = now + timedelta(seconds=table.lease_seconds)
    return db.prepare(f"""
        UPDATE {table.name} SET locked_until = ?3, progress_message = ?4, updated_at = ?5{assigned}
        WHERE id = ?1 AND attempt = ?2 AND status = '{table.running}'
    """).bind(job.id, job.attempt, lease, progress_message, now, *values)
