"""The ledger of what was sold, and the counters it adds up to. Every statement here follows a job's move."""

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
JOIN {counter} AS usage ON usage.{subject} = charge.subject AND usage.{period} = charge.period
WHERE job.{by} = ?1 AND job.last_move_id = ?2
"""


def reserve(db: Database, table: JobTable, *, job_id: str, move_id: str, now: datetime) -> Statement:
    """Write down that the counter was raised for this job. Beyond the limit, `usage_within_quota` refuses."""
    meter = table.meter
    assert meter is not None  # noqa: S101 - who sells nothing by the job does not come here
    return db.prepare(f"""
        INSERT INTO quota_entries (meter, subject, period, tenant_id, job_id, charge_round, call, kind,
                                   amount, used_after, limit_then, created_at)
        SELECT '{meter.name}', usage.{meter.subject}, usage.{meter.period}, job.tenant_id, job.id,
               job.charge_round, '', 'reserve', 1, usage.{meter.used}, usage.{meter.limit}, ?3
        FROM {table.name} AS job
        JOIN {meter.counter} AS usage ON usage.{meter.subject} = job.{meter.subject}
          AND usage.{meter.period} = job.charged_period
        WHERE job.id = ?1 AND job.last_move_id = ?2
    """).bind(job_id, move_id, now)


def release(
    db: Database, table: JobTable, *, job_id: str, move_id: str, now: datetime, when: str = "", by: str = "id"
) -> list[Statement]:
    """Give back what the job was charged. `when` is a further condition on the moved job, as SQL.

    A release is never refused: a counter that somebody set too low stays at zero, and the ledger tells.
    """
    meter = table.meter
    if meter is None:
        return []
    charge = _open_charge(table, meter=meter, when=when, by=by)
    lower = db.prepare(f"""
        UPDATE {meter.counter}
        SET {meter.used} = CASE WHEN {meter.counter}.{meter.used} < open.amount THEN 0
                                ELSE {meter.counter}.{meter.used} - open.amount END, updated_at = ?3
        FROM (SELECT charge.subject, charge.period, charge.amount {charge}) AS open
        WHERE {meter.counter}.{meter.subject} = open.subject AND {meter.counter}.{meter.period} = open.period
    """).bind(job_id, move_id, now)
    ending = _ending(db, table, meter=meter, kind="release", amount="-charge.amount", when=when, by=by)
    return [lower, ending.bind(job_id, move_id, now)]


def settle(
    db: Database, table: JobTable, *, job_id: str, move_id: str, now: datetime, when: str = "", by: str = "id"
) -> list[Statement]:
    """Keep what the job was charged, for good."""
    if table.meter is None:
        return []
    ending = _ending(db, table, meter=table.meter, kind="settle", amount="0", when=when, by=by)
    return [ending.bind(job_id, move_id, now)]


def _ending(
    db: Database, table: JobTable, *, meter: Meter, kind: str, amount: str, when: str, by: str
) -> Statement:
    """At most one ending for a charge: `one_ending_per_charge` refuses a second."""
    return db.prepare(f"""
        INSERT INTO quota_entries (meter, subject, period, tenant_id, job_id, charge_round, call, kind,
                                   amount, used_after, limit_then, created_at)
        SELECT charge.meter, charge.subject, charge.period, charge.tenant_id, charge.job_id,
               charge.charge_round, '', '{kind}', {amount}, usage.{meter.used}, usage.{meter.limit}, ?3
        {_open_charge(table, meter=meter, when=when, by=by)}
    """)


def _open_charge(table: JobTable, *, meter: Meter, when: str, by: str) -> str:
    joined = OPEN_CHARGE.format(
        jobs=table.name, meter=meter.name, counter=meter.counter, subject=meter.subject, period=meter.period,
        by=by,
    )  # fmt: skip
    return f"{joined} AND {when}" if when else joined
