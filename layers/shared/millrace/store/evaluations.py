"""Evaluation jobs: accepted and charged, or refused for a reason; once more, and no more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from millrace.bindings.database import Database, Row, Statement
from millrace.domain.callers import KeyUser
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import EVALUATION, PROMISE
from millrace.domain.quota import EVALUATIONS, bounds_of, month_of, warn
from millrace.errors import (
    AiDisabled,
    AlreadyEvaluated,
    JobAlreadyPending,
    JobEnded,
    JobNotFailed,
    JobNotFound,
    JobNotRetryable,
    LeadNotFound,
    QuotaExceeded,
    Refusal,
    SiteNotFound,
)
from millrace.store import evaluation_history, jobs, settings, spend
from millrace.store.accepting import Acceptance, Refusals, accept
from millrace.store.idempotency import Accepted
from millrace.store.monthly_usage import LIMIT_NOW
from millrace.store.request_counts import facts_of

GONE = "The job's model is no longer configured. Ask for another evaluation of the lead."
# Of any model, at any cost.
ANY: Mapping[str, int] = MappingProxyType({})


def is_off(*, tenant: str) -> str:
    """Whether the tenant at this placeholder has switched it off. Where nothing is said it is on."""
    return f"COALESCE({settings.value_sql('ai_enabled', tenant=tenant)}, 'true') = 'false'"


ACCEPT = f"""
INSERT INTO ai_evaluation_jobs (id, tenant_id, lead_id, site_id, status, requested_by, user_id, requested_at,
                                model_version, last_move_id, run_after, charged_period,
                                created_at, updated_at)
SELECT ?1, site.tenant_id, lead.id, site.id, 'pending', ?5, ?10, ?6, {{model}}, ?1, ?9, ?8, ?6, ?6
FROM leads AS lead JOIN sites AS site ON site.id = lead.site_id
WHERE site.tenant_id = ?2 AND site.id = ?3 AND lead.id = ?4 AND lead.deleted_at IS NULL
  AND NOT {is_off(tenant="?2")}
"""

DEFAULT_MODEL = settings.value_sql("ai_default_model", tenant="?2")

# Whether there is a result already is asked after the insert: that may have waited for the batch which
# completed the job before, and only a later statement sees what was done meanwhile.
WITHDRAW_IF_JUDGED = """
DELETE FROM ai_evaluation_jobs
WHERE id = ?1 AND last_move_id = ?1 AND EXISTS (
  SELECT 1 FROM ai_evaluation_jobs AS earlier
  WHERE earlier.lead_id = ai_evaluation_jobs.lead_id AND earlier.status = 'completed')
"""

# Differs: PostgreSQL has many writers, so one who deletes the lead is waited for, or waits for us and then
# finds the job. SQLite has one writer.
HELD = {"postgres": "FOR SHARE", "sqlite": ""}

# A second live job of the lead, which `one_live_job_per_lead` refuses, and with it the batch. It comes after
# the move, which may wait for another job's batch: every batch holds the job first, and then the lead.
REFUSE_IF_DELETED = """
INSERT INTO ai_evaluation_jobs (id, tenant_id, lead_id, site_id, requested_by, requested_at, last_move_id,
                                run_after, charged_period, created_at, updated_at)
SELECT job.id || ' of a deleted lead', job.tenant_id, job.lead_id, job.site_id, job.requested_by,
       job.requested_at, '', job.run_after, job.charged_period, job.created_at, job.updated_at
FROM ai_evaluation_jobs AS job
WHERE job.id = ?1 AND job.last_move_id = ?2 AND NOT EXISTS (
  SELECT 1 FROM leads AS lead WHERE lead.id = job.lead_id AND lead.deleted_at IS NULL {held})
"""

# The month's row is born with, and follows, the limit of the site: its own, its tenant's, or its tier's.
# Its id is the first charge's: made of site and month, it would be another thing to collide on.
COUNT_IN = f"""
INSERT INTO ai_evaluation_usage (id, tenant_id, site_id, month, evaluation_count, quota_limit, tier,
                                 created_at, updated_at)
SELECT job.last_move_id, job.tenant_id, job.site_id, job.charged_period, 1,
       {LIMIT_NOW},
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
  'estimated_completion', ?3, 'accepted_at', job.updated_at,
  'used', usage.evaluation_count, 'limit', usage.quota_limit, 'month', usage.month{limits}) AS "facts [JSONB]"
FROM ai_evaluation_jobs AS job
JOIN ai_evaluation_usage AS usage ON usage.site_id = job.site_id AND usage.month = job.charged_period
WHERE job.id = ?1 AND job.last_move_id = ?2
"""

WHY_NOT = f"""
SELECT (SELECT id FROM sites WHERE id = ?1 AND tenant_id = ?3) AS site_id,
       (SELECT id FROM leads
        WHERE id = ?2 AND site_id = ?1 AND tenant_id = ?3 AND deleted_at IS NULL) AS lead_id,
       {is_off(tenant="?3")} AS "off [BOOLEAN]",
       (SELECT id FROM ai_evaluation_jobs
        WHERE lead_id = ?2 AND tenant_id = ?3 AND status IN ('pending', 'processing')) AS live_job_id,
       (SELECT evaluation_id FROM ai_evaluation_jobs
        WHERE lead_id = ?2 AND tenant_id = ?3 AND status = 'completed'
        ORDER BY completed_at DESC LIMIT 1) AS evaluation_id
"""

MAY_RUN_AGAIN = f"""
(CAST(?6 AS TEXT) IS NULL OR site_id = ?6) AND NOT {is_off(tenant="?2")}
AND EXISTS (SELECT 1 FROM leads WHERE id = ai_evaluation_jobs.lead_id AND deleted_at IS NULL)
"""

WHY_NOT_AGAIN = f"""
SELECT job.status, job.model_version, lead.deleted_at, {is_off(tenant="?2")} AS "off [BOOLEAN]",
       (SELECT live.id FROM ai_evaluation_jobs AS live
        WHERE live.lead_id = job.lead_id AND live.status IN ('pending', 'processing')) AS live_job_id
FROM ai_evaluation_jobs AS job JOIN leads AS lead ON lead.id = job.lead_id
WHERE job.id = ?1 AND job.tenant_id = ?2 AND (CAST(?3 AS TEXT) IS NULL OR job.site_id = ?3)
"""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for, by whom. `models`: those that the tenant's own default, if it has one, may be of.

    `user`: for whom it is counted, if for anybody.
    """

    tenant_id: str
    site_id: str
    lead_id: str
    requested_by: str
    model_version: str
    models: tuple[str, ...] = ()
    force_refresh: bool = False
    delay: timedelta = timedelta(0)
    user: KeyUser | None = None
    # What one costs at least, by model.
    least_costs: Mapping[str, int] = field(default_factory=dict)


def create(
    db: Database, order: Order, *, job_id: str, now: datetime, key: IdempotencyKey | None = None
) -> Accepted:
    """Accept a job and charge for it, all or nothing: the batch decides whether there may be one."""
    withdraw = [] if order.force_refresh else [db.prepare(WITHDRAW_IF_JUDGED).bind(job_id)]
    return _accept(
        db,
        Acceptance(
            "create", job_id, job_id, order.tenant_id, now, order.requested_by, order.user, key,
            least_cost=order.least_costs,
        ),
        moved=[_insert(db, order, job_id=job_id, now=now), *withdraw],
        why_not=lambda: find_refusal(db, order),
    )  # fmt: skip


def find_refusal(db: Database, order: Order) -> Refusal | None:
    """Why the order was not accepted, by the order of the checks. None when nothing stands against it now."""
    facts = db.prepare(WHY_NOT).bind(order.site_id, order.lead_id, order.tenant_id).first()
    if facts["site_id"] is None:
        return SiteNotFound()
    if facts["lead_id"] is None:
        return LeadNotFound()
    if facts["off"]:
        return AiDisabled()
    if facts["live_job_id"] is not None:
        return JobAlreadyPending(job_id=facts["live_job_id"])
    if facts["evaluation_id"] is not None and not order.force_refresh:
        return AlreadyEvaluated(evaluation_id=facts["evaluation_id"])
    return None


def retry(
    db: Database, job_id: str, *, tenant_id: str, move_id: str, now: datetime, site_id: str | None = None,
    models: Mapping[str, int] = ANY, person: str | None = None, user: KeyUser | None = None,
    key: IdempotencyKey | None = None,
) -> Accepted:  # fmt: skip
    """Have a failed job run again, charged anew. Its site may be anyone of the tenant's, and its model any,
    unless the site and the `models` are named, each with what it costs at least.
    """
    places = ", ".join(f"?{place}" for place in range(7, 7 + len(models)))
    reopened = jobs.reopen(
        db, EVALUATION, job_id, tenant_id=tenant_id, period=month_of(now), move_id=move_id, now=now,
        user=user,
        when=f"{MAY_RUN_AGAIN} AND model_version IN ({places})" if models else MAY_RUN_AGAIN,
        values=[site_id, *models],
    )  # fmt: skip
    return _accept(
        db,
        Acceptance(
            "retry", job_id, move_id, tenant_id, now, person, user, key, least_cost=models
        ),
        moved=[reopened],
        why_not=lambda: find_retry_refusal(db, job_id, tenant_id=tenant_id, site_id=site_id, models=models),
    )  # fmt: skip


def find_retry_refusal(
    db: Database, job_id: str, *, tenant_id: str, site_id: str | None, models: Mapping[str, int] = ANY
) -> Refusal | None:
    """Why a job was not run again, by the order of the checks. None when nothing stands against it now."""
    facts = db.prepare(WHY_NOT_AGAIN).bind(job_id, tenant_id, site_id).first()
    if facts is None:
        return JobNotFound()
    if facts["deleted_at"] is not None:
        return LeadNotFound()
    if facts["off"]:
        return AiDisabled()
    if facts["status"] != EVALUATION.failed:
        message = f"The job is {facts['status']}. Only a failed job is retried."
        return JobNotFailed(message, status=facts["status"])
    if facts["live_job_id"] is not None:
        return JobAlreadyPending(job_id=facts["live_job_id"])
    return JobNotRetryable(GONE) if models and facts["model_version"] not in models else None


def cancel(
    db: Database, job_id: str, *, tenant_id: str, site_id: str, move_id: str, now: datetime, person: str
) -> Row:
    """End a live job of this site. The job as it then is, also when it was cancelled before."""
    whose = {"id": job_id, "tenant_id": tenant_id, "site_id": site_id}
    cancelled = jobs.cancelling(db, EVALUATION, whose=whose, move_id=move_id, now=now, person=person)
    found = evaluation_history.find(db, job_id, tenant_id=tenant_id, site_id=site_id)
    row = db.batch([*cancelled, found])[-1].first()
    if row is None:
        raise JobNotFound
    if row["status"] != EVALUATION.cancelled:
        raise JobEnded(f"The job is {row['status']}, and that is final.", status=row["status"])
    return row


def _accept(
    db: Database, acceptance: Acceptance, *, moved: Sequence[Statement],
    why_not: Callable[[], Refusal | None],
) -> Accepted:  # fmt: skip
    its = (acceptance.job_id, acceptance.move_id)
    spending, values = spend.facts_of(acceptance.least_cost, now=acceptance.now, first=4)
    facts = FACTS.format(limits=facts_of(EVALUATION, acceptance.user) + spending)
    return accept(
        db, EVALUATION, acceptance,
        moved=[*moved, db.prepare(REFUSE_IF_DELETED.format(held=HELD[db.dialect])).bind(*its)],
        count_in=db.prepare(COUNT_IN).bind(*its, acceptance.now, *EVALUATIONS.tiers.values()),
        facts=db.prepare(facts).bind(*its, acceptance.now + PROMISE, *values),
        refusals=Refusals("one_live_job_per_lead", _quota_exceeded, why_not),
    )  # fmt: skip


def _insert(db: Database, order: Order, *, job_id: str, now: datetime) -> Statement:
    """`auto` is the tenant's own choice while that is configured, and else the installation's."""
    places = ", ".join(f"?{place}" for place in range(11, 11 + len(order.models)))
    chosen = f"CASE WHEN {DEFAULT_MODEL} IN ({places}) THEN {DEFAULT_MODEL} ELSE ?7 END"
    return db.prepare(ACCEPT.format(model=chosen if places else "?7")).bind(
        job_id, order.tenant_id, order.site_id, order.lead_id, order.requested_by, now, order.model_version,
        month_of(now), now + order.delay, order.user.user_id if order.user else "", *order.models,
    )  # fmt: skip


def _quota_exceeded(usage: Row) -> QuotaExceeded:
    """The counter's own answer came before the refusal: what it would have been, one too many."""
    used, limit, month = usage["evaluation_count"] - 1, usage["quota_limit"], usage["month"]
    return QuotaExceeded(
        f"Monthly evaluation limit ({limit}) reached for this site.",
        usage={
            "used": used,
            "limit": limit,
            "month": month,
            "tier": usage["tier"],
            "resets_at": bounds_of(month)[1],
            "warning": warn(EVALUATIONS, used=used, limit=limit, period=month),
        },
    )
