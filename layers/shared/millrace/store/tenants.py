"""Tenants and their sites."""

from datetime import datetime

from millrace.bindings.database import Database


def create(db: Database, tenant_id: str, *, name: str, now: datetime, tier: str = "free") -> bool:
    """False when it was there already; then it is left as it is."""
    statement = db.prepare("""
        INSERT INTO tenants (id, name, created_at, updated_at, tier) VALUES (?1, ?2, ?3, ?3, ?4)
        ON CONFLICT DO NOTHING
    """)
    return statement.bind(tenant_id, name, now, tier).run().meta.changes == 1


def exists(db: Database, tenant_id: str) -> bool:
    return db.prepare("SELECT id FROM tenants WHERE id = ?1").bind(tenant_id).first() is not None


def create_site(
    db: Database,
    site_id: str,
    *,
    tenant_id: str,
    name: str,
    now: datetime,
    tier: str = "free",
    evaluations_a_month: int | None = None,
) -> bool:
    """False when it was there already. Without a limit of its own it has its tenant's, or its tier's."""
    statement = db.prepare("""
        INSERT INTO sites (id, tenant_id, name, tier, evaluations_a_month, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO NOTHING
    """)
    return statement.bind(site_id, tenant_id, name, tier, evaluations_a_month, now).run().meta.changes == 1
