"""Whether what was set aside and spent, and what users have used, is what was recorded of the calls."""

from millrace.bindings.database import Database
from millrace.domain.jobs import EVALUATION, EXPORT
from millrace.domain.quota import failures_of_unknown_cost
from millrace.domain.spending import SPEND
from millrace.store.drift import Drift, compare

# An attempt that is over and of which all is known: nothing of it may stay set aside. An evaluation's worker
# ends it and tells what it has paid for; what a GPU took is recorded once its provider has told.
IS_KNOWN = """
EXISTS (SELECT 1 FROM job_events AS event
        WHERE event.job_id = charge.job_id AND CAST(event.attempt AS TEXT) = charge.call
          AND event.kind = '{evaluation}'
          AND (event.move = 'complete'
               OR (event.move = 'fail' AND event.detail ->> 'error_code' NOT IN ({unknown}))))
OR EXISTS (SELECT 1 FROM usage_records AS record
           WHERE record.kind = '{export}' AND record.job_id = charge.job_id
             AND CAST(record.attempt AS TEXT) = charge.call)
""".format(
    evaluation=EVALUATION.kind,
    export=EXPORT.kind,
    unknown=", ".join(f"'{name}'" for name in failures_of_unknown_cost()),
)

# What each attempt was reserved and has cost. One of which nobody has told keeps what it was reserved.
RESERVED = f"""
SELECT charge.*, COALESCE(called.cost, 0) AS cost,
       CASE WHEN charge.ending IS NOT NULL THEN TRUE ELSE {IS_KNOWN} END AS is_known
FROM (
  SELECT job_id, charge_round, call, subject, period,
         SUM(CASE WHEN kind = 'reserve' THEN amount ELSE 0 END) AS reserved,
         SUM(CASE WHEN kind <> 'reserve' THEN amount ELSE 0 END) AS ended,
         MAX(CASE WHEN kind <> 'reserve' THEN kind END) AS ending
  FROM quota_entries WHERE meter = '{SPEND.name}'
  GROUP BY job_id, charge_round, call, subject, period) AS charge
LEFT JOIN (
  SELECT job_id, CAST(attempt AS TEXT) AS call, SUM(cost_microusd) AS cost FROM usage_records
  GROUP BY job_id, attempt) AS called ON called.job_id = charge.job_id AND called.call = charge.call
"""

# And what has cost something though nothing was reserved for it.
CHARGES = f"""
SELECT job_id, charge_round, subject, period, reserved + ended AS amount,
       CASE WHEN is_known THEN cost ELSE reserved END AS owed,
       call || ': reserve' || COALESCE(', ' || ending, '') AS ledger_says,
       call || CASE WHEN NOT is_known THEN ': reserve'
                    WHEN cost > 0 THEN ': reserve, settle' ELSE ': reserve, release' END AS jobs_say
FROM ({RESERVED}) AS charge
UNION ALL
SELECT job_id, 0, tenant_id, CAST(MIN(date) AS TEXT), 0, SUM(cost_microusd),
       CAST(attempt AS TEXT) || ': nothing', CAST(attempt AS TEXT) || ': reserve, settle'
FROM usage_records AS record
WHERE cost_microusd > 0 AND NOT EXISTS (
  SELECT 1 FROM quota_entries AS entry
  WHERE entry.meter = '{SPEND.name}' AND entry.job_id = record.job_id
    AND entry.call = CAST(record.attempt AS TEXT))
GROUP BY job_id, tenant_id, attempt
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
