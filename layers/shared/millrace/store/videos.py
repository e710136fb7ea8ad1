"""Videos to be rendered: what is to be uploaded, and what has been."""

from dataclasses import astuple, dataclass
from datetime import datetime

from millrace.bindings.database import Database, Row
from millrace.domain.idempotency import IdempotencyKey
from millrace.errors import VideoNotFound
from millrace.store import idempotency
from millrace.store.idempotency import Accepted

# One that was given up is there until its file is gone, and nobody's.
THEIRS = "id = ?1 AND tenant_id = ?2 AND deleted_at IS NULL"

INSERT = """
INSERT INTO videos (id, tenant_id, storage_key, file_name, content_type, size_bytes, requested_by,
                    link_expires_at, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
"""
FACTS = """
SELECT jsonb_build_object('video_id', id, 'storage_key', storage_key) AS "facts [JSONB]"
FROM videos WHERE id = ?1
"""


@dataclass(frozen=True, slots=True)
class NewVideo:
    """What somebody may upload until the link expires, and what they say of it."""

    id: str
    tenant_id: str
    storage_key: str
    file_name: str
    content_type: str
    size_bytes: int
    requested_by: str
    link_expires_at: datetime


def create(db: Database, video: NewVideo, *, now: datetime, key: IdempotencyKey | None = None) -> Accepted:
    """Expect a video."""
    insert = db.prepare(INSERT).bind(*astuple(video), now)
    facts = db.prepare(FACTS).bind(video.id)
    accepted = idempotency.accept(db, key, tenant_id=video.tenant_id, now=now, body=[insert], facts=facts)
    assert accepted is not None  # noqa: S101 - nothing can stand against it
    return accepted


def renew(db: Database, video_id: str, *, tenant_id: str, link_expires_at: datetime) -> Row:
    """The video, to which there is going to be a link until then. VideoNotFound."""
    renewed = db.prepare(f"""
        UPDATE videos SET link_expires_at = ?3 WHERE {THEIRS} RETURNING *
    """)
    return _found(renewed.bind(video_id, tenant_id, link_expires_at).first())


def read(db: Database, video_id: str, *, tenant_id: str) -> Row:
    """VideoNotFound when it is not theirs."""
    return _found(db.prepare(f"SELECT * FROM videos WHERE {THEIRS}").bind(video_id, tenant_id).first())


def complete(db: Database, video_id: str, *, tenant_id: str, etag: str, now: datetime) -> Row:
    """It has arrived and was checked. When somebody else has said so before, it stays as they said.

    VideoNotFound: it was given up meanwhile.
    """
    completed = db.prepare(f"""
        UPDATE videos SET uploaded_at = COALESCE(uploaded_at, ?3), etag = COALESCE(etag, ?4)
        WHERE {THEIRS} RETURNING *
    """)
    return _found(completed.bind(video_id, tenant_id, now, etag).first())


def _found(row: Row | None) -> Row:
    if row is None:
        raise VideoNotFound
    return row
