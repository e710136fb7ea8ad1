"""Exports as those who asked for them see them: lists, and what has happened to one."""

from millrace.bindings.database import Database, Row
from millrace.domain.jobs import EXPORT
from millrace.domain.pages import Page
from millrace.errors import JobNotFound
from millrace.store.pages import newest

# All but the params: a page of those would be too large to answer with.
LISTED = """
SELECT job.id, job.project_id, job.type, job.status, job.progress, job.progress_message, job.input_video_key,
       job.error_code, job.error, job.retry_count, job.gpu_seconds_reserved, job.gpu_seconds, job.run_after,
       job.created_at, job.started_at, job.completed_at
FROM export_jobs AS job WHERE job.tenant_id = ?1
"""
OF_USER = "job.project_id IN (SELECT id FROM projects WHERE tenant_id = ?1 AND user_id = {place})"
ACTIVE = f" AND job.status IN ('{EXPORT.waiting}', '{EXPORT.running}')"


def list_exports(
    db: Database, *, tenant_id: str, page: Page, project_id: str | None = None, user_id: str | None = None,
    status: str | None = None, active: bool = False,
) -> list[Row]:  # fmt: skip
    """The tenant's exports: of a project, of all projects of a person, of a status, or those not final."""
    conditions = {
        "job.project_id = {place}": project_id,
        OF_USER: user_id,
        "job.status = {place}": status,
    }
    wanted = {condition: value for condition, value in conditions.items() if value is not None}
    said = "".join(
        f" AND {condition.format(place=f'?{place}')}" for place, condition in enumerate(wanted, start=2)
    )
    listed = newest(
        db, LISTED + said + (ACTIVE if active else ""), tenant_id, *wanted.values(),
        page=page, at="job.created_at", key="job.id",
    )  # fmt: skip
    return listed.all().results


def list_events(db: Database, job_id: str, *, tenant_id: str, page: Page) -> list[Row]:
    """What happened to the export. JobNotFound when it is not theirs."""
    found, listed = db.batch(
        [
            db.prepare("SELECT id FROM export_jobs WHERE id = ?1 AND tenant_id = ?2").bind(job_id, tenant_id),
            newest(
                db, "SELECT * FROM job_events WHERE job_id = ?1 AND tenant_id = ?2", job_id, tenant_id,
                page=page, at="created_at",
            ),
        ]
    )  # fmt: skip
    if found.first() is None:
        raise JobNotFound
    return listed.results
