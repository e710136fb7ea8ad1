"""What a tenant's jobs have used in a time, grouped, for whom it belongs to."""

from collections.abc import Mapping
from datetime import date

from millrace.bindings.database import Database, Row

MOST_ROWS = 1_000

COLUMNS: Mapping[str, str] = {
    "day": "CAST(date AS TEXT)",
    "model": "model",
    "kind": "kind",
    "site": "site_id",
    "user": "user_id",
}
SUMS = ", ".join(
    f"CAST(COALESCE(SUM({measure}), 0) AS BIGINT) AS {measure}"
    for measure in ("input_tokens", "output_tokens", "gpu_seconds", "cost_microusd")
)
USED = f"""
SELECT {{group}} COUNT(*) AS calls, {SUMS}
FROM usage_records WHERE tenant_id = ?1 AND date >= ?2 AND date <= ?3
"""


def read(db: Database, *, tenant_id: str, first: date, last: date, group_by: str) -> tuple[list[Row], Row]:
    """The rows of the days from first to last, and what they come to. In one round trip."""
    column = COLUMNS[group_by]
    order = column if group_by == "day" else "cost_microusd DESC, calls DESC, 1"
    grouped = USED.format(group=f'{column} AS "group",')
    rows, totals = db.batch(
        [
            db.prepare(f"{grouped} GROUP BY {column} ORDER BY {order} LIMIT {MOST_ROWS}").bind(
                tenant_id, first, last
            ),
            db.prepare(USED.format(group="")).bind(tenant_id, first, last),
        ]
    )
    return rows.results, totals.results[0]
