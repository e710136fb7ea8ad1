"""Video exports: one of them as it stands."""

from millrace.bindings.database import Database, Row
from millrace.errors import JobNotFound


def read(db: Database, job_id: str, *, tenant_id: str) -> Row:
    """JobNotFound when it is not theirs."""
    found = db.prepare("SELECT * FROM export_jobs WHERE id = ?1 AND tenant_id = ?2")
    row: Row | None = found.bind(job_id, tenant_id).first()
    if row is None:
        raise JobNotFound
    return row
