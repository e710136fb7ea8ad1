"""Keys of requests that may be sent twice: the key's row is the first of its batch, its facts the last."""

from datetime import datetime
from typing import Any

from millrace.bindings.database import Database, Statement
from millrace.domain.idempotency import KEPT_FOR, IdempotencyKey
from millrace.errors import IdempotencyKeyReused

TAKEN = "idempotency_keys_pkey"
REFUSED = "only_accepted_requests_are_kept"


def take(db: Database, key: IdempotencyKey, *, tenant_id: str, now: datetime) -> list[Statement]:
    """Hold the key for this request. Refused as `TAKEN` while an accepted request holds it."""
    forget = db.prepare("DELETE FROM idempotency_keys WHERE tenant_id = ?1 AND key = ?2 AND expires_at <= ?3")
    hold = db.prepare("""
        INSERT INTO idempotency_keys (tenant_id, key, fingerprint, created_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5)
    """)
    return [
        forget.bind(tenant_id, key.key, now),
        hold.bind(tenant_id, key.key, key.fingerprint, now, now + KEPT_FOR),
    ]


def keep(db: Database, key: IdempotencyKey, *, tenant_id: str, facts: Statement) -> Statement:
    """Write down what `facts` (a row, a column of JSON) says. If nothing: `REFUSED`, and all undone."""
    places = len(facts.values)
    return db.prepare(f"""
        UPDATE idempotency_keys SET facts = ({facts.sql})
        WHERE tenant_id = ?{places + 1} AND key = ?{places + 2} RETURNING facts
    """).bind(*facts.values, tenant_id, key.key)


def find_facts(db: Database, key: IdempotencyKey, *, tenant_id: str) -> dict[str, Any] | None:
    """What the first request was answered with. IdempotencyKeyReused when that was another request."""
    kept = db.prepare("SELECT fingerprint, facts FROM idempotency_keys WHERE tenant_id = ?1 AND key = ?2")
    row = kept.bind(tenant_id, key.key).first()
    if row is None:
        return None
    if row["fingerprint"] != key.fingerprint:
        raise IdempotencyKeyReused
    facts: dict[str, Any] = row["facts"]
    return facts
