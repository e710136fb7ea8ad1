"""Rows of who may ask: tenants, their sites, keys and settings."""

from typing import Literal

from pydantic import AwareDatetime

from millrace.domain.rows.table_row import TableRow, Tier


class Tenant(TableRow):
    id: str
    name: str
    tier: Tier
    evaluations_a_month: int | None
    gpu_seconds_a_month: int | None
    requests_a_minute: int | None
    requests_a_day: int | None
    tokens_a_day: int | None
    live_jobs: int | None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Site(TableRow):
    id: str
    tenant_id: str
    name: str
    tier: Tier
    evaluations_a_month: int | None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class ApiKey(TableRow):
    id: str
    key_hash: str
    key_prefix: str
    user_id: str
    tenant_id: str
    name: str
    scopes: list[str]
    quota_tier: Tier
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    last_used_at: AwareDatetime | None
    revoked_at: AwareDatetime | None
    replaced_by: str | None


class Setting(TableRow):
    """`tenant_id` None: what holds for every tenant without a value of its own."""

    id: str
    tenant_id: str | None
    key: str
    value: str
    value_type: Literal["string", "integer", "float", "boolean", "json"]
    description: str | None
    updated_at: AwareDatetime | None
