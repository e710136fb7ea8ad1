"""Rows of enrichments: jobs, their records, and the cache of what was looked up."""

from typing import Literal

from pydantic import AwareDatetime

from millrace.domain.rows.lifecycle import JobRow
from millrace.domain.rows.table_row import Facts, TableRow


class EnrichmentJob(JobRow):
    user_id: str
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    total_records: int
    processed_records: int
    failed_records: int
    input_file_path: str
    output_file_path: str | None
    options: Facts
    estimated_cost_microusd: int
    actual_cost_microusd: int
    error_code: str | None
    error_message: str | None
    processing_time_seconds: float | None
    model_called_at: AwareDatetime | None


class EnrichmentRecord(TableRow):
    id: str
    tenant_id: str
    job_id: str
    record_index: int
    status: Literal["pending", "processing", "enriched", "failed", "skipped"]
    original_data: Facts
    enriched_data: Facts | None
    generated_content: Facts | None
    processing_attempts: int
    last_error: str | None
    processing_time_ms: int | None
    llm_tokens_used: int | None
    cost_microusd: int
    enrichment_confidence: float | None
    data_completeness: float | None
    created_at: AwareDatetime
    processed_at: AwareDatetime | None


class EnrichmentCache(TableRow):
    id: str
    cache_key: str
    lookup_type: str
    result_data: Facts | None
    hit_count: int
    confidence_score: float | None
    source: str | None
    created_at: AwareDatetime
    expires_at: AwareDatetime
