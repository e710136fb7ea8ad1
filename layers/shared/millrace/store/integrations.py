"""A tenant's CRM integrations. The key to the CRM comes in sealed and goes out sealed."""

from dataclasses import dataclass

from millrace.bindings.database import Database, Row
from millrace.domain.sealing import Sealed


@dataclass(frozen=True, slots=True)
class NewIntegration:
    """`api_key` was sealed for `integration_context` of this tenant and this id."""

    id: str
    tenant_id: str
    crm_type: str
    api_key: Sealed
    webhook_url: str | None = None


def create(db: Database, integration: NewIntegration) -> bool:
    """False when it was there already; then it is left as it is."""
    statement = db.prepare("""
        INSERT INTO crm_integrations (id, tenant_id, crm_type, api_key, webhook_url)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING
    """).bind(
        integration.id, integration.tenant_id, integration.crm_type, integration.api_key,
        integration.webhook_url,
    )  # fmt: skip
    return statement.run().meta.changes == 1


def find(db: Database, integration_id: str, *, tenant_id: str) -> Row | None:
    """None when it is not theirs."""
    found = db.prepare("SELECT * FROM crm_integrations WHERE id = ?1 AND tenant_id = ?2")
    row: Row | None = found.bind(integration_id, tenant_id).first()
    return row
