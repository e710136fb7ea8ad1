"""How the next job is chosen, in SQL: fair to all tenants, and flat however many jobs have ended."""

from millrace.domain.jobs import JobTable

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


def claim_sql(table: JobTable, *, dialect: str) -> str:
    words = {"jobs": table.name, "waiting": table.waiting, "running": table.running}
    return CLAIM.format(join_next_due=NEXT_DUE[dialect].format(**words), **words)
