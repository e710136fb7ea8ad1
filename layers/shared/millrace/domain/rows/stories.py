"""Rows of user stories."""

from typing import Literal

from pydantic import AwareDatetime

from millrace.domain.rows.lifecycle import JobRow
from millrace.domain.rows.table_row import Facts, TableRow


class StoryJob(JobRow):
    user_id: str
    status: Literal["queued", "processing", "completed", "failed", "cancelled"]
    story: str
    iterations: list[str]
    options: Facts
    result: Facts | None
    error: Facts | None
    model_called_at: AwareDatetime | None


class StoryJobFile(TableRow):
    id: str
    tenant_id: str
    job_id: str
    file_name: str
    blob_path: str
    content_type: str
    size_bytes: int
    uploaded_at: AwareDatetime
