"""Projects: made under an id of the caller's choosing, and found again."""

from datetime import datetime

from millrace.bindings.database import Database, Row
from millrace.errors import ProjectNotFound

THEIRS = "id = ?1 AND tenant_id = ?2"


def put(
    db: Database, project_id: str, *, tenant_id: str, name: str, person: str, now: datetime
) -> tuple[Row, bool]:
    """Make the project, for this person, or give it another name. Whether it is new.

    ProjectNotFound: it is another tenant's.
    """
    insert = db.prepare("""
        INSERT INTO projects (id, tenant_id, user_id, name, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT DO NOTHING
    """).bind(project_id, tenant_id, person, name, now)
    change = db.prepare(f"UPDATE projects SET name = ?3, updated_at = ?4 WHERE {THEIRS} RETURNING *")
    inserted, changed = db.batch([insert, change.bind(project_id, tenant_id, name, now)])
    row = changed.first()
    if row is None:
        raise ProjectNotFound
    return row, inserted.meta.changes == 1


def read(db: Database, project_id: str, *, tenant_id: str) -> Row:
    """ProjectNotFound."""
    row: Row | None = db.prepare(f"SELECT * FROM projects WHERE {THEIRS}").bind(project_id, tenant_id).first()
    if row is None:
        raise ProjectNotFound
    return row
