"""Exports: accepted and charged by estimate, or refused for a reason; once more, no more, and gone."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from millrace.bindings.database import Database, Row, Statement
from millrace.domain.audit import Author
from millrace.domain.callers import KeyUser
from millrace.domain.export_requests import BYTES_A_SECOND, GPU_SECONDS_A_VIDEO_SECOND, STARTING_SECONDS
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import EXPORT
from millrace.domain.quota import GPU_SECONDS, bounds_of, month_of, warn
from millrace.errors import (
    ExportAlreadyRunning,
    GpuQuotaExceeded,
    JobNotFailed,
    JobNotFound,
    JobNotRetryable,
    ProjectNotFound,
    Refusal,
    VideoNotFound,
)
from millrace.store import audit, events, jobs, spend
from millrace.store.accepting import Acceptance, Refusals, accept
from millrace.store.idempotency import Accepted
from millrace.store.monthly_usage import GPU_LIMIT_NOW
from millrace.store.request_counts import facts_of

# How long the input is, its params may not say; then its size must do.
ESTIMATE = f"""
{STARTING_SECONDS}
+ COALESCE(CAST(?10 AS BIGINT), video.size_bytes / {BYTES_A_SECOND}) * {GPU_SECONDS_A_VIDEO_SECOND}
"""

ACCEPT = f"""
INSERT INTO export_jobs (id, tenant_id, project_id, type, status, input_video_key, params, request_hash,
                         requested_by, user_id, gpu_seconds_reserved, last_move_id, run_after, charged_period,
                         created_at, updated_at)
SELECT ?1, project.tenant_id, project.id, ?5, 'pending', video.storage_key, ?6, ?7, ?8, ?12,
       {ESTIMATE}, ?1, ?9, ?11, ?9, ?9
FROM projects AS project JOIN videos AS video ON video.tenant_id = project.tenant_id
WHERE project.tenant_id = ?2 AND project.id = ?3 AND video.storage_key = ?4 AND video.uploaded_at IS NOT NULL
"""

# The month's row is born with, and follows, the limit of the tenant.
COUNT_IN = f"""
INSERT INTO monthly_usage (tenant_id, month, meter, used, quota_limit, tier, created_at, updated_at)
SELECT job.tenant_id, job.charged_period, '{GPU_SECONDS.name}', job.gpu_seconds_reserved,
       {GPU_LIMIT_NOW}, tenant.tier, ?3, ?3
FROM export_jobs AS job JOIN tenants AS tenant ON tenant.id = job.tenant_id
WHERE job.id = ?1 AND job.last_move_id = ?2
ON CONFLICT (tenant_id, month, meter) DO UPDATE
SET used = monthly_usage.used + excluded.used, quota_limit = excluded.quota_limit, tier = excluded.tier,
    updated_at = excluded.updated_at
RETURNING used, quota_limit, month, tier,
          (SELECT job.gpu_seconds_reserved FROM export_jobs AS job WHERE job.id = ?1) AS wanted
"""

FACTS = f"""
SELECT jsonb_build_object(
  'job_id', job.id, 'status', job.status, 'created_at', job.created_at, 'accepted_at', job.updated_at,
  'gpu_seconds', job.gpu_seconds_reserved,
  'used', usage.used, 'limit', usage.quota_limit, 'month', usage.month{{limits}}) AS "facts [JSONB]"
FROM export_jobs AS job
JOIN monthly_usage AS usage ON usage.tenant_id = job.tenant_id AND usage.month = job.charged_period
  AND usage.meter = '{GPU_SECONDS.name}'
WHERE job.id = ?1 AND job.last_move_id = ?2
"""

WHY_NOT = """
SELECT (SELECT id FROM projects WHERE id = ?2 AND tenant_id = ?1) AS project_id,
       (SELECT id FROM videos
        WHERE storage_key = ?3 AND tenant_id = ?1 AND uploaded_at IS NOT NULL) AS video_id,
       (SELECT id FROM export_jobs
        WHERE project_id = ?2 AND tenant_id = ?1 AND request_hash = ?4
          AND status IN ('pending', 'processing')) AS live_job_id
"""

WHY_NOT_AGAIN = """
SELECT job.status, job.error_code,
       (SELECT live.id FROM export_jobs AS live
        WHERE live.project_id = job.project_id AND live.request_hash = job.request_hash
          AND live.status IN ('pending', 'processing')) AS live_job_id
FROM export_jobs AS job WHERE job.id = ?1 AND job.tenant_id = ?2
"""

# Of which error codes a job is retried: of whichever.
ANY: Collection[str] = ()

ENDED = f"('{EXPORT.done}', '{EXPORT.failed}', '{EXPORT.cancelled}')"


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for, by whom. `video_seconds` are rendered; None: the whole input.

    `user`: for whom it is counted, if for anybody.
    """

    tenant_id: str
    project_id: str
    input_video_key: str
    type: str
    params: dict[str, Any]
    request_hash: str
    requested_by: str
    video_seconds: int | None
    user: KeyUser | None = None
    # In micro-dollars.
    least_cost: int = 0


def create(
    db: Database, order: Order, *, job_id: str, now: datetime, key: IdempotencyKey | None = None
) -> Accepted:
    """Accept a job and charge for it, all or nothing.

    ProjectNotFound, VideoNotFound, ExportAlreadyRunning, GpuQuotaExceeded.
    """
    insert = db.prepare(ACCEPT).bind(
        job_id, order.tenant_id, order.project_id, order.input_video_key, order.type, order.params,
        order.request_hash, order.requested_by, now, order.video_seconds, month_of(now),
        order.user.user_id if order.user else "",
    )  # fmt: skip
    acceptance = Acceptance(
        "create", job_id, job_id, order.tenant_id, now, order.requested_by, order.user, key,
        least_cost=order.least_cost,
    )  # fmt: skip
    return _accept(db, acceptance, moved=insert, why_not=lambda: find_refusal(db, order))


def find_refusal(db: Database, order: Order) -> Refusal | None:
    """Why the order was not accepted, by the order of the checks. None when nothing stands against it now."""
    why = db.prepare(WHY_NOT)
    facts = why.bind(order.tenant_id, order.project_id, order.input_video_key, order.request_hash).first()
    if facts["project_id"] is None:
        return ProjectNotFound()
    if facts["video_id"] is None:
        return VideoNotFound()
    if facts["live_job_id"] is not None:
        return ExportAlreadyRunning(job_id=facts["live_job_id"])
    return None


def retry(
    db: Database, job_id: str, *, tenant_id: str, move_id: str, now: datetime, person: str | None = None,
    user: KeyUser | None = None, least_cost: int = 0, codes: Collection[str] = ANY,
    key: IdempotencyKey | None = None,
) -> Accepted:  # fmt: skip
    """Have a failed job run again, charged anew, whatever it failed of unless the `codes` are named.

    JobNotFound, JobNotFailed, JobNotRetryable, and as when it is created.
    """
    places = ", ".join(f"?{place}" for place in range(6, 6 + len(codes)))
    reopened = jobs.reopen(
        db, EXPORT, job_id, tenant_id=tenant_id, period=month_of(now), move_id=move_id, now=now, user=user,
        when=f"error_code IN ({places})" if codes else "TRUE", values=[*codes],
    )  # fmt: skip
    acceptance = Acceptance(
        "retry", job_id, move_id, tenant_id, now, person, user, key, least_cost=least_cost
    )
    return _accept(
        db, acceptance, moved=reopened,
        why_not=lambda: find_retry_refusal(db, job_id, tenant_id=tenant_id, codes=codes),
    )  # fmt: skip


def find_retry_refusal(
    db: Database, job_id: str, *, tenant_id: str, codes: Collection[str] = ANY
) -> Refusal | None:
    """Why a job was not run again. None when nothing stands against it now."""
    facts = db.prepare(WHY_NOT_AGAIN).bind(job_id, tenant_id).first()
    if facts is None:
        return JobNotFound()
    if facts["status"] != EXPORT.failed:
        message = f"The job is {facts['status']}. Only a failed job is retried."
        return JobNotFailed(message, status=facts["status"])
    if facts["live_job_id"] is not None:
        return ExportAlreadyRunning(job_id=facts["live_job_id"])
    return JobNotRetryable() if codes and facts["error_code"] not in codes else None


def cancel(db: Database, job_id: str, *, tenant_id: str, person: str, move_id: str, now: datetime) -> Row:
    """End it if it is live. The job as it is then; its `last_move_id` tells whether it was. JobNotFound."""
    whose = {"id": job_id, "tenant_id": tenant_id}
    moves = jobs.cancelling(db, EXPORT, whose=whose, move_id=move_id, now=now, person=person)
    found = db.prepare("SELECT * FROM export_jobs WHERE id = ?1 AND tenant_id = ?2").bind(job_id, tenant_id)
    row: Row | None = db.batch([*moves, found])[-1].first()
    if row is None:
        raise JobNotFound
    return row


def remove(db: Database, job: Row, *, by: Author, move_id: str, now: datetime) -> bool:
    """Take away a final job as it was seen. False when it has moved on.

    Its timeline and charges stay, and a note that its files are to be erased.
    """
    job_id = job["id"]
    mark = db.prepare(f"""
        UPDATE export_jobs SET last_move_id = ?3, updated_at = ?4
        WHERE id = ?1 AND last_move_id = ?2 AND status IN {ENDED}
    """).bind(job_id, job["last_move_id"], move_id, now)
    event = events.record(
        db, EXPORT, job_id=job_id, move_id=move_id, move="remove", now=now, person=by.person
    )
    noted = audit.note(
        db, by, action="job_deleted", subject=job_id, tenant_id=job["tenant_id"], now=now,
        before="jsonb_build_object('kind', 'export', 'status', status)", after="?9",
        where="FROM export_jobs WHERE id = ?5 AND tenant_id = ?3 AND last_move_id = ?10",
        values=({"status": "deleted"}, move_id),
    )  # fmt: skip
    delete = db.prepare("DELETE FROM export_jobs WHERE id = ?1 AND last_move_id = ?2")
    files = db.prepare("""
        INSERT INTO removed_exports (id, tenant_id, user_id, attempts, removed_at, erase_at)
        SELECT id, tenant_id, user_id, attempt, ?3, ?3 FROM export_jobs
        WHERE id = ?1 AND last_move_id = ?2 AND attempt > 0
    """).bind(job_id, move_id, now)
    return db.batch([mark, event, noted, files, delete.bind(job_id, move_id)])[-1].meta.changes == 1


def _accept(
    db: Database, acceptance: Acceptance, *, moved: Statement, why_not: Callable[[], Refusal | None]
) -> Accepted:
    its = (acceptance.job_id, acceptance.move_id)
    spending, values = spend.facts_of(acceptance.least_cost, now=acceptance.now, first=3)
    facts = FACTS.format(limits=facts_of(EXPORT, acceptance.user) + spending)
    return accept(
        db, EXPORT, acceptance, moved=[moved],
        count_in=db.prepare(COUNT_IN).bind(*its, acceptance.now, *GPU_SECONDS.tiers.values()),
        facts=db.prepare(facts).bind(*its, *values),
        refusals=Refusals("one_live_export_per_request", _quota_exceeded, why_not),
    )  # fmt: skip


def _quota_exceeded(usage: Row) -> GpuQuotaExceeded:
    """The counter's own answer came before the refusal: what it would have been."""
    limit, month, wanted = usage["quota_limit"], usage["month"], usage["wanted"]
    used = usage["used"] - wanted
    warning = warn(GPU_SECONDS, used=used, limit=limit, period=month)
    return GpuQuotaExceeded(
        f"The export may take {wanted} GPU seconds. Of {limit} for {month}, {max(limit - used, 0)} are left.",
        usage={
            "used": used,
            "limit": limit,
            "month": month,
            "tier": usage["tier"],
            "wanted": wanted,
            "resets_at": bounds_of(month)[1],
            **({"warning": warning} if warning else {}),
        },
    )
