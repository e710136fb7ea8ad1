"""Whether what was set aside and spent, and what users have used, is what was recorded of the calls."""

from millrace.bindings.database import Database
from millrace.domain.spending import SPEND
from millrace.store.drift import Drift, compare

# What each attempt was reserved and has cost. One of which nobody has told keeps what it was reserved.
CHARGES = f"""
SELECT charge.job_id, charge.charge_round, charge.subject, charge.period,
       charge.reserved + COALESCE(charge.ended, 0) AS amount,
       CASE WHEN charge.ended IS NULL THEN charge.reserved ELSE COALESCE(called.cost, 0) END AS owed,
       CASE WHEN charge.ending IS NULL THEN charge.call || ': reserve'
            ELSE charge.call || ': reserve, ' || charge.ending END AS ledger_says,
       CASE WHEN charge.ending IS NULL THEN charge.call || ': reserve'
            WHEN called.cost > 0 THEN charge.call || ': reserve, settle'
            ELSE charge.call || ': reserve, release' END AS jobs_say
FROM (
  SELECT job_id, charge_round, call, subject, period,
         SUM(CASE WHEN kind = 'reserve' THEN amount ELSE 0 END) AS reserved,
         SUM(CASE WHEN kind <> 'reserve' THEN amount END) AS ended,
         MAX(CASE WHEN kind <> 'reserve' THEN kind END) AS ending
  FROM quota_entries WHERE meter = '{SPEND.name}'
  GROUP BY job_id, charge_round, call, subject, period) AS charge
LEFT JOIN (
  SELECT job_id, CAST(attempt AS TEXT) AS call, SUM(cost_microusd) AS cost FROM usage_records
  GROUP BY job_id, attempt) AS called ON called.job_id = charge.job_id AND called.call = charge.call
"""

SPENT = f"""
SELECT subject, period, CAST(SUM(counter) AS BIGINT) AS counter_says,
       CAST(SUM(ledger) AS BIGINT) AS ledger_says, CAST(SUM(owed) AS BIGINT) AS jobs_say,
       CAST(SUM(wrong) AS BIGINT) AS wrong_charges
FROM (
  SELECT tenant_id AS subject, day AS period, used AS counter, 0 AS ledger, 0 AS owed, 0 AS wrong
  FROM daily_spend
  UNION ALL
  SELECT subject, period, 0, amount, owed, CASE WHEN ledger_says = jobs_say THEN 0 ELSE 1 END
  FROM ({CHARGES}) AS charges) AS said
GROUP BY subject, period
"""

# A line for each user, day and measure: what is counted of the day, and what is recorded of its calls.
COUNTED = ("input_tokens", "output_tokens", "cost_microusd")
USED = " UNION ALL ".join(
    f"""
SELECT tenant_id || ' ' || user_id || ' {measure}' AS subject, CAST(date AS TEXT) AS period,
       CAST(SUM(counted) AS BIGINT) AS counter_says, CAST(SUM(recorded) AS BIGINT) AS ledger_says,
       CAST(SUM(recorded) AS BIGINT) AS jobs_say, 0 AS wrong_charges
FROM (
  SELECT tenant_id, user_id, date, {measure} AS counted, 0 AS recorded FROM daily_usage
  UNION ALL
  SELECT tenant_id, user_id, date, 0, {measure} FROM usage_records) AS said
GROUP BY tenant_id, user_id, date
"""
    for measure in COUNTED
)


def find_spent(db: Database) -> Drift:
    """Compare the days' counters, the ledger, and what the attempts have cost as far as that is known."""
    return compare(db, SPENT, charges=CHARGES)


def find_used(db: Database) -> Drift:
    """Compare what is counted of each user's day with what is recorded of their calls."""
    return compare(db, USED, charges=CHARGES)
