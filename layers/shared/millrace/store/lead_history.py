"""What is known of a lead by its evaluations: the latest, all of them, and who did what."""

from millrace.bindings.database import Database, Row
from millrace.domain.pages import Page
from millrace.errors import EvaluationNotFound, LeadNotFound, SiteNotFound
from millrace.store.pages import newest

# A lead of the tenant's site. No row: there is no such site. lead_id None: no such lead.
WHOSE = """
FROM sites AS site
LEFT JOIN leads AS lead ON lead.id = ?3 AND lead.site_id = site.id AND lead.tenant_id = site.tenant_id
  AND lead.deleted_at IS NULL
"""

EVALUATION = """
evaluation.id, evaluation.job_id, evaluation.score, evaluation.label, evaluation.recommendation,
evaluation.summary, evaluation.risk_flags, evaluation.fraud_signals, evaluation.extracted_data,
evaluation.score_breakdown, evaluation.warnings, evaluation.evaluated_at, evaluation.model_version,
decision.id AS override_id, decision.new_recommendation, decision.reason, decision.overridden_by,
decision.overridden_at
"""

# Beside an evaluation what a person decided instead, the last time.
DECISION = """
LEFT JOIN evaluation_overrides AS decision ON decision.id = (
  SELECT latest.id FROM evaluation_overrides AS latest WHERE latest.evaluation_id = evaluation.id
  ORDER BY latest.overridden_at DESC, latest.id DESC LIMIT 1)
"""

# Of a job's moves its beginnings and its ends; an attempt that is repeated is neither.
ACTIVITY = """
SELECT happened.id, happened.at AS "at [TIMESTAMPTZ]", happened.move, happened.job_id, happened.evaluation_id,
       happened.person, happened.score, happened.label, happened.error_code, happened.new_recommendation,
       happened.reason
FROM (
  SELECT event.id, event.created_at AS at, event.move, job.id AS job_id, evaluation.id AS evaluation_id,
         COALESCE(event.detail ->> 'person',
                  CASE event.move WHEN 'create' THEN job.requested_by END) AS person,
         evaluation.score, evaluation.label, event.detail ->> 'error_code' AS error_code,
         CAST(NULL AS TEXT) AS new_recommendation, CAST(NULL AS TEXT) AS reason
  FROM ai_evaluation_jobs AS job
  JOIN job_events AS event ON event.job_id = job.id
  LEFT JOIN lead_ai_evaluations AS evaluation ON evaluation.job_id = job.id AND event.move = 'complete'
  WHERE job.lead_id = ?2 AND job.tenant_id = ?1
    AND (event.move IN ('create', 'retry', 'complete', 'cancel')
         OR (event.move = 'fail' AND event.detail ->> 'status' = 'failed'))
  UNION ALL
  SELECT decision.id, decision.overridden_at, 'override', evaluation.job_id, decision.evaluation_id,
         decision.overridden_by, NULL, NULL, NULL, decision.new_recommendation, decision.reason
  FROM evaluation_overrides AS decision
  JOIN lead_ai_evaluations AS evaluation ON evaluation.id = decision.evaluation_id
  WHERE decision.lead_id = ?2 AND decision.tenant_id = ?1
) AS happened WHERE TRUE
"""


def read_latest(db: Database, lead_id: str, *, tenant_id: str, site_id: str) -> Row:
    """The lead's latest evaluation and its override. SiteNotFound, LeadNotFound, EvaluationNotFound."""
    latest = db.prepare(f"""
        SELECT lead.id AS lead_id, {EVALUATION} {WHOSE}
        LEFT JOIN lead_ai_evaluations AS evaluation ON evaluation.id = lead.latest_evaluation_id
        {DECISION} WHERE site.tenant_id = ?1 AND site.id = ?2
    """)
    row = check_lead(latest.bind(tenant_id, site_id, lead_id).first())
    if row["id"] is None:
        raise EvaluationNotFound
    return row


def list_evaluations(db: Database, lead_id: str, *, tenant_id: str, site_id: str, page: Page) -> list[Row]:
    """Every evaluation with its override. SiteNotFound, LeadNotFound."""
    select = f"""
        SELECT evaluation.lead_id, {EVALUATION} FROM lead_ai_evaluations AS evaluation {DECISION}
        WHERE evaluation.tenant_id = ?1 AND evaluation.lead_id = ?2
    """
    return _list(
        db, select, lead_id, tenant_id=tenant_id, site_id=site_id,
        page=page, at="evaluation.evaluated_at", key="evaluation.id",
    )  # fmt: skip


def list_activity(db: Database, lead_id: str, *, tenant_id: str, site_id: str, page: Page) -> list[Row]:
    """Who asked, what came of it, and who decided otherwise. SiteNotFound, LeadNotFound."""
    return _list(
        db, ACTIVITY, lead_id, tenant_id=tenant_id, site_id=site_id,
        page=page, at="happened.at", key="happened.id",
    )  # fmt: skip


def check_lead(row: Row | None) -> Row:
    if row is None:
        raise SiteNotFound
    if row["lead_id"] is None:
        raise LeadNotFound
    return row


def _list(
    db: Database, select: str, lead_id: str, *, tenant_id: str, site_id: str, page: Page, at: str, key: str
) -> list[Row]:
    """What `select` finds for the tenant (?1) and the lead (?2), if there is such a lead."""
    whose = f"SELECT lead.id AS lead_id {WHOSE} WHERE site.tenant_id = ?1 AND site.id = ?2"
    found, listed = db.batch(
        [
            db.prepare(whose).bind(tenant_id, site_id, lead_id),
            newest(db, select, tenant_id, lead_id, page=page, at=at, key=key),
        ]
    )
    check_lead(found.first())
    return listed.results
