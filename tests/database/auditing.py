"""Entries of the audit log, for tests that seal, change and read them."""

from typing import Any

from millrace.bindings.database import Database, Row
from millrace.domain.audit import Link, Walk
from millrace.store import audit, tenants
from tests.factories import BY, NOW

LIMITS = {"of": "tenant", "tenant_id": "tenant_a", "column": "evaluations_a_month", "by": BY, "now": NOW}


def write(db: Database, *, count: int, first: int = 1) -> None:
    """So many entries: the tenant's limit is changed, again and again."""
    for number in range(first, first + count):
        tenants.change(db, "tenant_a", value=number, **LIMITS)


def entries(db: Database) -> list[Row]:
    """All of them, in the order they were written in."""
    return db.prepare("SELECT * FROM audit_log ORDER BY created_at, id").all().results


def told(db: Database) -> list[tuple[Any, ...]]:
    """What each says of what happened."""
    return [(row["action"], row["subject"], row["before"], row["after"]) for row in entries(db)]


def verify(db: Database, *, known: Link | None = None) -> Walk:
    return audit.verify(db, known=known or Link())
