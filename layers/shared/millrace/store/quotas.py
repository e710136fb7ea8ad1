"""All limits of a tenant and of one of its users, and how much of each is used, as of now."""

from dataclasses import dataclass
from datetime import datetime

from millrace.bindings.database import Database, Row
from millrace.domain.callers import KeyUser
from millrace.domain.quota import EVALUATIONS, GPU_SECONDS, day_of, month_of
from millrace.store import monthly_usage, request_counts, spend

# Of a tenant with more, the first by their ids.
MOST_SITES = 1_000

EVALUATIONS_OF_SITES = f"""
SELECT site.id AS site_id, COALESCE(usage.evaluation_count, 0) AS used, {monthly_usage.LIMIT_NOW} AS most
FROM sites AS site JOIN tenants AS tenant ON tenant.id = site.tenant_id
LEFT JOIN ai_evaluation_usage AS usage ON usage.site_id = site.id AND usage.month = ?2
WHERE site.tenant_id = ?1 ORDER BY site.id LIMIT ?3
"""
GPU_SECONDS_USED = f"""
SELECT COALESCE(usage.used, 0) AS used, {monthly_usage.GPU_LIMIT_NOW} AS most
FROM tenants AS tenant
LEFT JOIN monthly_usage AS usage ON usage.tenant_id = tenant.id AND usage.month = ?2 AND usage.meter = ?3
WHERE tenant.id = ?1
"""
SPENT = f"""
SELECT COALESCE((SELECT used FROM daily_spend WHERE tenant_id = ?1 AND day = ?2), 0) AS used,
       {spend.limit_sql(tenant="?1")} AS most
"""


@dataclass(frozen=True, slots=True)
class Quotas:
    """Rows of what is `used` and the `most` there may be. `of_user` is empty where no kind is limited so."""

    evaluations: list[Row]
    gpu_seconds: list[Row]
    spent_microusd: list[Row]
    of_user: list[Row]


def read(db: Database, user: KeyUser, *, tenant_id: str, now: datetime) -> Quotas:
    """In one round trip."""
    month, day = month_of(now), day_of(now).isoformat()
    found = db.batch(
        [
            db.prepare(EVALUATIONS_OF_SITES).bind(tenant_id, month, MOST_SITES, *EVALUATIONS.tiers.values()),
            db.prepare(GPU_SECONDS_USED).bind(
                tenant_id, month, GPU_SECONDS.name, *GPU_SECONDS.tiers.values()
            ),
            db.prepare(SPENT).bind(tenant_id, day),
            request_counts.read(db, user, tenant_id=tenant_id, now=now),
        ]
    )
    evaluations, gpu_seconds, spent, of_user = (result.results for result in found)
    return Quotas(evaluations, gpu_seconds, spent, of_user if user.limited_kinds else [])
