"""Evaluation jobs and what came of them, as those who asked for them see it."""

from datetime import timedelta

from millrace.bindings.database import Database, Result, Row, Statement
from millrace.domain.estimates import LATEST
from millrace.domain.pages import Page
from millrace.errors import JobNotFound, SiteNotFound
from millrace.store.pages import newest

# A job with its evaluation's columns, None until there is one.
JOB = """
SELECT job.*, evaluation.score, evaluation.label, evaluation.recommendation, evaluation.summary,
       evaluation.risk_flags, evaluation.fraud_signals, evaluation.score_breakdown,
       evaluation.warnings, evaluation.evaluated_at, evaluation.model_version AS judged_by,
       lead.deleted_at AS lead_deleted_at
FROM ai_evaluation_jobs AS job
JOIN leads AS lead ON lead.id = job.lead_id
LEFT JOIN lead_ai_evaluations AS evaluation ON evaluation.id = job.evaluation_id
WHERE job.tenant_id = ?1 AND job.site_id = ?2
"""


def read(db: Database, job_id: str, *, tenant_id: str, site_id: str) -> tuple[Row, list[timedelta]]:
    """The job, and what the latest jobs of its site took. JobNotFound when it is not theirs."""
    found, latest = db.batch(
        [
            find(db, job_id, tenant_id=tenant_id, site_id=site_id),
            _latest_completed(db, tenant_id=tenant_id, site_id=site_id),
        ]
    )
    row = found.first()
    if row is None:
        raise JobNotFound
    return row, _durations(latest)


def find(db: Database, job_id: str, *, tenant_id: str, site_id: str) -> Statement:
    """The job alone, for a batch that also does something."""
    return db.prepare(f"{JOB} AND job.id = ?3").bind(tenant_id, site_id, job_id)


def list_jobs(
    db: Database, *, tenant_id: str, site_id: str, status: str | None, lead_id: str | None, page: Page
) -> tuple[list[Row], list[timedelta]]:
    """The site's jobs, those of one status or lead if it is named, and what the latest took. SiteNotFound."""
    named = {"status": status, "lead_id": lead_id}
    wanted = {column: value for column, value in named.items() if value is not None}
    conditions = "".join(f" AND job.{column} = ?{place}" for place, column in enumerate(wanted, start=3))
    site, listed, latest = db.batch(
        [
            db.prepare("SELECT id FROM sites WHERE tenant_id = ?1 AND id = ?2").bind(tenant_id, site_id),
            newest(
                db, JOB + conditions, tenant_id, site_id, *wanted.values(),
                page=page, at="job.requested_at", key="job.id",
            ),
            _latest_completed(db, tenant_id=tenant_id, site_id=site_id),
        ]
    )  # fmt: skip
    if site.first() is None:
        raise SiteNotFound
    return listed.results, _durations(latest)


def _latest_completed(db: Database, *, tenant_id: str, site_id: str) -> Statement:
    """Without those that a person had run again: they took as long as it took the person."""
    return db.prepare(f"""
        SELECT requested_at, completed_at FROM ai_evaluation_jobs
        WHERE tenant_id = ?1 AND site_id = ?2 AND status = 'completed' AND charge_round = 0
        ORDER BY completed_at DESC LIMIT {LATEST}
    """).bind(tenant_id, site_id)


def _durations(latest: Result) -> list[timedelta]:
    return [row["completed_at"] - row["requested_at"] for row in latest.results]
