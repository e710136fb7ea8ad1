"""API keys: whom a token speaks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from millrace.bindings.database import Database
from millrace.domain.callers import Caller


def find_caller(db: Database, *, key_hash: str, now: datetime) -> Caller | None:
    """The caller whose key has this hash. None when there is none, or it is revoked or expired."""
    valid = db.prepare("""
        SELECT id, tenant_id, user_id, scopes, quota_tier FROM api_keys
        WHERE key_hash = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)
    """)
    row = valid.bind(key_hash, now).first()
    if row is None:
        return None
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


def create(db: Database, key: NewKey, *, now: datetime) -> bool:
    """False when it was there already; then it is left as it is."""
    statement = db.prepare("""
        INSERT INTO api_keys (id, key_hash, key_prefix, user_id, tenant_id, name, scopes, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING
    """).bind(
        key.id, key.key_hash, key.key_prefix, key.user_id, key.tenant_id, key.name, list(key.scopes), now
    )  # fmt: skip
    return statement.run().meta.changes == 1
