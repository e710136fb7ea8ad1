"""A job is accepted and charged in one batch, all or nothing; why it was not is asked afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from millrace.bindings.database import Database, Row, Statement
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import JobTable
from millrace.errors import ConstraintBroken, DatabaseUnavailable, Refusal
from millrace.store import events, idempotency, ledger
from millrace.store.idempotency import Accepted

# A refusal whose reason is gone when we look for it is no refusal: then the request is tried again. Each time
# it is gone somebody else got on; 16 at once on six leads came to a third try twice in 8,000 requests.
MOST_TRIES = 8


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The move by which a job comes to wait: `create` or `retry`, whose, when, and by which person."""

    move: str
    job_id: str
    move_id: str
    tenant_id: str
    now: datetime
    person: str | None = None
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class Refusals:
    """What it means when the batch was refused.

    `live` is the constraint that keeps a second job from being live. `exceeded` is given the counter as it
    would have been; `why_not` looks for the reason, and finds None when nothing stands against it any more.
    """

    live: str
    exceeded: Callable[[Row], Refusal]
    why_not: Callable[[], Refusal | None]


def accept(
    db: Database, table: JobTable, acceptance: Acceptance, *, moved: Sequence[Statement],
    count_in: Statement, facts: Statement, refusals: Refusals,
) -> Accepted:  # fmt: skip
    """`moved` and what follows it, in one round trip; when that was refused, a second one tells why.

    `count_in` raises the counter and returns it. `facts` tell what the answer is made of.
    """
    job_id, move_id, now = acceptance.job_id, acceptance.move_id, acceptance.now
    event = events.record(
        db, table, job_id=job_id, move_id=move_id, move=acceptance.move, now=now, person=acceptance.person
    )
    reserve = ledger.reserve(db, table, job_id=job_id, move_id=move_id, now=now)
    body = [*moved, count_in, reserve, event]
    for _ in range(MOST_TRIES):
        try:
            accepted = idempotency.accept(
                db, acceptance.key, tenant_id=acceptance.tenant_id, now=now, body=body, facts=facts
            )
        except ConstraintBroken as broken:
            if broken.constraint == "usage_within_quota":
                counter = broken.results[-1].first()
                raise refusals.exceeded(counter) from broken
            if broken.constraint != refusals.live:
                raise
            accepted = None
        if accepted:
            return accepted
        if refusal := refusals.why_not():
            raise refusal
    raise DatabaseUnavailable("Others keep changing the same thing. Repeat the request.")
