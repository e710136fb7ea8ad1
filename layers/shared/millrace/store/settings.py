"""Settings: a tenant's own value, or else what holds for all."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from millrace.bindings.database import Database, Result, Statement
from millrace.domain.audit import Author
from millrace.store import audit

Setting = bool | str | Decimal | None
TYPES: Mapping[type, str] = {bool: "boolean", str: "string", Decimal: "float"}
# A float is read as a decimal, because some are dollars.
MEANING: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "float": Decimal,
    "boolean": lambda text: text == "true",
    "json": json.loads,
}


def read(db: Database, *, tenant_id: str) -> dict[str, Any]:
    """Every setting as it holds for the tenant, as a value of its type."""
    return _values(_find(db, tenant_id=tenant_id).all())


def change(
    db: Database,
    values: Mapping[str, Setting],
    *,
    tenant_id: str,
    by: Author,
    now: datetime,
) -> dict[str, Any]:
    """Give the tenant values of its own for some settings; None: what holds for all. Each as it then is."""
    # Always in the same order, or two who change the same ones could each hold what the other waits for.
    written = [
        statement
        for key in sorted(values)
        for statement in _write(db, key, value=values[key], tenant_id=tenant_id, by=by, now=now)
    ]
    return _values(db.batch([*written, _find(db, tenant_id=tenant_id)])[-1])


def value_sql(key: str, *, tenant: str) -> str:
    """What holds for the tenant at this placeholder, as an expression of SQL. NULL when nothing is set."""
    return f"""COALESCE((SELECT value FROM settings WHERE tenant_id = {tenant} AND key = '{key}'),
                    (SELECT value FROM settings WHERE tenant_id IS NULL AND key = '{key}'))"""


def _find(db: Database, *, tenant_id: str) -> Statement:
    return db.prepare("""
        SELECT key, value, value_type FROM settings WHERE tenant_id IS NULL OR tenant_id = ?1
        ORDER BY tenant_id IS NOT NULL
    """).bind(tenant_id)


def _write(
    db: Database, key: str, *, value: Setting, tenant_id: str, by: Author, now: datetime
) -> list[Statement]:
    if value is None:
        return _forget(db, key, tenant_id=tenant_id, by=by, now=now)
    kind, text = TYPES[type(value)], str(value).lower() if isinstance(value, bool) else str(value)
    # Where it is there already it is only held, so that the entry tells what it was.
    insert = db.prepare("""
        INSERT INTO settings (id, tenant_id, key, value, value_type, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (tenant_id, key) WHERE tenant_id IS NOT NULL DO UPDATE SET value = settings.value
    """)
    born = by.new_id()
    noted = audit.note(
        db, by, action="setting_changed", subject=key, tenant_id=tenant_id, now=now,
        before="CASE WHEN id = ?9 THEN '{}' ELSE jsonb_build_object('value', value) END",
        after="jsonb_build_object('value', CAST(?10 AS TEXT))", values=(born, text),
        where="FROM settings WHERE tenant_id = ?3 AND key = ?5 AND (id = ?9 OR value <> ?10)",
    )  # fmt: skip
    change = db.prepare("""
        UPDATE settings SET value = ?3, value_type = ?4, updated_at = ?5 WHERE tenant_id = ?1 AND key = ?2
    """)
    return [
        insert.bind(born, tenant_id, key, text, kind, now),
        noted,
        change.bind(tenant_id, key, text, kind, now),
    ]


def _forget(db: Database, key: str, *, tenant_id: str, by: Author, now: datetime) -> list[Statement]:
    noted = audit.note(
        db, by, action="setting_changed", subject=key, tenant_id=tenant_id, now=now,
        before="jsonb_build_object('value', value)", after="'{}'",
        where="FROM settings WHERE tenant_id = ?3 AND key = ?5",
    )  # fmt: skip
    delete = db.prepare("DELETE FROM settings WHERE tenant_id = ?1 AND key = ?2")
    return [noted, delete.bind(tenant_id, key)]


def _values(found: Result) -> dict[str, Any]:
    return {row["key"]: MEANING[row["value_type"]](row["value"]) for row in found.results}
