"""DELETE, POST: what people decide about exports: no more, gone, once more."""

from collections.abc import Mapping
from typing import Any, Literal

from functions.manage.evaluations import NoFields
from millrace import entry
from millrace.domain.evaluations import WORTH_A_RETRY
from millrace.domain.export_answers import ExportAccepted, ExportRemoved, RemovedExport
from millrace.domain.gpu_times import LEAST_SECONDS
from millrace.domain.jobs import EXPORT, POLL_AGAIN_SECONDS
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import (
    BucketError,
    DatabaseUnavailable,
    ExportAlreadyRunning,
    GpuQuotaExceeded,
    GpuUnavailable,
    JobNotFailed,
    JobNotFound,
    JobNotRetryable,
    RateLimited,
    SpendLimitReached,
)
from millrace.store import export_orders, leftovers
from millrace.workloads.erasing import erase_export

routes = entry.Routes()


@routes.delete(
    "/api/exports/<job_id>",
    scope="exports:write",
    headers=("X-User-Id",),
    refuses=(JobNotFound,),
)
def delete_export(request: Request, env: Env, job_id: str) -> ExportRemoved:
    """End an export that waits or runs; delete one that is final, with what was rendered.

    Its charge is given back, unless a GPU has begun. The video it was made of stays.
    """
    tenant_id, person = request.caller.tenant_id, request.person_id
    db, move_id = env.DB.for_tenant(tenant_id), env.new_id()
    row = export_orders.cancel(db, job_id, tenant_id=tenant_id, person=person, move_id=move_id, now=env.now())
    if row["status"] == EXPORT.cancelled:
        stop_rendering(row, env=env)
    if row["last_move_id"] == move_id:
        entry.log("job_cancelled", kind="export", job_id=job_id)
        return removed(job_id, "cancelled")
    if not export_orders.remove(db, row, by=request.author(env.new_id), move_id=env.new_id(), now=env.now()):
        # Somebody else was quicker, and it is gone or waits again.
        return delete_export(request, env, job_id)
    entry.log("job_deleted", kind="export", job_id=job_id)
    erase_outputs(row, env=env)
    return removed(job_id, "deleted")


@routes.post(
    "/api/exports/<job_id>/retry",
    status=202,
    scope="exports:write",
    headers=("X-User-Id",),
    creates="export",
    refuses=(
        JobNotFound,
        JobNotFailed,
        JobNotRetryable,
        ExportAlreadyRunning,
        GpuQuotaExceeded,
        RateLimited,
        SpendLimitReached,
    ),
)
def retry_export(
    request: Request,
    env: Env,
    job_id: str,
    nothing: NoFields,  # noqa: ARG001 - it refuses
) -> Answer[ExportAccepted]:
    """Run a failed export again if that may end well (`can_retry`). It is charged anew, to this month."""
    tenant_id = request.caller.tenant_id
    accepted = export_orders.retry(
        env.DB.for_tenant(tenant_id), job_id, tenant_id=tenant_id, person=request.person_id,
        user=request.caller.key_user(env.config.limited_kinds), move_id=env.new_id(), now=env.now(),
        least_cost=LEAST_SECONDS * env.config.gpu_second_microusd, codes=WORTH_A_RETRY,
        key=request.idempotency_key,
    )  # fmt: skip
    if not accepted.replayed:
        env.QUEUE.ring("export")
        entry.log("job_reopened", kind="export", job_id=job_id)
    soon = {"Retry-After": str(POLL_AGAIN_SECONDS)}
    return Answer(ExportAccepted.of(accepted.facts), headers=soon, replayed=accepted.replayed)


def stop_rendering(row: Mapping[str, Any], *, env: Env) -> None:
    """Tell the provider. Where that fails, the worker is told when it next reports."""
    if row["runpod_job_id"] is None:
        return
    try:
        env.GPU.cancel(row["runpod_job_id"])
    except GpuUnavailable as fault:
        entry.log_fault(fault)


def erase_outputs(row: Mapping[str, Any], *, env: Env) -> None:
    """All that its attempts have written. What cannot be erased now is found by the minute's housekeeping."""
    tenant_id = row["tenant_id"]
    files = leftovers.removed(row["id"], tenant_id=tenant_id, attempts=row["attempt"], at=env.now())
    try:
        erase_export(files, tenant_id=tenant_id, env=env)
    except (BucketError, DatabaseUnavailable) as fault:
        entry.log_fault(fault)


def removed(job_id: str, status: Literal["cancelled", "deleted"]) -> ExportRemoved:
    return ExportRemoved(data=RemovedExport(job_id=job_id, status=status))
