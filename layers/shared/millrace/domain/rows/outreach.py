"""Rows of what is done with enriched records: templates, conversations and CRM integrations."""

from typing import Literal

from pydantic import AwareDatetime

from millrace.domain.rows.table_row import Facts, TableRow


class EmailTemplate(TableRow):
    id: str
    tenant_id: str
    name: str
    template_type: Literal["subject", "body", "icebreaker", "hot_button"]
    template_text: str
    variables: list[str]
    usage_count: int
    success_rate: float | None
    version: int
    is_active: bool
    created_at: AwareDatetime
    updated_at: AwareDatetime


class TemplatePerformance(TableRow):
    id: str
    tenant_id: str
    template_id: str
    job_id: str
    open_rate: float | None
    response_rate: float | None
    conversion_rate: float | None
    created_at: AwareDatetime


class Conversation(TableRow):
    id: str
    tenant_id: str
    record_id: str
    current_state: str
    conversation_history: list[Facts]
    qualification_data: Facts
    last_message_at: AwareDatetime | None
    next_followup_at: AwareDatetime | None


class CrmIntegration(TableRow):
    """`api_key` is sealed."""

    id: str
    tenant_id: str
    crm_type: str
    api_key: str
    webhook_url: str | None
    sync_enabled: bool
    last_sync_at: AwareDatetime | None
    field_mappings: Facts
