"""Projects, videos and exports as the API makes them, for tests that need some."""

from datetime import datetime
from typing import Any

from millrace.bindings.database import Database
from millrace.domain.export_requests import count_video_seconds, hash_request
from millrace.domain.exports import CreateExport
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.rows.table_row import Tier
from millrace.store import export_orders, projects, videos
from tests.factories import NOW, new_id

CLIPS = {"clips": [{"start_time": 0, "end_time": 100, "name": "A goal"}]}


def add_footage(
    db: Database, *, tenant_id: str = "tenant_a", tier: Tier = "free", size: int = 100_000_000,
    project_id: str = "project_a", uploaded: bool = True,
) -> str:  # fmt: skip
    """A tenant with a project and a video. The video's key."""
    db.prepare("""
        INSERT INTO tenants (id, name, tier, created_at, updated_at) VALUES (?1, ?1, ?2, ?3, ?3)
        ON CONFLICT DO NOTHING
    """).bind(tenant_id, tier, NOW).run()
    projects.put(db, project_id, tenant_id=tenant_id, name="A match", person="alice", now=NOW)
    return add_video(db, tenant_id=tenant_id, size=size, uploaded=uploaded)


def add_video(
    db: Database, *, tenant_id: str = "tenant_a", size: int = 100_000_000, uploaded: bool = True
) -> str:
    video = videos.NewVideo(
        id=new_id("video"),
        tenant_id=tenant_id,
        storage_key=f"tenants/{tenant_id}/videos/{new_id()}",
        file_name="match.mp4",
        content_type="video/mp4",
        size_bytes=size,
        requested_by="alice",
        link_expires_at=NOW,
    )
    videos.create(db, video, now=NOW)
    if uploaded:
        videos.complete(db, video.id, tenant_id=tenant_id, etag="etag", now=NOW)
    return video.storage_key


def order_for(video_key: str, *, tenant_id: str = "tenant_a", **changes: Any) -> export_orders.Order:
    said = {"project_id": "project_a", "type": "annotate", "params": CLIPS, "input_video_key": video_key}
    wanted = CreateExport.model_validate(said | changes)
    return export_orders.Order(
        tenant_id=tenant_id,
        project_id=wanted.project_id,
        input_video_key=wanted.input_video_key,
        type=wanted.type,
        params=wanted.params.model_dump(mode="json"),
        request_hash=hash_request(wanted),
        requested_by="alice",
        video_seconds=count_video_seconds(wanted.params),
    )


def accept_export(
    db: Database, video_key: str, *, now: datetime = NOW, key: IdempotencyKey | None = None, **changes: Any
) -> str:
    """Create a job as the API does. Its id."""
    order = order_for(video_key, **changes)
    return str(export_orders.create(db, order, job_id=new_id("job"), now=now, key=key).facts["job_id"])


def clips_of(seconds: int, *, name: str = "A goal") -> dict[str, Any]:
    """The params of an export of so many seconds of video."""
    return {"clips": [{"start_time": 0, "end_time": seconds, "name": name}]}


def gpu_seconds(db: Database, *, tenant_id: str = "tenant_a", month: str = "2025-12") -> tuple[int, int]:
    """What the counter says that a tenant has used, and what its ledger adds up to."""
    counter = db.prepare("""
        SELECT used FROM monthly_usage WHERE tenant_id = ?1 AND month = ?2 AND meter = 'gpu_seconds'
    """).bind(tenant_id, month)
    entries = db.prepare("""
        SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS n FROM quota_entries
        WHERE subject = ?1 AND period = ?2 AND meter = 'gpu_seconds'
    """).bind(tenant_id, month)
    return int(counter.first("used") or 0), int(entries.first("n"))
