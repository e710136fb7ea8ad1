"""Leads and the documents they are judged by."""

from dataclasses import dataclass
from datetime import datetime

from millrace.bindings.database import Database


@dataclass(frozen=True, slots=True)
class NewLead:
    """What a person says when they ask for a home. None where they did not say."""

    id: str
    tenant_id: str
    site_id: str
    first_name: str
    last_name: str
    email: str | None = None
    phone: str | None = None
    employment_status: str | None = None
    monthly_income_microusd: int | None = None
    monthly_rent_microusd: int | None = None


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document whose content is in the bucket under `storage_key`."""

    id: str
    tenant_id: str
    lead_id: str
    document_type: str
    file_name: str
    size_bytes: int
    mime_type: str
    storage_key: str
    checksum: str | None = None


def create(db: Database, lead: NewLead, *, now: datetime) -> bool:
    """False when it was there already; then it is left as it is."""
    statement = db.prepare("""
        INSERT INTO leads (id, tenant_id, site_id, first_name, last_name, email, phone, employment_status,
                           monthly_income_microusd, monthly_rent_microusd, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11) ON CONFLICT DO NOTHING
    """).bind(
        lead.id, lead.tenant_id, lead.site_id, lead.first_name, lead.last_name, lead.email, lead.phone,
        lead.employment_status, lead.monthly_income_microusd, lead.monthly_rent_microusd, now,
    )  # fmt: skip
    return statement.run().meta.changes == 1


def add_document(db: Database, document: NewDocument, *, now: datetime) -> bool:
    """Note a document that has been uploaded. False when it was there already."""
    statement = db.prepare("""
        INSERT INTO lead_documents (id, tenant_id, lead_id, document_type, file_name, size_bytes, mime_type,
                                    storage_key, checksum, uploaded_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING
    """).bind(
        document.id, document.tenant_id, document.lead_id, document.document_type, document.file_name,
        document.size_bytes, document.mime_type, document.storage_key, document.checksum, now,
    )  # fmt: skip
    return statement.run().meta.changes == 1
