"""The provider's side of an export: handed over, known there by an id, heard of, looked up."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from millrace.bindings.database import Database, Row, Statement, Value
from millrace.domain.callbacks import Link
from millrace.domain.gpu_times import GpuUse
from millrace.domain.jobs import EXPORT, Job
from millrace.domain.questions import ModelAnswer, PaidCall
from millrace.errors import JobFailure
from millrace.store import jobs, usage
from millrace.store.ledger import Booking, in_order

# Under which name metering knows the GPUs.
GPU_MODEL = "runpod"

LEASE = timedelta(seconds=EXPORT.lease_seconds)

CURRENT = "id = ?1 AND attempt = ?2 AND status = 'processing'"


def begin(db: Database, job: Job, *, deadline_at: datetime, now: datetime, most_microusd: int = 0) -> bool:
    """Write down that the provider is about to be asked, and until when it may keep the job. False: don't.

    SpendLimitReached when not so much may be spent today any more.
    """
    return jobs.begin_paid_work(
        db, EXPORT, job, now=now, progress_message="Waiting for a GPU", most_microusd=most_microusd,
        columns={"provider_deadline_at": deadline_at},
    )  # fmt: skip


def note_submitted(db: Database, job: Job, *, provider_job_id: str, move_id: str, now: datetime) -> bool:
    """Write down how the provider knows the attempt. False when this one does not run (any more)."""
    link = Link(job.id, job.attempt)
    return _know(db, link, provider_job_id=provider_job_id, move="submit", move_id=move_id, now=now)


def adopt(db: Database, link: Link, *, provider_job_id: str, move_id: str, now: datetime) -> bool:
    """The same for one of whose submission nothing came back: it has told us itself."""
    return _know(db, link, provider_job_id=provider_job_id, move="adopt", move_id=move_id, now=now)


def find(db: Database, job_id: str) -> Row | None:
    """The job's row, whosever it is."""
    row: Row | None = _select(db, job_id).first()
    return row


def find_removed(db: Database, link: Link) -> Job | None:
    """The attempt, for metering, if its export was deleted while a provider may still tell of it."""
    removed = db.prepare("""
        SELECT id, tenant_id, user_id FROM removed_exports WHERE id = ?1 AND attempts >= ?2
    """)
    row = removed.bind(link.job_id, link.attempt).first()
    return Job(row["id"], row["tenant_id"], link.attempt, 0, 0, row) if row else None


def hear(
    db: Database, link: Link, *, provider_job_id: str, progress: int, message: str, now: datetime
) -> Row | None:
    """A word of the worker renews the lease and tells how far it is, which never falls.

    From who is not running this attempt, or was overtaken by a later word of its own, it changes nothing. The
    job's row as it then is.
    """
    heard = db.prepare(f"""
        UPDATE export_jobs
        SET locked_until = ?3, gpu_started_at = COALESCE(gpu_started_at, ?4), updated_at = ?4, progress = ?5,
            progress_message = ?6
        WHERE {CURRENT} AND COALESCE(runpod_job_id, ?7) = ?7 AND progress <= ?5
    """).bind(link.job_id, link.attempt, now + LEASE, now, progress, message, provider_job_id)
    row: Row | None = db.batch([heard, _select(db, link.job_id)])[1].first()
    return row


def complete(
    db: Database, job: Job, *, output_video_key: str, provider_job_id: str, use: GpuUse, move_id: str,
    now: datetime,
) -> bool:  # fmt: skip
    """The end of an export with its video. False when someone else ended it first."""
    columns: dict[str, Value] = {
        "output_video_key": output_video_key,
        "runpod_job_id": provider_job_id,
        "progress": 100,
        "progress_message": "Done",
        **_columns(job, use),
    }
    booked = _book(db, job, use=use, request_id=provider_job_id, now=now)
    return jobs.complete(db, EXPORT, job, result=(), columns=columns, booked=booked, move_id=move_id, now=now)


def fail(
    db: Database, job: Job, *, error: JobFailure, use: GpuUse, move_id: str, now: datetime, jitter: float,
    lease_lost: bool = False,
) -> Row | None:  # fmt: skip
    """The end of an attempt without a video, as `jobs.fail` has it."""
    booked = _book(db, job, use=use, request_id=job.row["runpod_job_id"], now=now)
    return jobs.fail(
        db, EXPORT, job, error=error, booked=booked, columns=_columns(job, use), move_id=move_id, now=now,
        jitter=jitter, lease_lost=lease_lost,
    )  # fmt: skip


def give_up(
    db: Database, job: Job, *, error: JobFailure, move_id: str, now: datetime, jitter: float
) -> Row | None:
    """The end of an attempt whose order the provider has certainly not taken."""
    booked = usage.book(db, EXPORT, job, calls=(), now=now)
    return jobs.fail(db, EXPORT, job, error=error, booked=booked, move_id=move_id, now=now, jitter=jitter)


def meter(db: Database, job: Job, *, use: GpuUse, request_id: str, now: datetime) -> None:
    """What an attempt has used that is over, unless it was written down when it ended."""
    # Of a deleted export there is no other row by which two who tell the same would wait for each other.
    hold = db.prepare("UPDATE removed_exports SET erase_at = erase_at WHERE id = ?1").bind(job.id)
    removed = Booking("removed_exports", holds=(hold,))
    db.batch(in_order([removed, *_book(db, job, use=use, request_id=request_id, now=now)]))


def list_stale(db: Database, *, now: datetime, limit: int) -> list[Row]:
    """The exports under way of which nothing was heard for a lease, the longest silent first."""
    stale = db.prepare("""
        SELECT * FROM export_jobs WHERE status = 'processing' AND locked_until < ?1
        ORDER BY locked_until LIMIT ?2
    """)
    return stale.bind(now, limit).all().results


def renew(db: Database, job: Job, *, now: datetime) -> bool:
    """It need not be looked up for another lease. False when it was moved, or heard of, meanwhile."""
    renewed = db.prepare(f"UPDATE export_jobs SET locked_until = ?3 WHERE {CURRENT} AND locked_until < ?4")
    return renewed.bind(job.id, job.attempt, now + LEASE, now).run().meta.changes == 1


def _know(db: Database, link: Link, *, provider_job_id: str, move: str, move_id: str, now: datetime) -> bool:
    known = db.prepare(f"""
        UPDATE export_jobs SET runpod_job_id = ?3, locked_until = ?4, last_move_id = ?5, updated_at = ?6
        WHERE {CURRENT} AND submitted_at IS NOT NULL AND COALESCE(runpod_job_id, ?3) = ?3
    """).bind(link.job_id, link.attempt, provider_job_id, now + LEASE, move_id, now)
    event = db.prepare("""
        INSERT INTO job_events (id, tenant_id, job_id, kind, attempt, move, detail, created_at)
        SELECT job.last_move_id, job.tenant_id, job.id, 'export', job.attempt, ?3,
               jsonb_build_object('status', job.status, 'provider_job_id', job.runpod_job_id), ?4
        FROM export_jobs AS job WHERE job.id = ?1 AND job.last_move_id = ?2
    """).bind(link.job_id, move_id, move, now)
    return db.batch([known, event])[0].meta.changes == 1


def _select(db: Database, job_id: str) -> Statement:
    return db.prepare("SELECT * FROM export_jobs WHERE id = ?1").bind(job_id)


def _columns(job: Job, use: GpuUse) -> Mapping[str, int]:
    """What the job has used with this attempt."""
    used = GpuUse(job.row["gpu_seconds"] or 0, job.row["cost_microusd"]).plus(use)
    return {"gpu_seconds": used.seconds, "cost_microusd": used.cost_microusd}


def _book(db: Database, job: Job, *, use: GpuUse, request_id: str | None, now: datetime) -> list[Booking]:
    """What costs nothing has no record. What nobody knows yet has none either until the provider says it."""
    spent = ModelAnswer("", GPU_MODEL, cost_microusd=use.cost_microusd, duration_ms=use.seconds * 1_000)
    # Named by what it is of: whoever writes it down, it is the same call.
    call = PaidCall(f"{job.id}-{job.attempt}", spent, now, gpu_seconds=use.seconds, request_id=request_id)
    calls = [call] if use.is_known and use.seconds else ()
    return usage.book(db, EXPORT, job, calls=calls, all_known=use.is_known, now=now)
