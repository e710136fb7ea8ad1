"""Rows of what was used, and of what was sold."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from millrace.domain.rows.table_row import Facts, TableRow, Tier


class ApiUsage(TableRow):
    id: str
    tenant_id: str
    provider: str
    endpoint: str
    job_id: str | None
    record_id: str | None
    tokens_used: int | None
    cost_microusd: int
    response_time_ms: int | None
    status_code: int | None
    request_size_bytes: int | None
    response_size_bytes: int | None
    error_message: str | None
    created_at: AwareDatetime


class UsageRecord(TableRow):
    id: str
    user_id: str
    tenant_id: str
    request_id: str
    kind: Literal["evaluation", "export", "enrichment", "story"]
    job_id: str | None
    attempt: int
    call: int
    site_id: str | None
    timestamp: AwareDatetime
    date: date
    model: str
    input_tokens: int
    output_tokens: int
    gpu_seconds: int
    cost_microusd: int
    iterations_run: list[str]
    duration_ms: int


class DailyUsage(TableRow):
    tenant_id: str
    user_id: str
    date: date
    request_count: int
    input_tokens: int
    output_tokens: int
    cost_microusd: int


class DailySpend(TableRow):
    tenant_id: str
    day: str
    used: int
    quota_limit: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


class MonthlyUsage(TableRow):
    tenant_id: str
    month: str
    meter: str
    used: int
    quota_limit: int
    tier: Tier
    created_at: AwareDatetime
    updated_at: AwareDatetime


class RequestCount(TableRow):
    tenant_id: str
    user_id: str
    measure: Literal["requests_a_minute", "requests_a_day", "tokens_a_day", "live_jobs"]
    period: str
    used: int
    limit_then: int


class QuotaEntry(TableRow):
    meter: str
    subject: str
    period: str
    tenant_id: str
    job_id: str
    charge_round: int
    call: str
    kind: Literal["reserve", "settle", "release"]
    amount: int
    used_after: int
    limit_then: int
    created_at: AwareDatetime


class JobEvent(TableRow):
    id: str
    tenant_id: str
    job_id: str
    kind: str
    attempt: int
    move: str
    detail: Facts
    created_at: AwareDatetime


class IdempotencyKeyRow(TableRow):
    tenant_id: str
    key: str
    fingerprint: str
    facts: Facts | None
    created_at: AwareDatetime
    expires_at: AwareDatetime
