"""GET: how far exports are, what came of them, and what happened to one."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from millrace import entry
from millrace.domain.evaluations import Wait
from millrace.domain.export_answers import (
    LINK_SECONDS,
    Active,
    Export,
    ExportAnswer,
    ExportEventList,
    ExportList,
    ListedExport,
    OfProject,
    OfStatus,
    OfUser,
)
from millrace.domain.export_files import clips_key
from millrace.domain.jobs import EXPORT, POLL_AGAIN_SECONDS
from millrace.domain.pages import USUAL, Page
from millrace.domain.parameters import Cursor, Limit
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import JobNotFound
from millrace.store import export_history, exports

routes = entry.Routes()


@routes.get("/api/exports/<job_id>", scope="exports:read", also=(202,), refuses=(JobNotFound,))
def show_export(request: Request, env: Env, job_id: str, wait: Wait = 0) -> Answer[ExportAnswer]:
    """Poll an export until it is final.

    With `wait` the answer is held until there is something new to tell. Once it is complete, `output_url` is
    where the video is fetched, for an hour.
    """
    tenant_id = request.caller.tenant_id
    db = env.DB.for_tenant(tenant_id)
    row = entry.hold(
        lambda: exports.read(db, job_id, tenant_id=tenant_id),
        state_of=state_of,
        seconds=wait,
        request=request,
        env=env,
    )
    answer = ExportAnswer(data=Export.of(row, now=env.now(), **links_to(row, env=env)))
    if row["status"] in EXPORT.live:
        return Answer(answer, status=202, headers={"Retry-After": str(POLL_AGAIN_SECONDS)})
    return Answer(answer)


@routes.get("/api/exports", scope="exports:read")
def list_exports(
    request: Request,
    env: Env,
    project_id: OfProject = None,
    user_id: OfUser = None,
    status: OfStatus = None,
    active: Active = "false",
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> ExportList:
    """List exports, each as it stands, without its params and its links."""
    tenant_id, narrowed = request.caller.tenant_id, (project_id, user_id, status, active)
    page = Page.of("exports", *narrowed, limit=limit, cursor=cursor)
    rows = export_history.list_exports(
        env.DB.for_tenant(tenant_id),
        tenant_id=tenant_id,
        page=page,
        project_id=project_id,
        user_id=user_id,
        status=status,
        active=active == "true",
    )
    shown, next_cursor = page.cut(rows, at="created_at")
    now = env.now()
    return ExportList(data=[ListedExport.of(row, now=now) for row in shown], next_cursor=next_cursor)


@routes.get("/api/exports/<job_id>/events", scope="exports:read", refuses=(JobNotFound,))
def list_export_events(
    request: Request, env: Env, job_id: str, limit: Limit = USUAL, cursor: Cursor = None
) -> ExportEventList:
    """Tell what happened to an export."""
    tenant_id = request.caller.tenant_id
    page = Page.of("export_events", job_id, limit=limit, cursor=cursor)
    db = env.DB.for_tenant(tenant_id)
    rows = export_history.list_events(db, job_id, tenant_id=tenant_id, page=page)
    shown, next_cursor = page.cut(rows, at="created_at")
    return ExportEventList.of(shown, next_cursor=next_cursor)


def state_of(row: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What is news when it changes. None: the job is final."""
    if row["status"] not in EXPORT.live:
        return None
    return row["status"], row["attempt"], row["progress"], row["progress_message"]


def links_to(row: Mapping[str, Any], *, env: Env) -> dict[str, Any]:
    """Where what was rendered is fetched. Nothing until there is something."""
    if row["status"] != EXPORT.done:
        return {}
    key = row["output_video_key"]
    links = {"output_url": link_to(key, filename=f"{row['id']}.mp4", env=env)}
    if row["type"] == "annotate":
        links["clips_url"] = link_to(clips_key(key), filename=f"{row['id']}.tsv", env=env)
    return {**links, "output_expires_at": env.now() + timedelta(seconds=LINK_SECONDS)}


def link_to(key: str, *, filename: str, env: Env) -> str:
    return env.BUCKET.presign_download(
        key, expires_seconds=LINK_SECONDS, now=env.now(), filename=filename
    ).url
