"""The columns that every job table has: who holds a job, until when, and what it was charged to."""

from pydantic import AwareDatetime

from millrace.domain.rows.table_row import TableRow


class JobRow(TableRow):
    id: str
    tenant_id: str
    progress_message: str | None
    attempt: int
    last_move_id: str
    run_after: AwareDatetime
    locked_until: AwareDatetime | None
    worker_id: str | None
    retry_count: int
    max_retries: int
    charge_round: int
    charged_period: str
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    completed_at: AwareDatetime | None
    updated_at: AwareDatetime
