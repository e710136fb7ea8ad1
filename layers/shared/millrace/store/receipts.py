"""What a job was charged and what it has used, for whom it belongs to."""

from dataclasses import dataclass

from millrace.bindings.database import Database, Row
from millrace.domain.jobs import JOB_TABLES
from millrace.errors import JobNotFound

# A job of many calls has all of them in its totals.
MOST_CALLS = 1_000

KIND_OF = " UNION ALL ".join(
    f"SELECT '{table.kind}' AS kind FROM {table.name} WHERE id = ?1 AND tenant_id = ?2"
    for table in JOB_TABLES.values()
)
# A charge and its end may be of one moment, and in the alphabet its end comes first.
ENTRIES = """
SELECT meter, period, kind, amount, used_after, limit_then, created_at FROM quota_entries
WHERE job_id = ?1 AND tenant_id = ?2
ORDER BY created_at, charge_round, kind <> 'reserve', meter, call
"""
CALLS = f"""
SELECT timestamp, attempt, model, input_tokens, output_tokens, gpu_seconds, cost_microusd, duration_ms
FROM usage_records
WHERE job_id = ?1 AND tenant_id = ?2 ORDER BY timestamp, attempt, call LIMIT {MOST_CALLS}
"""
TOTALS = """
SELECT COUNT(*) AS calls, CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input_tokens,
       CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output_tokens,
       CAST(COALESCE(SUM(gpu_seconds), 0) AS BIGINT) AS gpu_seconds,
       CAST(COALESCE(SUM(cost_microusd), 0) AS BIGINT) AS cost_microusd,
       CAST(COALESCE(SUM(duration_ms), 0) AS BIGINT) AS duration_ms
FROM usage_records WHERE job_id = ?1 AND tenant_id = ?2
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """`entries` in the order they were written in, `calls` the first of them, `totals` of all calls."""

    kind: str
    entries: list[Row]
    calls: list[Row]
    totals: Row


def read(db: Database, job_id: str, *, tenant_id: str) -> Receipt:
    """In one round trip, whatever kind the job is of. JobNotFound when it is not theirs."""
    whose = (job_id, tenant_id)
    found, entries, calls, totals = db.batch(
        [db.prepare(sql).bind(*whose) for sql in (KIND_OF, ENTRIES, CALLS, TOTALS)]
    )
    job = found.first()
    if job is None:
        raise JobNotFound
    return Receipt(job["kind"], entries.results, calls.results, totals.results[0])
