"""POST: accept a video to be rendered."""

from millrace import entry
from millrace.domain.export_answers import ExportAccepted
from millrace.domain.export_requests import count_video_seconds, hash_request
from millrace.domain.exports import CreateExport
from millrace.domain.gpu_times import LEAST_SECONDS
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import (
    ExportAlreadyRunning,
    GpuQuotaExceeded,
    ProjectNotFound,
    RateLimited,
    SpendLimitReached,
    VideoNotFound,
)
from millrace.store import export_orders

routes = entry.Routes()


@routes.post(
    "/api/exports",
    status=201,
    scope="exports:write",
    headers=("X-User-Id",),
    creates="export",
    refuses=(
        ProjectNotFound,
        VideoNotFound,
        ExportAlreadyRunning,
        GpuQuotaExceeded,
        RateLimited,
        SpendLimitReached,
    ),
)
def create_export(request: Request, env: Env, wanted: CreateExport) -> Answer[ExportAccepted]:
    """Have a video rendered on a rented GPU.

    Its GPU seconds are charged as they are estimated, and settled when it has ended.
    """
    order = export_orders.Order(
        tenant_id=request.caller.tenant_id,
        project_id=wanted.project_id,
        input_video_key=wanted.input_video_key,
        type=wanted.type,
        params=wanted.params.model_dump(mode="json"),
        request_hash=hash_request(wanted),
        requested_by=request.person_id,
        video_seconds=count_video_seconds(wanted.params),
        least_cost=LEAST_SECONDS * env.config.gpu_second_microusd,
        user=request.caller.key_user(env.config.limited_kinds),
    )
    db = env.DB.for_tenant(order.tenant_id)
    accepted = export_orders.create(
        db, order, job_id=env.new_id("job"), now=env.now(), key=request.idempotency_key
    )
    if not accepted.replayed:
        env.QUEUE.ring("export")
        entry.log("job_created", kind="export", job_id=accepted.facts["job_id"])
    return Answer(ExportAccepted.of(accepted.facts), replayed=accepted.replayed)
