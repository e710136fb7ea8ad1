"""Keys of requests that may be sent twice: the key's row is the first of its batch, its facts the last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from millrace.bindings.database import Database, Statement
from millrace.domain.idempotency import KEPT_FOR, IdempotencyKey
from millrace.errors import ConstraintBroken, DatabaseUnavailable, IdempotencyKeyReused

TAKEN = "idempotency_keys_pkey"
REFUSED = "only_accepted_requests_are_kept"
# Who held the key when we asked may have let go of it when we look.
MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Accepted:
    """The facts an answer is made of. `replayed`: an earlier request with the same key got them too."""

    facts: dict[str, Any]
    replayed: bool = False


def accept(
    db: Database,
    key: IdempotencyKey | None,
    *,
    tenant_id: str,
    now: datetime,
    body: Sequence[Statement],
    facts: Statement,
) -> Accepted | None:
    """Do `body` in one batch, once for each key. `facts` tells, in a row of one JSON column, what was done.

    None when it tells nothing: then nothing was done. A constraint that the body broke comes out.
    """
    if key is None:
        row = db.batch([*body, facts])[-1].first()
        return Accepted(row["facts"]) if row else None
    held = take(db, key, tenant_id=tenant_id, now=now)
    kept = keep(db, key, tenant_id=tenant_id, facts=facts)
    for _ in range(MOST_TRIES):
        try:
            row = db.batch([*held, *body, kept])[-1].first()
        except ConstraintBroken as broken:
            if broken.constraint == REFUSED:
                return None
            if broken.constraint != TAKEN:
                raise
            if earlier := find_facts(db, key, tenant_id=tenant_id):
                return Accepted(earlier, replayed=True)
        else:
            return Accepted(row["facts"]) if row else None
    raise DatabaseUnavailable("A request with the same Idempotency-Key is being worked on. Repeat it.")


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


def count_held(key: IdempotencyKey | None) -> int:
    """How many statements of the batch come before the request's own."""
    return 2 if key else 0


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
