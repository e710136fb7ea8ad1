"""Jobs as an operator sees them: the newest of a kind, and all that happened to one."""

from millrace.bindings.database import Database, Row
from millrace.domain.jobs import JobTable


def list_jobs(db: Database, table: JobTable, *, status: str | None, limit: int) -> list[Row]:
    """The newest first, of one state or of all."""
    code, _ = table.error_columns
    return (
        db.prepare(f"""
            SELECT id, tenant_id, status, attempt, retry_count, run_after, locked_until, created_at, {code}
            FROM {table.name} WHERE CAST(?1 AS TEXT) IS NULL OR status = ?1
            ORDER BY created_at DESC, id DESC LIMIT ?2
        """)
        .bind(status, limit)
        .all()
        .results
    )


def find_job(db: Database, table: JobTable, *, job_id: str) -> Row | None:
    """The whole row, whosever it is."""
    row: Row | None = db.prepare(f"SELECT * FROM {table.name} WHERE id = ?1").bind(job_id).first()
    return row


def list_events(db: Database, job_id: str) -> list[Row]:
    """What happened to the job, the first thing first."""
    return (
        db.prepare("""
            SELECT created_at, move, attempt, detail FROM job_events WHERE job_id = ?1 ORDER BY created_at, id
        """)
        .bind(job_id)
        .all()
        .results
    )
