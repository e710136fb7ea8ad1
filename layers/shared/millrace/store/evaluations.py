"""Evaluation jobs and their results: create, read, load, complete."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from millrace.bindings.database import Database, Result, Row, Statement
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import EVALUATION, PROMISE, Job
from millrace.domain.quota import EVALUATIONS, month_of
from millrace.errors import (
    AlreadyEvaluated,
    ConstraintBroken,
    DatabaseUnavailable,
    JobAlreadyPending,
    JobNotFound,
    LeadNotFound,
    QuotaExceeded,
    Refusal,
    ResourceNotFound,
    SiteNotFound,
)
from millrace.store import events, idempotency, jobs, ledger

if TYPE_CHECKING:
    # Who creates or asks pays for no scoring at a cold start.
    from millrace.domain.judgements import Evaluation

# A refusal whose reason is gone when we look for it is no refusal: then the request is tried again. Each time
# it is gone somebody else got on; 16 at once on six leads came to a third try twice in 8,000 requests.
MOST_TRIES = 8

ACCEPT = """
INSERT INTO ai_evaluation_jobs (id, tenant_id, lead_id, site_id, status, requested_by, requested_at,
                                model_version, last_move_id, run_after, charged_period,
                                created_at, updated_at)
SELECT ?1, site.tenant_id, lead.id, site.id, 'pending', ?5, ?6, ?7, ?1, ?6, ?8, ?6, ?6
FROM leads AS lead JOIN sites AS site ON site.id = lead.site_id
WHERE site.tenant_id = ?2 AND site.id = ?3 AND lead.id = ?4
"""

# Whether there is a result already is asked after the insert: that may have waited for the batch which
# completed the job before, and only a later statement sees what was done meanwhile.
WITHDRAW_IF_JUDGED = """
DELETE FROM ai_evaluation_jobs
WHERE id = ?1 AND last_move_id = ?1 AND EXISTS (
  SELECT 1 FROM ai_evaluation_jobs AS earlier
  WHERE earlier.lead_id = ai_evaluation_jobs.lead_id AND earlier.status = 'completed')
"""

# The month's row is born with, and follows, the limit of the site: its own, its tenant's, or its tier's.
# Its id is the first charge's: made of site and month, it would be another thing to collide on.
COUNT_IN = """
INSERT INTO ai_evaluation_usage (id, tenant_id, site_id, month, evaluation_count, quota_limit, tier,
                                 created_at, updated_at)
SELECT job.last_move_id, job.tenant_id, job.site_id, job.charged_period, 1,
       COALESCE(site.evaluations_a_month, tenant.evaluations_a_month,
                CASE site.tier WHEN 'free' THEN ?4 WHEN 'pro' THEN ?5 ELSE ?6 END),
       site.tier, ?3, ?3
FROM ai_evaluation_jobs AS job
JOIN sites AS site ON site.id = job.site_id
JOIN tenants AS tenant ON tenant.id = job.tenant_id
WHERE job.id = ?1 AND job.last_move_id = ?2
ON CONFLICT (site_id, month) DO UPDATE
SET evaluation_count = ai_evaluation_usage.evaluation_count + 1, quota_limit = excluded.quota_limit,
    tier = excluded.tier, updated_at = excluded.updated_at
RETURNING evaluation_count, quota_limit, month, tier
"""

FACTS = """
SELECT jsonb_build_object(
  'job_id', job.id, 'lead_id', job.lead_id, 'status', job.status, 'requested_at', job.requested_at,
  'estimated_completion', ?3,
  'used', usage.evaluation_count, 'limit', usage.quota_limit, 'month', usage.month) AS "facts [JSONB]"
FROM ai_evaluation_jobs AS job
JOIN ai_evaluation_usage AS usage ON usage.site_id = job.site_id AND usage.month = job.charged_period
WHERE job.id = ?1 AND job.last_move_id = ?2
"""

WHY_NOT = """
SELECT (SELECT id FROM sites WHERE id = ?1 AND tenant_id = ?3) AS site_id,
       (SELECT id FROM leads WHERE id = ?2 AND site_id = ?1 AND tenant_id = ?3) AS lead_id,
       (SELECT id FROM ai_evaluation_jobs
        WHERE lead_id = ?2 AND tenant_id = ?3 AND status IN ('pending', 'processing')) AS live_job_id,
       (SELECT evaluation_id FROM ai_evaluation_jobs
        WHERE lead_id = ?2 AND tenant_id = ?3 AND status = 'completed'
        ORDER BY completed_at DESC LIMIT 1) AS evaluation_id
"""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for, by whom."""

    tenant_id: str
    site_id: str
    lead_id: str
    requested_by: str
    model_version: str
    force_refresh: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """The facts an answer is made of. `replayed`: an earlier request with the same key got them too."""

    facts: dict[str, Any]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """What an evaluation is made from."""

    lead: Row
    documents: list[Row]


def create(
    db: Database, order: Order, *, job_id: str, now: datetime, key: IdempotencyKey | None = None
) -> Accepted:
    """Accept a job and charge for it, all or nothing: the batch decides whether there may be one."""
    for _ in range(MOST_TRIES):
        answer = _try_to_accept(db, order, job_id=job_id, now=now, key=key)
        if isinstance(answer, Refusal):
            raise answer
        if answer:
            return answer
    raise DatabaseUnavailable("Others keep changing the same lead. Repeat the request.")


def find_refusal(db: Database, order: Order) -> Refusal | None:
    """Why the order was not accepted, by the order of the checks. None when nothing stands against it now."""
    facts = db.prepare(WHY_NOT).bind(order.site_id, order.lead_id, order.tenant_id).first()
    if facts["site_id"] is None:
        return SiteNotFound()
    if facts["lead_id"] is None:
        return LeadNotFound()
    if facts["live_job_id"] is not None:
        return JobAlreadyPending(job_id=facts["live_job_id"])
    if facts["evaluation_id"] is not None and not order.force_refresh:
        return AlreadyEvaluated(evaluation_id=facts["evaluation_id"])
    return None


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


def load_case(db: Database, job: Job, *, most_documents: int) -> Case:
    """The lead and its newest documents, oldest first. ResourceNotFound when the lead is gone."""
    lead, documents = db.batch(
        [
            db.prepare("SELECT * FROM leads WHERE id = ?1").bind(job.row["lead_id"]),
            db.prepare("""
                SELECT * FROM (
                  SELECT * FROM lead_documents
                  WHERE lead_id = ?1 AND deleted_at IS NULL AND uploaded_at IS NOT NULL
                  ORDER BY uploaded_at DESC, id DESC LIMIT ?2
                ) AS newest ORDER BY uploaded_at, id
            """).bind(job.row["lead_id"], most_documents),
        ]
    )
    row = lead.first()
    if row is None:
        raise ResourceNotFound("The lead is gone.")
    return Case(lead=row, documents=documents.results)


def complete(db: Database, job: Job, *, evaluation: "Evaluation", move_id: str, now: datetime) -> bool:
    """The end of a job with its result: evaluation, the lead's score and the settled charge, or nothing."""
    result = [
        _insert_evaluation(db, job, evaluation=evaluation, move_id=move_id),
        _update_lead(db, job, evaluation=evaluation, move_id=move_id, now=now),
    ]
    columns = {"evaluation_id": evaluation.id}
    return jobs.complete(db, EVALUATION, job, result=result, columns=columns, move_id=move_id, now=now)


def retry(db: Database, job_id: str, *, tenant_id: str, move_id: str, now: datetime) -> bool:
    """Have a job that ended without a result run again, charged anew. False when it is not such a job.

    QuotaExceeded and JobAlreadyPending as when it was created.
    """
    move = jobs.reopen(
        db, EVALUATION, job_id, tenant_id=tenant_id, period=month_of(now), move_id=move_id, now=now
    )
    count = db.prepare(COUNT_IN).bind(job_id, move_id, now, *EVALUATIONS.tiers.values())
    reserve = ledger.reserve(db, EVALUATION, job_id=job_id, move_id=move_id, now=now)
    event = events.record(db, EVALUATION, job_id=job_id, move_id=move_id, move="retry", now=now)
    try:
        return db.batch([move, count, reserve, event])[0].meta.changes == 1
    except ConstraintBroken as broken:
        if broken.constraint == "one_live_job_per_lead":
            raise JobAlreadyPending from broken
        if broken.constraint == "usage_within_quota":
            raise _quota_exceeded(broken.results) from broken
        raise


def _try_to_accept(
    db: Database, order: Order, *, job_id: str, now: datetime, key: IdempotencyKey | None
) -> Accepted | Refusal | None:
    """None when it was refused for a reason that is gone by the time we look for it."""
    try:
        facts = _accept(db, order, job_id=job_id, now=now, key=key)
    except ConstraintBroken as broken:
        if key and broken.constraint == idempotency.TAKEN:
            kept = idempotency.find_facts(db, key, tenant_id=order.tenant_id)
            return Accepted(kept, replayed=True) if kept else None
        return _meaning(db, order, broken)
    return Accepted(facts) if facts else find_refusal(db, order)


def _accept(
    db: Database, order: Order, *, job_id: str, now: datetime, key: IdempotencyKey | None
) -> dict[str, Any] | None:
    """One round trip. None when the order found no lead it may have."""
    month = month_of(now)
    insert = db.prepare(ACCEPT).bind(
        job_id, order.tenant_id, order.site_id, order.lead_id, order.requested_by, now, order.model_version,
        month,
    )  # fmt: skip
    withdraw = [] if order.force_refresh else [db.prepare(WITHDRAW_IF_JUDGED).bind(job_id)]
    count = db.prepare(COUNT_IN).bind(job_id, job_id, now, *EVALUATIONS.tiers.values())
    reserve = ledger.reserve(db, EVALUATION, job_id=job_id, move_id=job_id, now=now)
    event = events.record(db, EVALUATION, job_id=job_id, move_id=job_id, move="create", now=now)
    facts = db.prepare(FACTS).bind(job_id, job_id, now + PROMISE)
    body = [insert, *withdraw, count, reserve, event]
    if key:
        held = idempotency.take(db, key, tenant_id=order.tenant_id, now=now)
        kept = idempotency.keep(db, key, tenant_id=order.tenant_id, facts=facts)
        results = db.batch([*held, *body, kept])
    else:
        results = db.batch([*body, facts])
    row = results[-1].first()
    return row["facts"] if row else None


def _meaning(db: Database, order: Order, broken: ConstraintBroken) -> Refusal | None:
    """What it means to the caller that the database refused."""
    if broken.constraint == "usage_within_quota":
        return _quota_exceeded(broken.results)
    if broken.constraint in ("one_live_job_per_lead", idempotency.REFUSED):
        return find_refusal(db, order)
    raise broken


def _quota_exceeded(results: list[Result]) -> QuotaExceeded:
    """The counter's own answer came before the refusal: what it would have been, one too many."""
    usage = results[-1].first()
    assert usage is not None  # noqa: S101 - the ledger's row is refused only after the counter has answered
    limit = usage["quota_limit"]
    return QuotaExceeded(
        f"Monthly evaluation limit ({limit}) reached for this site.",
        usage={
            "used": usage["evaluation_count"] - 1,
            "limit": limit,
            "month": usage["month"],
            "tier": usage["tier"],
        },
    )


def _insert_evaluation(db: Database, job: Job, *, evaluation: "Evaluation", move_id: str) -> Statement:
    return db.prepare("""
        INSERT INTO lead_ai_evaluations (id, tenant_id, lead_id, site_id, job_id, score, label,
          recommendation, summary, risk_flags, fraud_signals, extracted_data, score_breakdown, warnings,
          model_version, evaluated_at)
        SELECT ?3, job.tenant_id, job.lead_id, job.site_id, job.id, ?4, ?5,
          ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14
        FROM ai_evaluation_jobs AS job WHERE job.id = ?1 AND job.last_move_id = ?2
    """).bind(
        job.id, move_id, evaluation.id, evaluation.score, evaluation.label, evaluation.recommendation,
        evaluation.summary, evaluation.risk_flags, evaluation.fraud_signals, evaluation.extracted_data,
        evaluation.score_breakdown, evaluation.warnings, evaluation.model_version, evaluation.evaluated_at,
    )  # fmt: skip


def _update_lead(
    db: Database, job: Job, *, evaluation: "Evaluation", move_id: str, now: datetime
) -> Statement:
    return db.prepare("""
        UPDATE leads
        SET ai_score = ?3, ai_label = ?4, status = 'ai_evaluated', latest_evaluation_id = ?5, updated_at = ?6
        WHERE id = (SELECT job.lead_id FROM ai_evaluation_jobs AS job
                    WHERE job.id = ?1 AND job.last_move_id = ?2)
    """).bind(job.id, move_id, evaluation.score, evaluation.label, evaluation.id, now)
