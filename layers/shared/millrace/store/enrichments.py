"""Enrichments: one job with its progress, and what they cost and achieved, day by day."""

from datetime import datetime, timedelta

from millrace.bindings.database import Database, Row
from millrace.errors import JobNotFound

REPORTED = timedelta(days=30)


def read(db: Database, job_id: str, *, tenant_id: str) -> Row:
    """The job, what its records have come to so far, and how far it is. JobNotFound when it is not theirs."""
    found = db.prepare("""
        SELECT job.*, counted.total_records_actual, counted.enriched_count, counted.failed_count,
               summary.progress_percentage
        FROM enrichment_jobs AS job
        JOIN enrichment_job_summary AS summary ON summary.id = job.id
        CROSS JOIN (
          SELECT COUNT(*) AS total_records_actual,
                 COUNT(CASE WHEN status = 'enriched' THEN 1 END) AS enriched_count,
                 COUNT(CASE WHEN status = 'failed' THEN 1 END) AS failed_count
          FROM enrichment_records WHERE job_id = ?1
        ) AS counted
        WHERE job.id = ?1 AND job.tenant_id = ?2
    """)
    row: Row | None = found.bind(job_id, tenant_id).first()
    if row is None:
        raise JobNotFound
    return row


def report_cost(db: Database, *, tenant_id: str, now: datetime) -> list[Row]:
    """What each of the last thirty days' finished jobs cost, newest day first."""
    report = db.prepare("""
        SELECT DATE(datetime(created_at)) AS "date [DATE]",
               CAST(SUM(actual_cost_microusd) AS BIGINT) AS daily_cost_microusd,
               COUNT(*) AS jobs_processed, CAST(SUM(total_records) AS BIGINT) AS records_processed
        FROM enrichment_jobs
        WHERE tenant_id = ?1 AND status = 'completed' AND created_at >= ?2 AND created_at <= ?3
        GROUP BY DATE(datetime(created_at)) ORDER BY DATE(datetime(created_at)) DESC
    """)
    return report.bind(tenant_id, now - REPORTED, now).all().results


def report_api_usage(db: Database, *, tenant_id: str, now: datetime) -> list[Row]:
    """Calls, tokens and cost of each provider on each of the last thirty days, newest day first."""
    report = db.prepare("""
        SELECT date AS "date [DATE]", provider, api_calls, total_tokens, total_cost_microusd,
               avg_response_time
        FROM daily_api_usage
        WHERE tenant_id = ?1 AND date >= ?2 AND date <= ?3 ORDER BY date DESC, provider
    """)
    return report.bind(tenant_id, (now - REPORTED).date(), now.date()).all().results


def report_success(db: Database, *, tenant_id: str, now: datetime) -> list[Row]:
    """How many of the records that were tried could be enriched, by the day they came in, newest first."""
    report = db.prepare("""
        SELECT date AS "date [DATE]", total_records, successful, failed, success_rate
        FROM enrichment_success_rate
        WHERE tenant_id = ?1 AND date >= ?2 AND date <= ?3 ORDER BY date DESC
    """)
    return report.bind(tenant_id, (now - REPORTED).date(), now.date()).all().results
