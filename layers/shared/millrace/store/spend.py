"""The money of a tenant's day: reserved before a paid call is made, and settled when its cost is known.

What is reserved for an attempt is the most that it can cost, so however many run at once, no day is overrun.
It is charged to the day of the reservation, whenever the attempt ends. While nobody knows what it came to, it
stays as it was reserved.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from millrace.bindings.database import Database, Statement
from millrace.domain.jobs import JOB_TABLES, Job, JobTable
from millrace.domain.quota import day_of
from millrace.domain.spending import LIMIT_SETTING, SPEND, refusal
from millrace.errors import SpendLimitReached
from millrace.store import ledger, settings
from millrace.store.ledger import Booking

# As it is shipped.
USUAL_LIMIT = "100.0"

# The attempt that is in hand, if it is, in the batch that has just renewed its lease. ?1 job, ?2 attempt.
IN_HAND = "job.id = ?1 AND job.attempt = ?2 AND job.status = '{running}'"

UNSETTLED = """NOT EXISTS (
    SELECT 1 FROM quota_entries AS ending
    WHERE ending.meter = charge.meter AND ending.job_id = charge.job_id AND ending.call = charge.call
      AND ending.charge_round = charge.charge_round AND ending.kind IN ('settle', 'release'))"""

# What an attempt that is over was reserved, and nobody has settled. ?1 job, ?2 call: the attempt.
OPEN_CHARGE = f"""
FROM quota_entries AS charge
JOIN daily_spend AS usage ON usage.tenant_id = charge.subject AND usage.day = charge.period
WHERE charge.meter = '{SPEND.name}' AND charge.job_id = ?1 AND charge.call = ?2 AND charge.kind = 'reserve'
  AND {UNSETTLED}
  AND NOT EXISTS (
    SELECT 1 FROM {{jobs}} AS job
    WHERE job.id = charge.job_id AND CAST(job.attempt AS TEXT) = charge.call AND job.status = '{{running}}')
"""

# What of the day is set aside for attempts that run. What one that went on elsewhere has cost may be known a
# little after its end. ?1 tenant, ?2 day, ?3 since when it may have ended.
SET_ASIDE = " + ".join(
    f"""
    COALESCE((
      SELECT SUM(charge.amount) FROM {table.name} AS job
      JOIN quota_entries AS charge ON charge.meter = '{SPEND.name}' AND charge.subject = ?1
        AND charge.period = ?2 AND charge.job_id = job.id AND charge.charge_round = job.charge_round
        AND charge.call = CAST(job.attempt AS TEXT) AND charge.kind = 'reserve' AND {UNSETTLED}
      WHERE job.tenant_id = ?1
        AND (job.status = '{table.running}'{" OR job.completed_at > ?3" if table.handed_over else ""})), 0)
    """
    for table in JOB_TABLES.values()
)
SETTLED_WITHIN = timedelta(minutes=2)


def limit_sql(*, tenant: str) -> str:
    """What a tenant may spend in a day now, in micro-dollars, as an expression of SQL."""
    dollars = f"COALESCE({settings.value_sql(LIMIT_SETTING, tenant=tenant)}, '{USUAL_LIMIT}')"
    return f"CAST(ROUND(CAST({dollars} AS NUMERIC) * 1000000) AS BIGINT)"


def used_sql(*, tenant: str, day: str) -> str:
    """What is spent or set aside of the day."""
    return f"COALESCE((SELECT used FROM daily_spend WHERE tenant_id = {tenant} AND day = {day}), 0)"


def ask(
    db: Database, table: JobTable, *, job_id: str, move_id: str, least: Mapping[str, int] | int, now: datetime
) -> list[Statement]:
    """What refuses a job that was moved to wait while less is left of the day than it costs at `least`.

    By its model, or in any case. No row is written: only one that `usage_within_quota` refuses is put to it.
    """
    cost, values = _least_sql(least, first=5)
    if not any(values):
        return []
    put = db.prepare(f"""
        INSERT INTO quota_entries (meter, subject, period, tenant_id, job_id, charge_round, call, kind,
                                   amount, used_after, limit_then, created_at)
        SELECT '{SPEND.name}', tenant_id, ?3, tenant_id, id, charge_round, '', 'reserve', least,
               used + least, most, ?4
        FROM (
          SELECT job.id, job.tenant_id, job.charge_round,
                 CAST({cost} AS BIGINT) AS least,
                 {used_sql(tenant="job.tenant_id", day="?3")} AS used,
                 {limit_sql(tenant="job.tenant_id")} AS most
          FROM {table.name} AS job WHERE job.id = ?1 AND job.last_move_id = ?2) AS asked
        WHERE least > 0 AND used + least > most
    """)
    return [put.bind(job_id, move_id, day_of(now).isoformat(), now, *values)]


def _least_sql(least: Mapping[str, int] | int, *, first: int) -> tuple[str, list[str | int]]:
    """Of a job's row, and the values of its placeholders."""
    if isinstance(least, int):
        return f"?{first}", [least]
    paid = [(model, cost) for model, cost in least.items() if cost]
    places = range(first, first + 2 * len(paid), 2)
    cases = " ".join(f"WHEN ?{place} THEN ?{place + 1}" for place in places)
    return f"CASE job.model_version {cases} ELSE 0 END", [value for pair in paid for value in pair]


def facts_of(least: Mapping[str, int] | int, *, now: datetime, first: int) -> tuple[str, list[str | int]]:
    """What the facts of an accepted `job` that costs money tell of the day, as SQL: pairs, or nothing.

    Beside it the values of the placeholders, from the `first` on.
    """
    cost, values = _least_sql(least, first=first + 1)
    if not any(values):
        return "", []
    used = used_sql(tenant="job.tenant_id", day=f"?{first}")
    spent = f"CASE WHEN CAST({cost} AS BIGINT) > 0 THEN {used} END"
    pairs = f", 'spent', {spent}, 'spend_limit', {limit_sql(tenant='job.tenant_id')}"
    return pairs, [day_of(now).isoformat(), *values]


def find_refusal(
    db: Database, *, tenant_id: str, cost: Mapping[str, int] | int, now: datetime
) -> SpendLimitReached:
    """What was spent of how much, for who has been refused so much, or at least one of these."""
    found = db.prepare(f"""
        SELECT {used_sql(tenant="?1", day="?2")} AS used, {limit_sql(tenant="?1")} AS most,
               CAST({SET_ASIDE} AS BIGINT) AS set_aside
    """)
    row = found.bind(tenant_id, day_of(now).isoformat(), now - SETTLED_WITHIN).first()
    least = cost if isinstance(cost, int) else min(filter(None, cost.values()))
    return refusal(cost=least, used=row["used"], set_aside=row["set_aside"], limit=row["most"], now=now)


def reserve(db: Database, table: JobTable, job: Job, *, most_microusd: int, now: datetime) -> list[Statement]:
    """Set aside what the attempt may come to. Beyond the limit, `usage_within_quota` refuses.

    What is free reserves nothing.
    """
    if not most_microusd:
        return []
    in_hand = IN_HAND.format(running=table.running)
    count = db.prepare(f"""
        INSERT INTO daily_spend (tenant_id, day, used, quota_limit, created_at, updated_at)
        SELECT job.tenant_id, ?3, CAST(?4 AS BIGINT), {limit_sql(tenant="job.tenant_id")}, ?5, ?5
        FROM {table.name} AS job WHERE {in_hand}
        ON CONFLICT (tenant_id, day) DO UPDATE
        SET used = daily_spend.used + excluded.used, quota_limit = excluded.quota_limit,
            updated_at = excluded.updated_at
    """)
    entry = db.prepare(f"""
        INSERT INTO quota_entries (meter, subject, period, tenant_id, job_id, charge_round, call, kind,
                                   amount, used_after, limit_then, created_at)
        SELECT '{SPEND.name}', usage.tenant_id, usage.day, job.tenant_id, job.id, job.charge_round,
               CAST(job.attempt AS TEXT), 'reserve', CAST(?4 AS BIGINT), usage.used, usage.quota_limit, ?5
        FROM {table.name} AS job
        JOIN daily_spend AS usage ON usage.tenant_id = job.tenant_id AND usage.day = ?3
        WHERE {in_hand}
    """)
    values = (job.id, job.attempt, day_of(now).isoformat(), most_microusd, now)
    return [count.bind(*values), entry.bind(*values)]


def settle(db: Database, table: JobTable, job: Job, *, cost_microusd: int, now: datetime) -> Booking:
    """Charge what an attempt that is over has cost, whoever has ended it, if that is not done yet.

    Of an attempt that cost nothing, all is given back.
    """
    kind = "settle" if cost_microusd else "release"
    change = "CAST(?4 AS BIGINT) - charge.amount"
    its = (job.id, str(job.attempt), now, cost_microusd)
    charge = OPEN_CHARGE.format(jobs=table.name, running=table.running)
    counter = ledger.count(db, SPEND, charge=charge, change=change)
    ending = ledger.end(db, SPEND, charge=charge, kind=kind, amount=change)
    return Booking(SPEND.counter, (counter.bind(*its),), (ending.bind(*its),))
