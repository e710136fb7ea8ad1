"""Rows of the evaluation of leads."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from millrace.domain.rows.lifecycle import JobRow
from millrace.domain.rows.table_row import Facts, Label, TableRow, Tier

LeadStatus = Literal["new", "ai_evaluated", "manual_review", "approved", "rejected", "withdrawn", "deleted"]
Recommendation = Literal["approve", "approve_with_conditions", "approve_with_verification", "reject"]


class Lead(TableRow):
    id: str
    tenant_id: str
    site_id: str
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    employment_status: str | None
    monthly_income_microusd: int | None
    monthly_rent_microusd: int | None
    move_in_date: date | None
    status: LeadStatus
    ai_score: int | None
    ai_label: Label | None
    latest_evaluation_id: str | None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    decided_at: AwareDatetime | None
    documents_deleted_at: AwareDatetime | None
    deleted_at: AwareDatetime | None


class LeadDocument(TableRow):
    id: str
    tenant_id: str
    lead_id: str
    document_type: str
    file_name: str
    size_bytes: int
    mime_type: str
    storage_key: str
    checksum: str | None
    link_expires_at: AwareDatetime | None
    uploaded_at: AwareDatetime | None
    deleted_at: AwareDatetime | None
    erased_at: AwareDatetime | None


class LeadAiEvaluation(TableRow):
    id: str
    tenant_id: str
    lead_id: str
    site_id: str
    job_id: str
    score: int
    label: Label
    recommendation: Recommendation
    summary: str
    risk_flags: list[str]
    fraud_signals: list[str]
    extracted_data: Facts
    score_breakdown: list[Facts]
    warnings: list[str]
    model_version: str
    evaluated_at: AwareDatetime


class EvaluationOverride(TableRow):
    id: str
    tenant_id: str
    lead_id: str
    evaluation_id: str
    new_recommendation: Recommendation
    reason: str
    overridden_by: str
    overridden_at: AwareDatetime


class AiEvaluationJob(JobRow):
    lead_id: str
    site_id: str
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    requested_by: str
    user_id: str
    requested_at: AwareDatetime
    evaluation_id: str | None
    error_code: str | None
    error_message: str | None
    model_version: str
    model_called_at: AwareDatetime | None


class AiEvaluationUsage(TableRow):
    id: str
    tenant_id: str
    site_id: str
    month: str
    evaluation_count: int
    quota_limit: int
    tier: Tier
    created_at: AwareDatetime
    updated_at: AwareDatetime
