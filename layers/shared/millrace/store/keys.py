"""API keys: whom a token speaks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from millrace.bindings.database import Database, Row
from millrace.domain.callers import Caller


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a key speaks for, if the token it was shown with has this hash."""

    key_hash: str
    caller: Caller


def find_holder(db: Database, key_id: str, *, now: datetime) -> Holder | None:
    """The holder of the key with this id. None when there is none, or it is revoked or expired."""
    valid = db.prepare("""
        SELECT id, key_hash, tenant_id, user_id, scopes, quota_tier FROM api_keys
        WHERE id = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)
    """)
    row = valid.bind(key_id, now).first()
    return Holder(row["key_hash"], _caller(row)) if row else None


def find_caller(db: Database, *, key_hash: str, now: datetime) -> Caller | None:
    """The caller whose key has this hash. None when there is none, or it is revoked or expired."""
    valid = db.prepare("""
        SELECT id, tenant_id, user_id, scopes, quota_tier FROM api_keys
        WHERE key_hash = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)
    """)
    row = valid.bind(key_hash, now).first()
    return _caller(row) if row else None


def _caller(row: Row) -> Caller:
    return Caller(
        tenant_id=row["tenant_id"],
        user_id=row["user_id"],
        key_id=row["id"],
        scopes=frozenset(row["scopes"]),
        tier=row["quota_tier"],
    )


@dataclass(frozen=True, slots=True)
class NewKey:
    """`key_hash` is all that is kept of the token, `key_prefix` what a person tells their keys apart by."""

    id: str
    key_hash: str
    key_prefix: str
    user_id: str
    tenant_id: str
    name: str
    scopes: Sequence[str]
    tier: str = "pro"
    expires_at: datetime | None = None


def create(db: Database, key: NewKey, *, now: datetime) -> bool:
    """False when it was there already; then it is left as it is."""
    statement = db.prepare("""
        INSERT INTO api_keys (id, key_hash, key_prefix, user_id, tenant_id, name, scopes, created_at,
                              quota_tier, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING
    """).bind(
        key.id, key.key_hash, key.key_prefix, key.user_id, key.tenant_id, key.name, list(key.scopes), now,
        key.tier, key.expires_at,
    )  # fmt: skip
    return statement.run().meta.changes == 1
