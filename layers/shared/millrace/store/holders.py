"""Whom a token speaks for: what the authorizer asks of the keys."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from millrace.bindings.database import Database, Row
from millrace.domain.callers import Caller

# How exactly it is known when a key was last used: each time would be a write for each request.
USE_NOTED_EVERY = timedelta(minutes=1)

# At the moment ?2.
VALID = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a key speaks for, if the token it was shown with has this hash."""

    key_hash: str = field(repr=False)
    caller: Caller


def find_holder(db: Database, key_id: str, *, key_hash: str, now: datetime) -> Holder | None:
    """The holder of the key with this id. None when there is none, or it is revoked or expired.

    If its hash is the one that is asked with, the key has been used.
    """
    row = _use(db, which="id = ?1", value=key_id, key_hash=key_hash, now=now)
    return Holder(row["key_hash"], _caller(row)) if row else None


def find_caller(db: Database, *, key_hash: str, now: datetime) -> Caller | None:
    """The caller whose key has this hash. None when there is none, or it is revoked or expired."""
    row = _use(db, which="key_hash = ?1", value=key_hash, key_hash=key_hash, now=now)
    return _caller(row) if row else None


def _use(db: Database, *, which: str, value: str, key_hash: str, now: datetime) -> Row | None:
    find = db.prepare(f"""
        SELECT id, key_hash, tenant_id, user_id, scopes, quota_tier FROM api_keys WHERE {which} AND {VALID}
    """)
    note = db.prepare(f"""
        UPDATE api_keys SET last_used_at = ?2
        WHERE {which} AND {VALID} AND key_hash = ?3 AND (last_used_at IS NULL OR last_used_at <= ?4)
    """)
    found, _ = db.batch([find.bind(value, now), note.bind(value, now, key_hash, now - USE_NOTED_EVERY)])
    return found.first()


def _caller(row: Row) -> Caller:
    return Caller(
        tenant_id=row["tenant_id"],
        user_id=row["user_id"],
        key_id=row["id"],
        scopes=frozenset(row["scopes"]),
        tier=row["quota_tier"],
    )
