"""What exports and videos leave in the bucket that nobody wants: found for the sweep, and noted as gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from millrace.bindings.database import Database, Row, Statement
from millrace.domain.export_files import list_outputs
from millrace.domain.gpu_times import GRACE_SECONDS, MOST_SECONDS, QUEUE_SECONDS
from millrace.domain.jobs import EXPORT
from millrace.store.erasure import ABANDONED_AFTER, LINK_GRACE

# After its export's end no attempt is given links any more, and so long those that were given may live.
LINKS_LIVE = timedelta(seconds=QUEUE_SECONDS + MOST_SECONDS + GRACE_SECONDS) + LINK_GRACE
MOST_VIDEOS = 500
MOST_EXPORTS = 200

# What the minute looks for. Each has an index that holds nothing of what was done before.
ABANDONED = """
SELECT id FROM videos WHERE uploaded_at IS NULL AND deleted_at IS NULL AND link_expires_at <= ?1
ORDER BY link_expires_at LIMIT ?2
"""
UNSWEPT = """
SELECT id, tenant_id, attempt, status, output_video_key, completed_at FROM export_jobs
WHERE completed_at <= ?1 AND (outputs_swept_at IS NULL OR outputs_swept_at < completed_at)
ORDER BY completed_at LIMIT ?2
"""
TO_ERASE = """
SELECT id, tenant_id, attempts, removed_at FROM removed_exports WHERE erase_at <= ?1
ORDER BY erase_at LIMIT ?2
"""


@dataclass(frozen=True, slots=True)
class Leftover:
    """Keys under which something may lie that is to go, by the row that tells of it and when that ended."""

    id: str
    keys: Sequence[str]
    since: datetime


def give_up_videos(db: Database, *, now: datetime) -> int:
    """Videos that were announced and never complete. From now on none can be. How many."""
    give_up = db.prepare(f"""
        UPDATE videos SET deleted_at = ?3
        WHERE uploaded_at IS NULL AND deleted_at IS NULL AND id IN ({ABANDONED})
    """)
    return give_up.bind(now - ABANDONED_AFTER, MOST_VIDEOS, now).run().meta.changes


def find_videos(db: Database) -> list[Leftover]:
    """Those given up, the oldest first."""
    given_up = db.prepare("""
        SELECT id, storage_key, deleted_at FROM videos WHERE deleted_at IS NOT NULL
        ORDER BY deleted_at LIMIT ?1
    """)
    rows = given_up.bind(MOST_VIDEOS).all().results
    return [Leftover(row["id"], [row["storage_key"]], row["deleted_at"]) for row in rows]


def forget_videos(db: Database, videos: Sequence[Leftover]) -> None:
    """Their files are gone, and so are they."""
    forget = db.prepare("DELETE FROM videos WHERE id = ?1 AND deleted_at IS NOT NULL")
    _do_all(db, [forget.bind(video.id) for video in videos])


def find_unswept(db: Database, *, now: datetime) -> list[Leftover]:
    """Exports that have ended, once nobody can write an output of theirs. All of it goes but the result."""
    rows = db.prepare(UNSWEPT).bind(now - LINKS_LIVE, MOST_EXPORTS).all().results
    return [Leftover(row["id"], _outputs_but_the_result(row), row["completed_at"]) for row in rows]


def note_swept(db: Database, exports: Sequence[Leftover], *, now: datetime) -> None:
    """Unless one has begun anew since: then it is swept again after its next end."""
    note = db.prepare("UPDATE export_jobs SET outputs_swept_at = ?2 WHERE id = ?1 AND completed_at = ?3")
    _do_all(db, [note.bind(export.id, now, export.since) for export in exports])


def find_removed(db: Database, *, now: datetime) -> list[Leftover]:
    """Deleted exports whose files are to be erased, for the first time or the last. The oldest first."""
    rows = db.prepare(TO_ERASE).bind(now, MOST_EXPORTS).all().results
    return [
        removed(row["id"], tenant_id=row["tenant_id"], attempts=row["attempts"], at=row["removed_at"])
        for row in rows
    ]


def removed(job_id: str, *, tenant_id: str, attempts: int, at: datetime) -> Leftover:
    return Leftover(job_id, list(list_outputs(tenant_id, job_id=job_id, attempts=attempts)), at)


def note_erased(db: Database, exports: Sequence[Leftover], *, now: datetime) -> None:
    """Their files are gone. While one may still be written by its link, it is to be erased once more."""
    again = db.prepare("UPDATE removed_exports SET erase_at = ?2 WHERE id = ?1")
    forget = db.prepare("DELETE FROM removed_exports WHERE id = ?1")
    ends = [(export.id, export.since + LINKS_LIVE) for export in exports]
    _do_all(db, [again.bind(job_id, end) if now < end else forget.bind(job_id) for job_id, end in ends])


def _outputs_but_the_result(row: Row) -> list[str]:
    kept = row["output_video_key"] if row["status"] == EXPORT.done else None
    return list(list_outputs(row["tenant_id"], job_id=row["id"], attempts=row["attempt"], kept=kept))


def _do_all(db: Database, statements: Sequence[Statement]) -> None:
    if statements:
        db.batch(statements)
