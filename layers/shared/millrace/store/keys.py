"""API keys: how they come and go."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from millrace.bindings.database import Database, Row, Statement, Value
from millrace.domain.audit import Author
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.keys import Key, hash_token
from millrace.domain.pages import Page
from millrace.errors import KeyEnded, KeyNotFound, KeyShownAlready, Refusal
from millrace.store import audit, idempotency
from millrace.store.holders import VALID
from millrace.store.idempotency import Accepted
from millrace.store.pages import newest

# All but the hash, which only the authorizer may see.
SHOWN = """
id, key_prefix, user_id, tenant_id, name, scopes, quota_tier, created_at, expires_at, last_used_at,
revoked_at, replaced_by
"""

# When a key that is replaced ends: then, or when it would have.
ENDS = "CASE WHEN expires_at < {at} THEN expires_at ELSE {at} END"

ISSUER_ENDED = "The key that asks is revoked or has expired."


@dataclass(frozen=True, slots=True)
class NewKey:
    """`key_hash` is all that is kept of the token, `key_prefix` what a person tells their keys apart by."""

    id: str
    key_hash: str = field(repr=False)
    key_prefix: str
    user_id: str
    tenant_id: str
    name: str
    scopes: Sequence[str]
    tier: str = "pro"
    expires_at: datetime | None = None

    @classmethod
    def of(cls, made: Key, *, pepper: bytes | None, **columns: Any) -> Self:
        key_hash = hash_token(made.token, pepper=pepper)
        return cls(id=made.id, key_hash=key_hash, key_prefix=made.shown, **columns)

    @property
    def values(self) -> tuple[Value, ...]:
        """As INSERT takes them, after its id and the time."""
        whose = (self.tenant_id, self.user_id, self.name, list(self.scopes), self.tier)
        return (self.key_hash, self.key_prefix, *whose, self.expires_at)


def create(db: Database, key: NewKey, *, now: datetime) -> bool:
    """False when it was there already; then it is left as it is."""
    return _insert(db, key, "ON CONFLICT DO NOTHING", now=now).run().meta.changes == 1


def issue(
    db: Database,
    key: NewKey,
    *,
    by: Author,
    now: datetime,
    issuer_id: str | None = None,
    once: IdempotencyKey | None = None,
) -> None:
    """Keep a new key. KeyShownAlready when the same request has made one before.

    KeyEnded when the key that asks is no longer good: the gateway lets it in for a while yet, and what it
    issued meanwhile would outlive it. `issuer_id` None: an operator asks.
    """
    condition, good = _good_issuer(issuer_id, place=11)
    body = [_insert(db, key, condition, *good, now=now), _note_issue(db, key, by=by, now=now)]
    told = db.prepare("""
        SELECT jsonb_build_object('key_id', id) AS "facts [JSONB]" FROM api_keys WHERE id = ?1
    """).bind(key.id)
    accepted = idempotency.accept(db, once, tenant_id=key.tenant_id, now=now, body=body, facts=told)
    if accepted is None:
        raise KeyEnded(ISSUER_ENDED)
    check_unseen(accepted)


def replace(
    db: Database,
    old_id: str,
    key: NewKey,
    *,
    until: datetime,
    by: Author,
    now: datetime,
    issuer_id: str | None = None,
    once: IdempotencyKey | None = None,
) -> datetime:
    """Keep a new key in the place of another, which ends then, or when it would have. When that is.

    KeyEnded if the old one has ended or has been replaced, or the one that asks has; KeyShownAlready.
    """
    condition, good = _good_issuer(issuer_id, place=5)
    give_way = db.prepare(f"""
        UPDATE api_keys SET replaced_by = ?3
        WHERE id = ?1 AND tenant_id = ?4 AND {VALID} AND replaced_by IS NULL {condition}
    """).bind(old_id, now, key.id, key.tenant_id, *good)
    noted = _note_rotation(db, old_id, key, until=until, by=by, now=now)
    end = db.prepare(f"""
        UPDATE api_keys SET expires_at = {ENDS.format(at="?3")} WHERE id = ?1 AND replaced_by = ?2
    """)
    given_way = "AND EXISTS (SELECT 1 FROM api_keys WHERE id = ?11 AND replaced_by = ?1)"
    told = db.prepare("""
        SELECT jsonb_build_object('key_id', replaced_by, 'ends_at', expires_at) AS "facts [JSONB]"
        FROM api_keys WHERE id = ?1 AND replaced_by = ?2
    """).bind(old_id, key.id)
    body = [give_way, noted, end.bind(old_id, key.id, until), _insert(db, key, given_way, old_id, now=now)]
    accepted = idempotency.accept(db, once, tenant_id=key.tenant_id, now=now, body=body, facts=told)
    if accepted is None:
        raise find_refusal(db, old_id, tenant_id=key.tenant_id, now=now)
    check_unseen(accepted)
    return datetime.fromisoformat(accepted.facts["ends_at"])


def check_unseen(accepted: Accepted) -> None:
    """The key itself is not kept, so nobody can be told it again."""
    if accepted.replayed:
        raise KeyShownAlready(key_id=accepted.facts["key_id"])


def find_refusal(db: Database, key_id: str, *, tenant_id: str, now: datetime) -> Refusal:
    """Why a key could not be replaced."""
    old = read(db, key_id, tenant_id=tenant_id)
    if old["replaced_by"] is not None:
        successor = old["replaced_by"]
        return KeyEnded(f"The key was rotated already. Rotate {successor} instead.", replaced_by=successor)
    if old["revoked_at"] is not None or (old["expires_at"] is not None and old["expires_at"] <= now):
        return KeyEnded()
    return KeyEnded(ISSUER_ENDED)


def revoke(db: Database, key_id: str, *, tenant_id: str, by: Author, now: datetime) -> Row:
    """The key, revoked now or before. KeyNotFound."""
    # Held first, so that of two who revoke it one is noted: the one who did.
    hold = "UPDATE api_keys SET revoked_at = revoked_at WHERE id = ?1 AND tenant_id = ?2"
    noted = audit.note(
        db, by, action="key_revoked", subject=key_id, tenant_id=tenant_id, now=now,
        before="jsonb_build_object('revoked_at', revoked_at)",
        after="?9", values=({"revoked_at": now.isoformat()},),
        where="FROM api_keys WHERE id = ?5 AND tenant_id = ?3 AND revoked_at IS NULL",
    )  # fmt: skip
    end = db.prepare(f"""
        UPDATE api_keys SET revoked_at = COALESCE(revoked_at, ?3) WHERE id = ?1 AND tenant_id = ?2
        RETURNING {SHOWN}
    """)
    held = db.prepare(hold).bind(key_id, tenant_id)
    return _found(db.batch([held, noted, end.bind(key_id, tenant_id, now)])[-1].first())


def read(db: Database, key_id: str, *, tenant_id: str) -> Row:
    """KeyNotFound when it is not theirs."""
    found = db.prepare(f"SELECT {SHOWN} FROM api_keys WHERE id = ?1 AND tenant_id = ?2")
    return _found(found.bind(key_id, tenant_id).first())


def find(db: Database, key_id: str) -> Row | None:
    """Whosever it is, for an operator."""
    row: Row | None = db.prepare(f"SELECT {SHOWN} FROM api_keys WHERE id = ?1").bind(key_id).first()
    return row


def rights_of(old: Row) -> dict[str, Any]:
    """What a key has that another is to have too, as NewKey takes it."""
    same = {one: old[one] for one in ("tenant_id", "user_id", "name", "scopes")}
    return {**same, "tier": old["quota_tier"]}


def list_newest(db: Database, *, tenant_id: str | None, page: Page) -> list[Row]:
    """A page of a tenant's keys, or for an operator of everybody's."""
    whose, values = ("tenant_id = ?1", (tenant_id,)) if tenant_id is not None else ("TRUE", ())
    select = f"SELECT {SHOWN} FROM api_keys WHERE {whose}"
    return newest(db, select, *values, page=page, at="created_at").all().results


def _insert(db: Database, key: NewKey, condition: str, *values: Value, now: datetime) -> Statement:
    """`condition` stands after the last WHERE; its own values come after ten of the key's."""
    return db.prepare(f"""
        INSERT INTO api_keys (id, created_at, key_hash, key_prefix, tenant_id, user_id, name, scopes,
                              quota_tier, expires_at)
        SELECT ?1, ?2, ?3, ?4, id, ?6, ?7, ?8, ?9, ?10 FROM tenants WHERE id = ?5 {condition}
    """).bind(key.id, now, *key.values, *values)


def _note_issue(db: Database, key: NewKey, *, by: Author, now: datetime) -> Statement:
    expires_at = key.expires_at.isoformat() if key.expires_at else None
    rights = {"scopes": list(key.scopes), "tier": key.tier, "expires_at": expires_at}
    return audit.note(
        db, by, action="key_issued", subject=key.id, tenant_id=key.tenant_id, now=now,
        before="'{}'", after="?9", values=(rights,), where="FROM api_keys WHERE id = ?5",
    )  # fmt: skip


def _note_rotation(
    db: Database, old_id: str, key: NewKey, *, until: datetime, by: Author, now: datetime
) -> Statement:
    """Once the new key has the old one's place, and before the old one has its end."""
    after = f"jsonb_build_object('expires_at', {ENDS.format(at='?10')}, 'replaced_by', replaced_by)"
    return audit.note(
        db, by, action="key_rotated", subject=old_id, tenant_id=key.tenant_id, now=now,
        before="jsonb_build_object('expires_at', expires_at)", after=after, values=(key.id, until),
        where="FROM api_keys WHERE id = ?5 AND replaced_by = ?9",
    )  # fmt: skip


def _good_issuer(issuer_id: str | None, *, place: int) -> tuple[str, tuple[str, ...]]:
    """A condition at this placeholder, and its value. None at all for an operator."""
    if issuer_id is None:
        return "", ()
    return f"AND EXISTS (SELECT 1 FROM api_keys WHERE id = ?{place} AND {VALID})", (issuer_id,)


def _found(row: Row | None) -> Row:
    if row is None:
        raise KeyNotFound
    return row
