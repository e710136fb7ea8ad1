"""A project with its videos and exports, for the scene that the files in events/ speak of."""

from datetime import datetime

from millrace.bindings.database import Value
from millrace.domain.export_files import clips_key, output_key
from millrace.domain.export_requests import count_video_seconds, hash_request
from millrace.domain.exports import CreateExport
from millrace.domain.jobs import EXPORT, Job
from millrace.env import Env
from millrace.errors import RenderFailed
from millrace.store import export_orders, jobs, projects, videos

TENANT, PROJECT, PERSON = "tenant_demo", "project_demo", "user_xyz"
# Announced all three, and of the last the file has not arrived.
VIDEO, ARRIVED_VIDEO, MISSING_VIDEO = "video_demo", "video_arrived", "video_missing"
WAITING, DONE, FAILED = "job_export", "job_export_done", "job_export_failed"
FILM = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00" + bytes(1_000)


def furnish(env: Env, *, now: datetime) -> None:
    projects.put(env.DB, PROJECT, tenant_id=TENANT, name="The final in May", person=PERSON, now=now)
    for video_id in (VIDEO, ARRIVED_VIDEO, MISSING_VIDEO):
        announce(env, video_id, now=now)
    videos.complete(env.DB, VIDEO, tenant_id=TENANT, etag="etag", now=now)
    complete(env, accept(env, DONE, name="A save", now=now), now=now)
    fail(env, accept(env, FAILED, name="A foul", now=now), now=now)
    order(env, WAITING, name="A goal", now=now)


def announce(env: Env, video_id: str, *, now: datetime) -> None:
    video = videos.NewVideo(
        id=video_id, tenant_id=TENANT, storage_key=video_id, file_name="match.mp4", content_type="video/mp4",
        size_bytes=len(FILM), requested_by=PERSON, link_expires_at=now,
    )  # fmt: skip
    videos.create(env.DB, video, now=now)
    if video_id != MISSING_VIDEO:
        env.BUCKET.put(video_id, FILM, content_type="video/mp4")


def order(env: Env, job_id: str, *, name: str, now: datetime) -> None:
    """A minute of the video, under this name."""
    clips = [{"start_time": 0, "end_time": 60, "name": name}]
    wanted = CreateExport.model_validate(
        {"project_id": PROJECT, "type": "annotate", "input_video_key": VIDEO, "params": {"clips": clips}}
    )
    asked = export_orders.Order(
        tenant_id=TENANT, project_id=PROJECT, input_video_key=VIDEO, type=wanted.type,
        params=wanted.params.model_dump(mode="json"), request_hash=hash_request(wanted), requested_by=PERSON,
        video_seconds=count_video_seconds(wanted.params),
    )  # fmt: skip
    export_orders.create(env.DB, asked, job_id=job_id, now=now)


def accept(env: Env, job_id: str, *, name: str, now: datetime) -> Job:
    """Ordered, and begun: no other export waits yet."""
    order(env, job_id, name=name, now=now)
    return claim(env, move_id=f"claim_{job_id}", now=now)


def claim(env: Env, *, move_id: str, now: datetime) -> Job:
    job = jobs.claim(env.DB, EXPORT, worker_id="scene", move_id=move_id, now=now)
    if job is None:
        raise AssertionError("the scene's only export is not there")
    return job


def complete(env: Env, job: Job, *, now: datetime) -> None:
    key = output_key(TENANT, job_id=job.id, attempt=job.attempt)
    for name in (key, clips_key(key)):
        env.BUCKET.put(name, FILM, content_type="video/mp4")
    columns: dict[str, Value] = {"output_video_key": key, "progress": 100, "gpu_seconds": 31}
    jobs.complete(env.DB, EXPORT, job, result=(), columns=columns, move_id=f"complete_{job.id}", now=now)


def fail(env: Env, job: Job, *, now: datetime) -> None:
    """As often as it is tried."""
    error = RenderFailed("The render broke.")
    for attempt in range(1, job.max_retries + 2):
        jobs.fail(
            env.DB, EXPORT, job, error=error, move_id=f"fail_{job.id}_{attempt}", now=now, jitter=0.0
        )  # fmt: skip
        if attempt <= job.max_retries:
            job = claim(env, move_id=f"claim_{job.id}_{attempt}", now=now)
