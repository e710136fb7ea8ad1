"""Tenants and their sites."""

from datetime import datetime

from millrace.bindings.database import Database, Row
from millrace.domain.pages import Page
from millrace.store.pages import newest


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
    tier: str | None = None,
    evaluations_a_month: int | None = None,
) -> str | None:
    """The tier it has: its tenant's, unless given one. None: it was there already, or its tenant is not.

    Without a limit of its own it has its tenant's, or its tier's.
    """
    statement = db.prepare("""
        INSERT INTO sites (id, tenant_id, name, tier, evaluations_a_month, created_at, updated_at)
        SELECT ?1, tenant.id, ?3, COALESCE(?4, tenant.tier), CAST(?5 AS INTEGER), ?6, ?6
        FROM tenants AS tenant WHERE tenant.id = ?2
        ON CONFLICT DO NOTHING
        RETURNING tier
    """)
    born: str | None = statement.bind(site_id, tenant_id, name, tier, evaluations_a_month, now).first("tier")
    return born


def list_newest(db: Database, *, page: Page) -> list[Row]:
    """A page of all tenants, for an operator."""
    return newest(db, "SELECT * FROM tenants WHERE TRUE", page=page, at="created_at").all().results


def list_sites(db: Database, *, tenant_id: str | None, page: Page) -> list[Row]:
    """A page of a tenant's sites, or for an operator of everybody's."""
    whose, values = ("tenant_id = ?1", (tenant_id,)) if tenant_id is not None else ("TRUE", ())
    select = f"SELECT * FROM sites WHERE {whose}"
    return newest(db, select, *values, page=page, at="created_at").all().results
