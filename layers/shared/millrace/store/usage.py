"""What jobs have used of models: one row for each call that was paid for."""

from collections.abc import Sequence

from millrace.bindings.database import Database, Statement
from millrace.domain.jobs import Job, JobTable
from millrace.domain.questions import PaidCall

# What the columns hold. A provider that miscounts must not keep a job from its end.
MOST_COUNTED = 2**31 - 1
MOST_MICROUSD = 2**63 - 1


def record(db: Database, table: JobTable, job: Job, *, calls: Sequence[PaidCall]) -> list[Statement]:
    """Write down each call once, however often the batch is repeated, and whoever has moved the job."""
    return [_insert(db, table, job, call=call) for call in calls]


def _insert(db: Database, table: JobTable, job: Job, *, call: PaidCall) -> Statement:
    """`request_id` names the run that made the call, as the log does."""
    answer = call.answer
    return db.prepare("""
        INSERT INTO usage_records (id, user_id, tenant_id, request_id, kind, job_id, timestamp, model,
                                   input_tokens, output_tokens, cost_microusd, duration_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        ON CONFLICT (id) DO NOTHING
    """).bind(
        call.id, job.row["requested_by"], job.tenant_id, job.row["worker_id"], table.kind, job.id,
        call.ended_at, answer.model_version, _held(answer.input_tokens), _held(answer.output_tokens),
        _held(answer.cost_microusd, most=MOST_MICROUSD), _held(answer.duration_ms),
    )  # fmt: skip


def _held(number: int, *, most: int = MOST_COUNTED) -> int:
    return max(0, min(number, most))
