"""Evaluation jobs and what came of them, as those who asked for them see it."""

from millrace.bindings.database import Database, Row
from millrace.errors import JobNotFound


def read(db: Database, job_id: str, *, tenant_id: str, site_id: str) -> Row:
    """The job with its evaluation's columns, None until there is one. JobNotFound when it is not theirs."""
    found = db.prepare("""
        SELECT job.*, evaluation.score, evaluation.label, evaluation.recommendation, evaluation.summary,
               evaluation.risk_flags, evaluation.fraud_signals, evaluation.score_breakdown,
               evaluation.warnings, evaluation.evaluated_at, evaluation.model_version AS judged_by
        FROM ai_evaluation_jobs AS job
        LEFT JOIN lead_ai_evaluations AS evaluation ON evaluation.id = job.evaluation_id
        WHERE job.id = ?1 AND job.tenant_id = ?2 AND job.site_id = ?3
    """)
    row: Row | None = found.bind(job_id, tenant_id, site_id).first()
    if row is None:
        raise JobNotFound
    return row
