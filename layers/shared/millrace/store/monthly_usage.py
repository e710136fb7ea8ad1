"""How much of what is sold by the month there may be, and how many evaluations a site has used."""

from datetime import datetime

from millrace.bindings.database import Database, Row
from millrace.domain.quota import EVALUATIONS, month_of
from millrace.errors import SiteNotFound

# What a site may have now: its own limit, its tenant's, or its tier's, in the order of the tiers.
LIMIT_NOW = """
COALESCE(site.evaluations_a_month, tenant.evaluations_a_month,
         CASE site.tier WHEN 'free' THEN ?4 WHEN 'pro' THEN ?5 ELSE ?6 END)
"""
# What a tenant may have now of seconds on GPUs, likewise.
GPU_LIMIT_NOW = """
COALESCE(tenant.gpu_seconds_a_month, CASE tenant.tier WHEN 'free' THEN ?4 WHEN 'pro' THEN ?5 ELSE ?6 END)
"""


def read(db: Database, site_id: str, *, tenant_id: str, month: str, now: datetime) -> Row:
    """What was used in the month and what of. SiteNotFound.

    A month that is over keeps the limit it was last charged by; until then the limit is what it is now.
    """
    row: Row | None = (
        db.prepare(f"""
            SELECT site.id AS site_id, COALESCE(usage.evaluation_count, 0) AS used,
                   COALESCE(CASE WHEN ?7 THEN usage.quota_limit END, {LIMIT_NOW}) AS quota_limit,
                   COALESCE(CASE WHEN ?7 THEN usage.tier END, site.tier) AS tier
            FROM sites AS site JOIN tenants AS tenant ON tenant.id = site.tenant_id
            LEFT JOIN ai_evaluation_usage AS usage ON usage.site_id = site.id AND usage.month = ?3
            WHERE site.id = ?1 AND site.tenant_id = ?2
        """)
        .bind(site_id, tenant_id, month, *EVALUATIONS.tiers.values(), month < month_of(now))
        .first()
    )
    if row is None:
        raise SiteNotFound
    return row
