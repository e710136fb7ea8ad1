"""Video exports: one of them, those under way in a project, and a user's latest."""

from millrace.bindings.database import Database, Row
from millrace.domain.jobs import EXPORT
from millrace.errors import JobNotFound

MOST_RECENT = 20


def read(db: Database, job_id: str, *, tenant_id: str) -> Row:
    """JobNotFound when it is not theirs."""
    found = db.prepare("SELECT * FROM export_jobs WHERE id = ?1 AND tenant_id = ?2")
    row: Row | None = found.bind(job_id, tenant_id).first()
    if row is None:
        raise JobNotFound
    return row


def list_active(db: Database, project_id: str, *, tenant_id: str) -> list[Row]:
    """The project's exports that wait or run, newest first."""
    active = db.prepare("""
        SELECT * FROM export_jobs
        WHERE project_id = ?1 AND tenant_id = ?2 AND status IN (?3, ?4)
        ORDER BY created_at DESC, id DESC
    """)
    return active.bind(project_id, tenant_id, *EXPORT.live).all().results


def list_recent(db: Database, user_id: str, *, tenant_id: str, limit: int = MOST_RECENT) -> list[Row]:
    """The exports of all projects the user owns, newest first."""
    recent = db.prepare("""
        SELECT job.* FROM export_jobs AS job JOIN projects AS project ON project.id = job.project_id
        WHERE project.user_id = ?1 AND project.tenant_id = ?2
        ORDER BY job.created_at DESC, job.id DESC LIMIT ?3
    """)
    return recent.bind(user_id, tenant_id, limit).all().results
