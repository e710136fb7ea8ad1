"""POST: videos to be rendered, uploaded by a link and checked where they lie."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from functions.manage.evaluations import NoFields
from millrace import entry
from millrace.domain.documents import Upload
from millrace.domain.export_files import video_key
from millrace.domain.videos import (
    LINK_SECONDS,
    OPENING_BYTES,
    CreatedVideo,
    CreateVideo,
    VideoAnswer,
    VideoCreated,
    VideoView,
    check_video,
)
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import BucketError, StorageUnavailable, UploadMissing, VideoInvalid, VideoNotFound
from millrace.store import videos

routes = entry.Routes()


@routes.post("/api/videos/uploads", status=201, scope="exports:write", headers=("X-User-Id",), once=True)
def create_video(request: Request, env: Env, wanted: CreateVideo) -> Answer[VideoCreated]:
    """Announce a video, and get a link to upload it by.

    Send the file to the link with the headers named, then say that it is complete. A link takes one file: a
    second one is answered 412, and the first stays.
    """
    tenant_id, expires_at = request.caller.tenant_id, env.now() + timedelta(seconds=LINK_SECONDS)
    db = env.DB.for_tenant(tenant_id)
    video = videos.NewVideo(
        id=env.new_id("video"),
        tenant_id=tenant_id,
        storage_key=video_key(tenant_id, secret=env.new_secret()),
        file_name=wanted.filename,
        content_type=wanted.content_type,
        size_bytes=wanted.size,
        requested_by=request.person_id,
        link_expires_at=expires_at,
    )
    made = videos.create(db, video, now=env.now(), key=request.idempotency_key)
    video_id, key = made.facts["video_id"], made.facts["storage_key"]
    if made.replayed:
        videos.renew(db, video_id, tenant_id=tenant_id, link_expires_at=expires_at)
    link = env.BUCKET.presign_upload(
        key, content_type=wanted.content_type, size=wanted.size, expires_seconds=LINK_SECONDS, now=env.now(),
        once=True,
    )  # fmt: skip
    shown = Upload(url=link.url, method="PUT", headers=dict(link.headers), expires_at=link.expires_at)
    created = CreatedVideo(video_id=video_id, input_video_key=key, upload=shown)
    return Answer(VideoCreated(data=created), replayed=made.replayed)


@routes.post(
    "/api/videos/uploads/<video_id>/complete",
    scope="exports:write",
    headers=("X-User-Id",),
    refuses=(VideoNotFound, UploadMissing, VideoInvalid, StorageUnavailable),
)
def complete_video(
    request: Request,
    env: Env,
    video_id: str,
    nothing: NoFields,  # noqa: ARG001 - it refuses
) -> VideoAnswer:
    """Say that a video has been uploaded. It is checked, and from now on exports may be made of it.

    Size and type must be as announced. If they are not, announce the right one: what has come stays what it
    is, and goes by itself.
    """
    tenant_id = request.caller.tenant_id
    db = env.DB.for_tenant(tenant_id)
    row = videos.read(db, video_id, tenant_id=tenant_id)
    if row["uploaded_at"] is None:
        etag = check_upload(row, env=env)
        row = videos.complete(db, video_id, tenant_id=tenant_id, etag=etag, now=env.now())
    return VideoAnswer(data=VideoView.of(row))


def check_upload(row: Mapping[str, Any], *, env: Env) -> str:
    """The etag of what is in the bucket, if it is what was announced."""
    try:
        body = env.BUCKET.open(row["storage_key"], length=OPENING_BYTES)
        if body is None:
            raise UploadMissing
        with body:
            opening = b"".join(body)
    except BucketError as error:
        raise StorageUnavailable from error
    facts = body.facts
    check_video(opening, found_size=facts.size, size=row["size_bytes"], content_type=row["content_type"])
    return facts.etag
