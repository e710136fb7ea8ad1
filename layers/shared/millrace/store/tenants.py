"""Tenants and their sites."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, get_args

from millrace.bindings.database import Database, Row
from millrace.domain.audit import Action, Author
from millrace.domain.pages import Page
from millrace.store import audit
from millrace.store.pages import newest

Column = Literal[
    "tier",
    "evaluations_a_month",
    "gpu_seconds_a_month",
    "requests_a_minute",
    "requests_a_day",
    "tokens_a_day",
    "live_jobs",
]
# Limits of its own that a tenant may have.
LIMITS: tuple[Column, ...] = tuple(column for column in get_args(Column) if column != "tier")

ACTIONS: Mapping[tuple[str, str], Action] = {
    ("tenant", "tier"): "tenant_tier_changed",
    **{("tenant", column): "tenant_limit_changed" for column in LIMITS},
    ("site", "tier"): "site_tier_changed",
    ("site", "evaluations_a_month"): "site_limit_changed",
}


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


def find_site(db: Database, site_id: str) -> Row | None:
    row: Row | None = db.prepare("SELECT * FROM sites WHERE id = ?1").bind(site_id).first()
    return row


def change(
    db: Database,
    changed_id: str,
    *,
    of: Literal["tenant", "site"],
    tenant_id: str,
    column: Column,
    value: str | int | None,
    by: Author,
    now: datetime,
) -> None:
    """Give a tenant or a site another tier or limit. It holds from the next batch that reads it."""
    action: Action = ACTIONS[of, column]
    told = f"jsonb_build_object('{column}', {{}})"
    kind = "TEXT" if column == "tier" else "INTEGER"
    # Held first, so that the entry tells what it was.
    hold = db.prepare(f"UPDATE {of}s SET updated_at = updated_at WHERE id = ?1").bind(changed_id)
    noted = audit.note(
        db, by, action=action, subject=changed_id, tenant_id=tenant_id, now=now,
        before=told.format(column), after=told.format(f"CAST(?9 AS {kind})"), values=(value,),
        where=f"FROM {of}s WHERE id = ?5 AND {column} IS DISTINCT FROM CAST(?9 AS {kind})",
    )  # fmt: skip
    write = db.prepare(f"UPDATE {of}s SET {column} = CAST(?2 AS {kind}), updated_at = ?3 WHERE id = ?1")
    db.batch([hold, noted, write.bind(changed_id, value, now)])


def list_newest(db: Database, *, page: Page) -> list[Row]:
    """A page of all tenants, for an operator."""
    return newest(db, "SELECT * FROM tenants WHERE TRUE", page=page, at="created_at").all().results


def list_sites(db: Database, *, tenant_id: str | None, page: Page) -> list[Row]:
    """A page of a tenant's sites, or for an operator of everybody's."""
    whose, values = ("tenant_id = ?1", (tenant_id,)) if tenant_id is not None else ("TRUE", ())
    select = f"SELECT * FROM sites WHERE {whose}"
    return newest(db, select, *values, page=page, at="created_at").all().results
