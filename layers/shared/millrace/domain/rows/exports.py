"""Rows of video exports."""

from typing import Literal

from pydantic import AwareDatetime

from millrace.domain.rows.lifecycle import JobRow
from millrace.domain.rows.table_row import Facts, TableRow


class Project(TableRow):
    """`user_id` is its owner."""

    id: str
    tenant_id: str
    user_id: str
    name: str
    created_at: AwareDatetime
    updated_at: AwareDatetime


class ExportJob(JobRow):
    project_id: str
    type: Literal["framing", "overlay", "annotate"]
    requested_by: str
    user_id: str
    request_hash: str | None
    status: Literal["pending", "processing", "complete", "error", "cancelled"]
    progress: int
    input_video_key: str
    output_video_key: str | None
    params: Facts
    error_code: str | None
    error: str | None
    submitted_at: AwareDatetime | None
    runpod_job_id: str | None
    provider_deadline_at: AwareDatetime | None
    gpu_started_at: AwareDatetime | None
    gpu_seconds_reserved: int
    gpu_seconds: int | None
    cost_microusd: int
    outputs_swept_at: AwareDatetime | None


class RemovedExport(TableRow):
    """Deleted by somebody. Its files are to be erased at `erase_at`."""

    id: str
    tenant_id: str
    user_id: str
    attempts: int
    removed_at: AwareDatetime
    erase_at: AwareDatetime


class Video(TableRow):
    """Announced, and there once it has `uploaded_at`."""

    id: str
    tenant_id: str
    storage_key: str
    file_name: str
    content_type: str
    size_bytes: int
    etag: str | None
    requested_by: str
    link_expires_at: AwareDatetime
    created_at: AwareDatetime
    uploaded_at: AwareDatetime | None
    deleted_at: AwareDatetime | None
