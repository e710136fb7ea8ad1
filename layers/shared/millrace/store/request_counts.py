"""What a key's user has asked for and may ask for, counted in the batch of each job that is accepted."""

from collections.abc import Collection, Sequence
from datetime import datetime

from millrace.bindings.database import Database, Statement
from millrace.domain.callers import KeyUser
from millrace.domain.jobs import JOB_TABLES, JobTable
from millrace.domain.quota import (
    LIVE_JOBS,
    REQUESTS_A_DAY,
    REQUESTS_A_MINUTE,
    TOKENS_A_DAY,
    USER_LIMITS,
    Limit,
    day_of,
    refuse_more,
)
from millrace.errors import RateLimited
from millrace.store.ledger import Booking

# The tenant's own limit, or that of the key's tier: as it is now, whatever it was when the gateway last
# asked. A key that is nowhere has the least.
MOST = """
COALESCE(tenant.{name},
         CASE asking.quota_tier WHEN 'enterprise' THEN {enterprise} WHEN 'pro' THEN {pro} ELSE {free} END)
"""

# Of a job (?1) that a move (?2) has brought to wait, for the key that asked (?3).
COUNTED = """
SELECT job.tenant_id, job.user_id, '{name}', {period}, {used}, {most}
FROM {jobs} AS job JOIN tenants AS tenant ON tenant.id = job.tenant_id
LEFT JOIN api_keys AS asking ON asking.id = ?3 AND asking.tenant_id = job.tenant_id
WHERE job.id = ?1 AND job.last_move_id = ?2
"""

# Where clocks differ, somebody may have begun the next minute already.
ONE_MORE = """
used = CASE WHEN request_counts.period < excluded.period THEN 1 ELSE request_counts.used + 1 END,
period = CASE WHEN request_counts.period < excluded.period THEN excluded.period
              ELSE request_counts.period END
"""
AS_IT_IS = "used = excluded.used, period = excluded.period"

TOKENS = """
COALESCE((SELECT spent.input_tokens + spent.output_tokens FROM daily_usage AS spent
          WHERE spent.tenant_id = {tenant} AND spent.user_id = {user} AND spent.date = {day}), 0)
"""
LIVE = """
(SELECT COUNT(*) FROM {jobs} AS live
 WHERE live.tenant_id = {tenant} AND live.user_id = {user} AND live.completed_at IS NULL)
"""

# What the user (?2 of the tenant ?1, with the key ?3) has used on the day ?4, and may use.
USED = """
SELECT '{name}' AS name, {used} AS used, {most} AS most
FROM tenants AS tenant LEFT JOIN api_keys AS asking ON asking.id = ?3 AND asking.tenant_id = tenant.id
WHERE tenant.id = ?1
"""
ASKED = """
COALESCE((SELECT counted.used FROM request_counts AS counted
          WHERE counted.tenant_id = ?1 AND counted.user_id = ?2 AND counted.measure = '{name}'
            AND counted.period >= {period}), 0)
"""


def count(
    db: Database, table: JobTable, user: KeyUser, *, job_id: str, move_id: str, now: datetime
) -> list[Booking]:
    """What counts an accepted job for its user.

    Beyond a limit, `requests_within_limit` refuses. Requests come first: their rows hold up whoever else
    counts for the same user, so what is looked up after that stays true until the batch has ended.
    """
    its, key, day = (job_id, move_id), user.key_id, REQUESTS_A_DAY.period_of(now)
    asked = db.prepare(f"""
        INSERT INTO daily_usage (tenant_id, user_id, date, request_count)
        SELECT job.tenant_id, job.user_id, ?3, 1 FROM {table.name} AS job
        WHERE job.id = ?1 AND job.last_move_id = ?2
        ON CONFLICT (tenant_id, user_id, date) DO UPDATE SET request_count = daily_usage.request_count + 1
    """).bind(*its, day_of(now))
    booked = [Booking("daily_usage", (asked,), ())]
    if table.kind not in user.limited_kinds:
        return booked
    one_more = [(REQUESTS_A_DAY, "?4", "1"), (REQUESTS_A_MINUTE, "?5", "1")]
    whose = {"tenant": "job.tenant_id", "user": "job.user_id"}
    tokens, live = TOKENS.format(day="?5", **whose), _live(user.limited_kinds, **whose)
    as_it_is = [(TOKENS_A_DAY, "?4", tokens), (LIVE_JOBS, "''", live)]
    minute = REQUESTS_A_MINUTE.period_of(now)
    raises = (
        db.prepare(_counting(table, one_more, then=ONE_MORE)).bind(*its, key, day, minute),
        db.prepare(_counting(table, as_it_is, then=AS_IT_IS)).bind(*its, key, day, day_of(now)),
    )
    return [*booked, Booking("request_counts", raises, ())]


def facts_of(table: JobTable, user: KeyUser | None) -> str:
    """What the facts of an accepted `job` tell of its user's limits, as SQL: pairs, or nothing."""
    if user is None or table.kind not in user.limited_kinds:
        return ""
    one = """(SELECT {column} FROM request_counts AS counted WHERE counted.tenant_id = job.tenant_id
              AND counted.user_id = job.user_id AND counted.measure = '{name}')"""
    pairs = {"{name}": "used", "{name}_limit": "limit_then"}
    return "".join(
        f", '{key.format(name=limit.name)}', {one.format(column=column, name=limit.name)}"
        for limit in USER_LIMITS
        for key, column in pairs.items()
    )


def find_refusal(db: Database, user: KeyUser, *, tenant_id: str, now: datetime) -> RateLimited | None:
    """Which limit keeps the user from asking for one more job. None when none does, any more."""
    counted = read(db, user, tenant_id=tenant_id, now=now).all().results
    used = {row["name"]: (row["used"], row["most"]) for row in counted}
    for limit in USER_LIMITS:
        if refusal := refuse_more(limit, *used[limit.name], now=now):
            return refusal
    return None


def read(db: Database, user: KeyUser, *, tenant_id: str, now: datetime) -> Statement:
    """A row for each limit of the user: its `name`, how much is `used` of it, and the `most` they may."""
    whose = {"tenant": "?1", "user": "?2"}
    used = [
        (REQUESTS_A_DAY, ASKED.format(name=REQUESTS_A_DAY.name, period="?5")),
        (TOKENS_A_DAY, TOKENS.format(day="?4", **whose)),
        (REQUESTS_A_MINUTE, ASKED.format(name=REQUESTS_A_MINUTE.name, period="?6")),
        (LIVE_JOBS, _live(user.limited_kinds, **whose)),
    ]
    told = " UNION ALL ".join(
        USED.format(name=limit.name, used=one, most=_most(limit)) for limit, one in used
    )
    periods = (REQUESTS_A_DAY.period_of(now), REQUESTS_A_MINUTE.period_of(now))
    return db.prepare(told).bind(tenant_id, user.user_id, user.key_id, day_of(now), *periods)


def _counting(table: JobTable, counted: Sequence[tuple[Limit, str, str]], *, then: str) -> str:
    """A row for each limit, its period and what is used of it, as SQL; `then`, where there is one already."""
    rows = " UNION ALL ".join(
        COUNTED.format(name=limit.name, period=period, used=used, most=_most(limit), jobs=table.name)
        for limit, period, used in counted
    )
    return f"""
        INSERT INTO request_counts (tenant_id, user_id, measure, period, used, limit_then) {rows}
        ON CONFLICT (tenant_id, user_id, measure) DO UPDATE SET {then}, limit_then = excluded.limit_then
    """


def _most(limit: Limit) -> str:
    return MOST.format(name=limit.name, **limit.tiers)


def _live(kinds: Collection[str], *, tenant: str, user: str) -> str:
    """Jobs of these kinds that have not ended."""
    tables = [table.name for kind, table in JOB_TABLES.items() if kind in kinds]
    return " + ".join(LIVE.format(jobs=name, tenant=tenant, user=user) for name in tables) or "0"
