"""One typed model for each table, held against the live schema by a test."""

from collections.abc import Mapping

from millrace.domain.rows.audit import AuditEntry, AuditSeal
from millrace.domain.rows.enrichments import EnrichmentCache, EnrichmentJob, EnrichmentRecord
from millrace.domain.rows.evaluations import (
    AiEvaluationJob,
    AiEvaluationUsage,
    EvaluationOverride,
    Lead,
    LeadAiEvaluation,
    LeadDocument,
)
from millrace.domain.rows.exports import ExportJob, Project, RemovedExport, Video
from millrace.domain.rows.metering import (
    ApiUsage,
    DailySpend,
    DailyUsage,
    IdempotencyKeyRow,
    JobEvent,
    MonthlyUsage,
    QuotaEntry,
    RequestCount,
    UsageRecord,
)
from millrace.domain.rows.outreach import Conversation, CrmIntegration, EmailTemplate, TemplatePerformance
from millrace.domain.rows.schema import MigrationChecksum, SchemaMigration
from millrace.domain.rows.stories import StoryJob, StoryJobFile
from millrace.domain.rows.table_row import TableRow
from millrace.domain.rows.tenants import ApiKey, Setting, Site, Tenant

TABLES: Mapping[str, type[TableRow]] = {
    "tenants": Tenant,
    "sites": Site,
    "api_keys": ApiKey,
    "settings": Setting,
    "leads": Lead,
    "lead_documents": LeadDocument,
    "lead_ai_evaluations": LeadAiEvaluation,
    "evaluation_overrides": EvaluationOverride,
    "ai_evaluation_jobs": AiEvaluationJob,
    "ai_evaluation_usage": AiEvaluationUsage,
    "projects": Project,
    "export_jobs": ExportJob,
    "removed_exports": RemovedExport,
    "videos": Video,
    "enrichment_jobs": EnrichmentJob,
    "enrichment_records": EnrichmentRecord,
    "enrichment_cache": EnrichmentCache,
    "email_templates": EmailTemplate,
    "template_performance": TemplatePerformance,
    "conversations": Conversation,
    "crm_integrations": CrmIntegration,
    "story_jobs": StoryJob,
    "story_job_files": StoryJobFile,
    "api_usage": ApiUsage,
    "usage_records": UsageRecord,
    "daily_spend": DailySpend,
    "daily_usage": DailyUsage,
    "monthly_usage": MonthlyUsage,
    "request_counts": RequestCount,
    "quota_entries": QuotaEntry,
    "job_events": JobEvent,
    "idempotency_keys": IdempotencyKeyRow,
    "audit_log": AuditEntry,
    "audit_seals": AuditSeal,
    "schema_migrations": SchemaMigration,
    "migration_checksums": MigrationChecksum,
}
