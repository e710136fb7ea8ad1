"""The ledger of what was sold, and the counters it adds up to. Every statement here follows a job's move."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from millrace.bindings.database import Database, Statement
from millrace.domain.jobs import JobTable
from millrace.domain.quota import Meter

# What a job was charged and has not yet been settled or given back, joined to its counter.
# ?1 job, by its id or another column of its own, ?2 the move that must have taken place.
OPEN_CHARGE = """
FROM {jobs} AS job
JOIN quota_entries AS charge ON charge.meter = '{meter}' AND charge.job_id = job.id
  AND charge.charge_round = job.charge_round AND charge.call = '' AND charge.kind = 'reserve'
JOIN {counter} AS usage ON usage.{subject} = charge.subject AND usage.{period} = charge.period{its_rows}
WHERE job.{by} = ?1 AND job.last_move_id = ?2
"""


@dataclass(frozen=True, slots=True)
class Booking:
    """What is written of one meter: what moves its counter, which is a table, and the entries that tell why.

    `holds` are about rows that are taken before any counter.
    """

    counter: str
    raises: tuple[Statement, ...] = ()
    entries: tuple[Statement, ...] = ()
    holds: tuple[Statement, ...] = ()


def in_order(bookings: Iterable[Booking]) -> list[Statement]:
    """Counters by the names of their tables, and only then what tells why: the order of every batch.

    Batches that took their locks in different orders would wait for each other for ever.
    """
    booked = sorted(bookings, key=lambda booking: booking.counter)
    return [
        statement
        for part in ("holds", "raises", "entries")
        for booking in booked
        for statement in getattr(booking, part)
    ]


def reserve(db: Database, table: JobTable, *, job_id: str, move_id: str, now: datetime) -> Statement:
    """Write down that the counter was raised for this job. Beyond the limit, `usage_within_quota` refuses."""
    meter = table.meter
    assert meter is not None  # noqa: S101 - who sells nothing by the job does not come here
    return db.prepare(f"""
        INSERT INTO quota_entries (meter, subject, period, tenant_id, job_id, charge_round, call, kind,
                                   amount, used_after, limit_then, created_at)
        SELECT '{meter.name}', usage.{meter.subject}, usage.{meter.period}, job.tenant_id, job.id,
               job.charge_round, '', 'reserve', {table.reserved}, usage.{meter.used}, usage.{meter.limit}, ?3
        FROM {table.name} AS job
        JOIN {meter.counter} AS usage ON usage.{meter.subject} = job.{meter.subject}
          AND usage.{meter.period} = job.charged_period{meter.its_rows("usage")}
        WHERE job.id = ?1 AND job.last_move_id = ?2
    """).bind(job_id, move_id, now)


def release(
    db: Database, table: JobTable, *, job_id: str, move_id: str, now: datetime, when: str = "", by: str = "id"
) -> list[Booking]:
    """Give back what the job was charged. `when` is a further condition on the moved job, as SQL.

    A release is never refused: a counter that somebody set too low stays at zero, and the ledger tells.
    """
    meter = table.meter
    if meter is None:
        return []
    back = "-charge.amount"
    charge = _open_charge(table, meter=meter, when=when, by=by)
    counter = count(db, meter, charge=charge, change=back).bind(job_id, move_id, now)
    ending = end(db, meter, charge=charge, kind="release", amount=back).bind(job_id, move_id, now)
    return [Booking(meter.counter, (counter,), (ending,))]


def settle(
    db: Database, table: JobTable, *, job_id: str, move_id: str, now: datetime, when: str = "",
    by: str = "id", as_reserved: bool = False,
) -> list[Booking]:  # fmt: skip
    """Charge what the job has used, for good; `as_reserved`: what was reserved, since nobody knows better.

    More may have been used than was left of the quota: what is done is not refused.
    """
    meter = table.meter
    if meter is None:
        return []
    charge = _open_charge(table, meter=meter, when=when, by=by)
    if table.used is None or as_reserved:
        kept = end(db, meter, charge=charge, kind="settle", amount="0")
        return [Booking(meter.counter, (), (kept.bind(job_id, move_id, now),))]
    more = f"{table.used} - charge.amount"
    counter = count(db, meter, charge=charge, change=more).bind(job_id, move_id, now)
    ending = end(db, meter, charge=charge, kind="settle", amount=more).bind(job_id, move_id, now)
    return [Booking(meter.counter, (counter,), (ending,))]


def count(db: Database, meter: Meter, *, charge: str, change: str) -> Statement:
    """Move the counter by what `change` says of an open charge (?3 now). It never comes below zero."""
    counter = meter.counter
    return db.prepare(f"""
        UPDATE {counter}
        SET {meter.used} = CASE WHEN {counter}.{meter.used} + open.change < 0 THEN 0
                                ELSE {counter}.{meter.used} + open.change END, updated_at = ?3
        FROM (SELECT charge.subject, charge.period, {change} AS change {charge}) AS open
        WHERE {counter}.{meter.subject} = open.subject
          AND {counter}.{meter.period} = open.period{meter.its_rows(counter)}
    """)


def end(db: Database, meter: Meter, *, charge: str, kind: str, amount: str) -> Statement:
    """At most one ending for a charge: `one_ending_per_charge` refuses a second. ?3 is now."""
    return db.prepare(f"""
        INSERT INTO quota_entries (meter, subject, period, tenant_id, job_id, charge_round, call, kind,
                                   amount, used_after, limit_then, created_at)
        SELECT charge.meter, charge.subject, charge.period, charge.tenant_id, charge.job_id,
               charge.charge_round, charge.call, '{kind}', {amount}, usage.{meter.used},
               usage.{meter.limit}, ?3
        {charge}
    """)


def _open_charge(table: JobTable, *, meter: Meter, when: str, by: str) -> str:
    joined = OPEN_CHARGE.format(
        jobs=table.name, meter=meter.name, counter=meter.counter, subject=meter.subject, period=meter.period,
        by=by, its_rows=meter.its_rows("usage"),
    )  # fmt: skip
    return f"{joined} AND {when}" if when else joined
