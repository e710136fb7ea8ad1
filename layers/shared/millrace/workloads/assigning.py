"""What a worker is told to do when it has started: the export's params, and links that are fresh now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from millrace.domain.export_files import clips_key
from millrace.domain.rendering import Assignment, OutputLinks, SignedRequest
from millrace.domain.videos import MP4
from millrace.env import Env
from millrace.workloads.outcomes import key_of

TSV = "text/tab-separated-values"


def assign(row: Mapping[str, Any], *, env: Env) -> Assignment:
    """The links live as long as the provider may keep the job."""
    key = key_of(row)
    until = row["provider_deadline_at"]
    now = env.now()
    seconds = max(1, int((until - now).total_seconds()))
    source = env.BUCKET.presign_download(row["input_video_key"], expires_seconds=seconds, now=now)
    clips = output_links(clips_key(key), content_type=TSV, seconds=seconds, now=now, env=env)
    return Assignment(
        type=row["type"],
        params=row["params"],
        input=SignedRequest(url=source.url, headers=dict(source.headers)),
        output_video_key=key,
        video=output_links(key, content_type=MP4, seconds=seconds, now=now, env=env),
        clips=clips if row["type"] == "annotate" else None,
    )


def output_links(key: str, *, content_type: str, seconds: int, now: datetime, env: Env) -> OutputLinks:
    upload = env.BUCKET.presign_upload(
        key, content_type=content_type, size=None, expires_seconds=seconds, now=now
    )
    discard = env.BUCKET.presign_delete(key, expires_seconds=seconds, now=now)
    return OutputLinks(
        upload=SignedRequest(url=upload.url, headers=dict(upload.headers)),
        discard=SignedRequest(url=discard.url, headers=dict(discard.headers)),
    )
