"""A house of which nothing is limited until a test says so, and users of keys who ask for evaluations."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from millrace.bindings.database import Database
from millrace.domain.callers import KeyUser
from millrace.domain.idempotency import IdempotencyKey
from millrace.store import evaluations
from tests.factories import NOW, add_house, add_key, add_lead, new_id, order_for

MANY = 1_000_000


def add_free_house(db: Database) -> Database:
    add_house(db, evaluations_a_month=MANY)
    allow(db, requests_a_minute=MANY, requests_a_day=MANY, tokens_a_day=MANY, live_jobs=MANY)
    return db


def allow(db: Database, **limits: int | None) -> None:
    """Limits of the tenant's own. None: the tier's."""
    for column, value in limits.items():
        change = db.prepare(f"UPDATE tenants SET {column} = CAST(?1 AS BIGINT) WHERE id = 'tenant_a'")
        change.bind(value).run()


def user_of(
    db: Database, user_id: str = "user_a", *, tier: str = "free", kinds: str = "evaluation"
) -> KeyUser:
    """The holder of a key of their own."""
    key_id = add_key(db)
    db.prepare("UPDATE api_keys SET quota_tier = ?1 WHERE id = ?2").bind(tier, key_id).run()
    return KeyUser(user_id, key_id, tuple(kinds.split()))


def ask(
    db: Database, user: KeyUser, *, lead_id: str | None = None, now: datetime = NOW, person: str = "alice",
    site_id: str = "site_a", key: IdempotencyKey | None = None,
) -> Any:  # fmt: skip
    """Have a lead judged, a new one unless it is named. The facts of the answer."""
    order = order_for(lead_id or add_lead(db), requested_by=person, site_id=site_id)
    order = replace(order, user=user)
    return evaluations.create(db, order, job_id=new_id("job"), now=now, key=key).facts


def asked_on(db: Database, day: date, *, user_id: str = "user_a") -> int:
    found = db.prepare("SELECT request_count FROM daily_usage WHERE user_id = ?1 AND date = ?2")
    return int(found.bind(user_id, day).first("request_count") or 0)


def fail(db: Database, job_id: str) -> str:
    db.prepare("""
        UPDATE ai_evaluation_jobs SET status = 'failed', completed_at = ?2, error_code = 'ProcessingError'
        WHERE id = ?1
    """).bind(job_id, NOW).run()
    return job_id


def retry(db: Database, user: KeyUser | None, job_id: str) -> Any:
    moved = {"tenant_id": "tenant_a", "move_id": new_id("move"), "now": NOW}
    return evaluations.retry(db, job_id, user=user, **moved).facts
