"""Evaluation jobs: accepted and charged, or refused for a reason."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from millrace.bindings.database import Database, Result, Statement
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import EVALUATION, PROMISE
from millrace.domain.quota import EVALUATIONS, month_of
from millrace.errors import (
    AiDisabled,
    AlreadyEvaluated,
    ConstraintBroken,
    DatabaseUnavailable,
    JobAlreadyPending,
    LeadNotFound,
    QuotaExceeded,
    Refusal,
    SiteNotFound,
)
from millrace.store import events, idempotency, jobs, ledger
from millrace.store.idempotency import Accepted

# A refusal whose reason is gone when we look for it is no refusal: then the request is tried again. Each time
# it is gone somebody else got on; 16 at once on six leads came to a third try twice in 8,000 requests.
MOST_TRIES = 8

ACCEPT = """
INSERT INTO ai_evaluation_jobs (id, tenant_id, lead_id, site_id, status, requested_by, requested_at,
                                model_version, last_move_id, run_after, charged_period,
                                created_at, updated_at)
SELECT ?1, site.tenant_id, lead.id, site.id, 'pending', ?5, ?6, {model}, ?1, ?9, ?8, ?6, ?6
FROM leads AS lead JOIN sites AS site ON site.id = lead.site_id
WHERE site.tenant_id = ?2 AND site.id = ?3 AND lead.id = ?4 AND lead.deleted_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM settings WHERE tenant_id = ?2 AND key = 'ai_enabled' AND value = 'false')
"""

DEFAULT_MODEL = "tenant_id = ?2 AND key = 'ai_default_model'"

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
       (SELECT id FROM leads
        WHERE id = ?2 AND site_id = ?1 AND tenant_id = ?3 AND deleted_at IS NULL) AS lead_id,
       (SELECT id FROM settings WHERE tenant_id = ?3 AND key = 'ai_enabled' AND value = 'false') AS off,
       (SELECT id FROM ai_evaluation_jobs
        WHERE lead_id = ?2 AND tenant_id = ?3 AND status IN ('pending', 'processing')) AS live_job_id,
       (SELECT evaluation_id FROM ai_evaluation_jobs
        WHERE lead_id = ?2 AND tenant_id = ?3 AND status = 'completed'
        ORDER BY completed_at DESC LIMIT 1) AS evaluation_id
"""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for, by whom. `models`: those that the tenant's own default, if it has one, may be of."""

    tenant_id: str
    site_id: str
    lead_id: str
    requested_by: str
    model_version: str
    models: tuple[str, ...] = ()
    force_refresh: bool = False
    delay: timedelta = timedelta(0)


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
    if facts["off"] is not None:
        return AiDisabled()
    if facts["live_job_id"] is not None:
        return JobAlreadyPending(job_id=facts["live_job_id"])
    if facts["evaluation_id"] is not None and not order.force_refresh:
        return AlreadyEvaluated(evaluation_id=facts["evaluation_id"])
    return None


def retry(db: Database, job_id: str, *, tenant_id: str, move_id: str, now: datetime) -> bool:
    """Have a job that ended without a result run again, charged anew. False when it is not such a job.

    QuotaExceeded and JobAlreadyPending as when it was created.
    """
    move = jobs.reopen(
        db, EVALUATION, job_id, tenant_id=tenant_id, period=month_of(now), move_id=move_id, now=now
    )
    charge = _charge(db, job_id=job_id, move_id=move_id, now=now)
    event = events.record(db, EVALUATION, job_id=job_id, move_id=move_id, move="retry", now=now)
    try:
        return db.batch([move, *charge, event])[0].meta.changes == 1
    except ConstraintBroken as broken:
        if broken.constraint == "one_live_job_per_lead":
            raise JobAlreadyPending from broken
        if broken.constraint == "usage_within_quota":
            raise _quota_exceeded(broken.results) from broken
        raise


def _try_to_accept(
    db: Database, order: Order, *, job_id: str, now: datetime, key: IdempotencyKey | None
) -> Accepted | Refusal | None:
    """One round trip. None when it was refused for a reason that is gone by the time we look for it."""
    withdraw = [] if order.force_refresh else [db.prepare(WITHDRAW_IF_JUDGED).bind(job_id)]
    body = [
        _insert(db, order, job_id=job_id, now=now),
        *withdraw,
        *_charge(db, job_id=job_id, move_id=job_id, now=now),
        events.record(db, EVALUATION, job_id=job_id, move_id=job_id, move="create", now=now),
    ]
    facts = db.prepare(FACTS).bind(job_id, job_id, now + PROMISE)
    try:
        accepted = idempotency.accept(db, key, tenant_id=order.tenant_id, now=now, body=body, facts=facts)
    except ConstraintBroken as broken:
        return _meaning(db, order, broken)
    return accepted or find_refusal(db, order)


def _insert(db: Database, order: Order, *, job_id: str, now: datetime) -> Statement:
    """`auto` is the tenant's own choice while that is configured, and else the installation's."""
    places = ", ".join(f"?{place}" for place in range(10, 10 + len(order.models)))
    chosen = f"COALESCE((SELECT value FROM settings WHERE {DEFAULT_MODEL} AND value IN ({places})), ?7)"
    return db.prepare(ACCEPT.format(model=chosen if places else "?7")).bind(
        job_id, order.tenant_id, order.site_id, order.lead_id, order.requested_by, now, order.model_version,
        month_of(now), now + order.delay, *order.models,
    )  # fmt: skip


def _charge(db: Database, *, job_id: str, move_id: str, now: datetime) -> list[Statement]:
    count = db.prepare(COUNT_IN).bind(job_id, move_id, now, *EVALUATIONS.tiers.values())
    return [count, ledger.reserve(db, EVALUATION, job_id=job_id, move_id=move_id, now=now)]


def _meaning(db: Database, order: Order, broken: ConstraintBroken) -> Refusal | None:
    """What it means to the caller that the database refused."""
    if broken.constraint == "usage_within_quota":
        return _quota_exceeded(broken.results)
    if broken.constraint == "one_live_job_per_lead":
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
