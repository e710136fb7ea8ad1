"""Whether counters, ledger and jobs say the same of what was sold. It reads, and the database adds up."""

from dataclasses import dataclass

from millrace.bindings.database import Database, Row
from millrace.domain.jobs import JobTable
from millrace.domain.quota import Meter, charged_failures

MOST_LISTED = 100

# What the ledger must hold of each charge, by the job itself: of the last one by the job's state, of those
# before by the failures that were retried. Of those the ledger alone knows in which period they were charged
# and, where not all cost the same, how much was settled.
DUE = """
SELECT job.id AS job_id, job.charge_round, job.{subject} AS subject, job.charged_period AS period,
       CASE WHEN job.status IN ('{waiting}', '{running}') THEN 'reserve'
            WHEN job.status = '{done}'
              OR (job.status = '{failed}' AND job.{error_code} IN ({charged}))
              OR (job.status = '{cancelled}' AND job.{paid} IS NOT NULL) THEN 'reserve, settle'
            ELSE 'reserve, release' END AS entries,
       CASE WHEN job.status IN ('{waiting}', '{running}') THEN {reserved}
            WHEN job.status = '{done}'
              OR (job.status = '{failed}' AND job.{error_code} IN ({charged})) THEN {settled}
            WHEN job.status = '{cancelled}' AND job.{paid} IS NOT NULL THEN {reserved}
            ELSE 0 END AS owed
FROM {jobs} AS job
UNION ALL
SELECT job.id, ROW_NUMBER() OVER (PARTITION BY job.id ORDER BY retry.attempt) - 1, job.{subject}, NULL,
       CASE WHEN failure.detail ->> 'error_code' IN ({charged}) THEN 'reserve, settle'
            ELSE 'reserve, release' END,
       CASE WHEN failure.detail ->> 'error_code' IN ({charged}) THEN {settled_before} ELSE 0 END
FROM {jobs} AS job
JOIN job_events AS retry ON retry.job_id = job.id AND retry.move = 'retry'
JOIN job_events AS failure ON failure.job_id = job.id AND failure.move = 'fail'
  AND failure.attempt = retry.attempt
WHERE job.charge_round > 0
"""

# What the ledger holds beyond that. It may, of a job that is gone: such a one has left its timeline.
BEYOND = """
SELECT entry.*, EXISTS (SELECT 1 FROM job_events AS event WHERE event.job_id = entry.job_id)
                AND NOT EXISTS (SELECT 1 FROM {jobs} AS job WHERE job.id = entry.job_id) AS of_a_job_gone
FROM quota_entries AS entry
WHERE entry.meter = '{meter}' AND NOT EXISTS (
  SELECT 1 FROM {jobs} AS job
  WHERE job.id = entry.job_id AND job.{subject} = entry.subject
    AND (job.charge_round > entry.charge_round
         OR (job.charge_round = entry.charge_round AND job.charged_period = entry.period)))
"""

ITS = """
{entry}.meter = '{{meter}}' AND {entry}.call = '' AND {entry}.job_id = due.job_id
  AND {entry}.charge_round = due.charge_round AND {entry}.subject = due.subject
  AND {entry}.period = COALESCE(due.period, {entry}.period)
"""

CHARGES = f"""
SELECT due.job_id, due.charge_round, due.subject,
       COALESCE(due.period, reserve.period, ending.period, 'unknown') AS period,
       COALESCE(reserve.kind || CASE WHEN ending.kind IS NULL THEN '' ELSE ', ' || ending.kind END,
                ending.kind, 'nothing') AS ledger_says,
       due.entries AS jobs_say, COALESCE(due.owed, reserve.amount + ending.amount, 0) AS owed
FROM ({DUE}) AS due
LEFT JOIN quota_entries AS reserve ON reserve.kind = 'reserve' AND {ITS.format(entry="reserve")}
LEFT JOIN quota_entries AS ending ON ending.kind IN ('settle', 'release') AND {ITS.format(entry="ending")}
UNION ALL
SELECT job_id, charge_round, subject, period, kind, CASE WHEN of_a_job_gone THEN kind ELSE 'nothing' END,
       CASE WHEN of_a_job_gone THEN amount ELSE 0 END
FROM ({BEYOND}) AS beyond
"""

# A line for each subject and period. One statement sees one moment, however busy the database is.
LINES = f"""
SELECT subject, period, CAST(SUM(counter) AS BIGINT) AS counter_says,
       CAST(SUM(ledger) AS BIGINT) AS ledger_says, CAST(SUM(owed) AS BIGINT) AS jobs_say,
       CAST(SUM(wrong) AS BIGINT) AS wrong_charges
FROM (
  SELECT {{subject}} AS subject, {{period}} AS period, {{used}} AS counter, 0 AS ledger, 0 AS owed, 0 AS wrong
  FROM {{counter}} WHERE TRUE{{its_rows}}
  UNION ALL
  SELECT subject, period, 0, SUM(amount), 0, 0 FROM quota_entries WHERE meter = '{{meter}}'
  GROUP BY subject, period
  UNION ALL
  SELECT subject, period, 0, 0, SUM(owed), SUM(CASE WHEN ledger_says = jobs_say THEN 0 ELSE 1 END)
  FROM ({CHARGES}) AS charges GROUP BY subject, period
) AS said
GROUP BY subject, period
"""

WRONG_LINES = """
SELECT *, COUNT(*) OVER () AS lines, CAST(SUM(drifts) OVER () AS BIGINT) AS drifting
FROM (
  SELECT *, CASE WHEN counter_says = ledger_says AND ledger_says = jobs_say AND wrong_charges = 0
                 THEN 0 ELSE 1 END AS drifts
  FROM ({lines}) AS lines
) AS judged
ORDER BY drifts DESC, subject, period LIMIT {most}
"""

WRONG_CHARGES = """
SELECT job_id, charge_round, subject, period, ledger_says, jobs_say FROM ({charges}) AS charges
WHERE ledger_says <> jobs_say
ORDER BY subject, period, job_id, charge_round, ledger_says LIMIT {most}
"""


@dataclass(frozen=True, slots=True)
class Drift:
    """`lines` is how many subjects' periods there are, `drifting` how many of them are wrong.

    Of these, and of the charges that are wrong in them, the first are listed.
    """

    lines: int
    drifting: int
    listed: list[Row]
    charges: list[Row]


def find(db: Database, table: JobTable, *, meter: Meter) -> Drift:
    """Compare what the meter's counters say, what the ledger holds, and what the jobs of the table owe."""
    return compare(
        db, _fill(LINES, table=table, meter=meter), charges=_fill(CHARGES, table=table, meter=meter)
    )


def compare(db: Database, lines: str, *, charges: str) -> Drift:
    """What is wrong among the lines that this SQL adds up, and among the charges they are made of."""
    rows = db.prepare(WRONG_LINES.format(lines=lines, most=MOST_LISTED)).all().results
    listed = [row for row in rows if row["drifts"]]
    wrong = db.prepare(WRONG_CHARGES.format(charges=charges, most=MOST_LISTED))
    first = rows[0] if rows else {"lines": 0, "drifting": 0}
    return Drift(first["lines"], first["drifting"], listed, wrong.all().results if listed else [])


def _fill(sql: str, *, table: JobTable, meter: Meter) -> str:
    code, _ = table.error_columns
    return sql.format(
        jobs=table.name, waiting=table.waiting, running=table.running, done=table.done,
        failed=table.failed, cancelled=table.cancelled, error_code=code,
        paid=table.spent_column or table.paid_column,
        reserved=table.reserved, settled=table.used or table.reserved,
        settled_before="CAST(NULL AS BIGINT)" if table.used else table.reserved,
        charged=", ".join(f"'{name}'" for name in charged_failures()), meter=meter.name,
        counter=meter.counter, subject=meter.subject, period=meter.period, used=meter.used,
        its_rows=meter.its_rows(meter.counter),
    )  # fmt: skip
