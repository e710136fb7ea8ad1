"""What jobs have used: one row for each call of a model, or attempt on a GPU, that was paid for."""

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter

from millrace.bindings.database import Database, Value
from millrace.domain.jobs import Job, JobTable
from millrace.domain.questions import PaidCall
from millrace.domain.quota import day_of
from millrace.store import spend
from millrace.store.ledger import Booking

# What the columns hold, and leave room to add up. A provider that miscounts must not keep a job from its end.
MOST_COUNTED = 2**31 - 1
MOST_MICROUSD = 10**12
# Of a record's columns, those that are a day's too or say which call it is.
COUNTED = 10

# Of an attempt that goes on nobody knows yet. ?2 job, ?3 attempt.
IS_OVER = """
NOT EXISTS (SELECT 1 FROM {jobs} AS job WHERE job.id = ?2 AND job.attempt = ?3 AND job.status = '{running}')
"""
# The day is raised while the call is not recorded yet, and then it is: so once, however often the batch is
# repeated. Two batches about the same call wait for each other at the job's row, which is held before.
RAISE_DAY = """
INSERT INTO daily_usage (tenant_id, user_id, date, input_tokens, output_tokens, cost_microusd)
SELECT ?5, ?6, ?7, ?8, ?9, ?10
WHERE {is_over} AND NOT EXISTS (
  SELECT 1 FROM usage_records WHERE kind = ?1 AND job_id = ?2 AND attempt = ?3 AND call = ?4)
ON CONFLICT (tenant_id, user_id, date) DO UPDATE
SET input_tokens = daily_usage.input_tokens + excluded.input_tokens,
    output_tokens = daily_usage.output_tokens + excluded.output_tokens,
    cost_microusd = daily_usage.cost_microusd + excluded.cost_microusd
"""
RECORD = """
INSERT INTO usage_records (kind, job_id, attempt, call, tenant_id, user_id, date, input_tokens, output_tokens,
                           cost_microusd, id, request_id, site_id, timestamp, model, gpu_seconds, duration_ms)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, CAST(?13 AS TEXT), ?14, ?15, ?16, ?17
WHERE {is_over}
ON CONFLICT DO NOTHING
"""


def book(
    db: Database, table: JobTable, job: Job, *, calls: Sequence[PaidCall], now: datetime,
    all_known: bool = True,
) -> list[Booking]:  # fmt: skip
    """Write down what an attempt that is over has cost, each call once, whoever has ended it.

    `all_known`: it cost no more than that, so what was set aside for it is settled.
    """
    cost = sum(_held(call.answer.cost_microusd, most=MOST_MICROUSD) for call in calls)
    hold = db.prepare(f"UPDATE {table.name} SET updated_at = updated_at WHERE id = ?1").bind(job.id)
    is_over = IS_OVER.format(jobs=table.name, running=table.running)
    raise_day = db.prepare(RAISE_DAY.format(is_over=is_over))
    record = db.prepare(RECORD.format(is_over=is_over))
    numbered = [(call.ended_at, number, call) for number, call in enumerate(calls, start=1)]
    # Days in their order: who took today's first, and who yesterday's, would wait for each other.
    rows = [
        _row(table, job, number=number, call=call)
        for _, number, call in sorted(numbered, key=itemgetter(0, 1))
    ]
    recorded = Booking(
        "daily_usage",
        tuple(raise_day.bind(*row[:COUNTED]) for row in rows),
        tuple(record.bind(*row) for row in rows),
        holds=(hold,),
    )
    settled = [spend.settle(db, table, job, cost_microusd=cost, now=now)] if all_known else []
    return [recorded, *settled]


def _row(table: JobTable, job: Job, *, number: int, call: PaidCall) -> tuple[Value, ...]:
    answer = call.answer
    return (
        table.kind, job.id, job.attempt, number, job.tenant_id,
        # Whose key it was. Who asked with it is the caller's own word, and is charged nothing.
        job.row["user_id"],
        day_of(call.ended_at), _held(answer.input_tokens), _held(answer.output_tokens),
        _held(answer.cost_microusd, most=MOST_MICROUSD),
        # The run that made the call, as the log names it, or what the provider calls it.
        call.id, call.request_id or job.row["worker_id"], dict(job.row).get("site_id"),
        call.ended_at, answer.model_version, _held(call.gpu_seconds), _held(answer.duration_ms),
    )  # fmt: skip


def _held(number: int, *, most: int = MOST_COUNTED) -> int:
    return max(0, min(number, most))
