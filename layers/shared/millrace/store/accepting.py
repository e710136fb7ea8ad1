"""A job is accepted and charged in one batch, all or nothing; why it was not is asked afterwards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from millrace.bindings.database import Database, Row, Statement
from millrace.domain.callers import KeyUser
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import JobTable
from millrace.errors import ConstraintBroken, DatabaseUnavailable, Refusal
from millrace.store import events, idempotency, ledger, request_counts, spend
from millrace.store.idempotency import Accepted
from millrace.store.ledger import Booking, in_order

# A refusal whose reason is gone when we look for it is no refusal: then the request is tried again. Each time
# it is gone somebody else got on; 16 at once on six leads came to a third try twice in 8,000 requests.
MOST_TRIES = 8


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The move by which a job comes to wait: `create` or `retry`, whose, when, and by which person.

    `user`: for whom it is counted. None: an operator asks.
    """

    move: str
    job_id: str
    move_id: str
    tenant_id: str
    now: datetime
    person: str | None = None
    user: KeyUser | None = None
    key: IdempotencyKey | None = None
    # In micro-dollars, by its model or in any case.
    least_cost: Mapping[str, int] | int = 0


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

    `count_in` raises the meter's counter and returns it. `facts` tell what the answer is made of.
    """
    now, user, tenant_id = acceptance.now, acceptance.user, acceptance.tenant_id
    its: dict[str, Any] = {"job_id": acceptance.job_id, "move_id": acceptance.move_id, "now": now}
    reserve = ledger.reserve(db, table, **its)
    assert table.meter is not None  # noqa: S101 - who sells nothing by the job does not come here
    booked = [Booking(table.meter.counter, (count_in,), (reserve,))]
    booked += request_counts.count(db, table, user, **its) if user else []
    event = events.record(db, table, move=acceptance.move, person=acceptance.person, **its)
    asked = spend.ask(db, table, least=acceptance.least_cost, **its)
    body = [*moved, *asked, *in_order(booked), event]
    for _ in range(MOST_TRIES):
        why_not = refusals.why_not
        try:
            accepted = idempotency.accept(
                db, acceptance.key, tenant_id=tenant_id, now=now, body=body, facts=facts
            )
        except ConstraintBroken as broken:
            accepted = None
            refused = body[broken.statement - idempotency.count_held(acceptance.key)]
            if refused in asked:
                cost = acceptance.least_cost
                raise spend.find_refusal(db, tenant_id=tenant_id, cost=cost, now=now) from broken
            if broken.constraint == "usage_within_quota":
                counter = broken.results[body.index(count_in) - body.index(reserve)].first()
                raise refusals.exceeded(counter) from broken
            if broken.constraint == "requests_within_limit" and user:
                why_not = partial(request_counts.find_refusal, db, user, tenant_id=tenant_id, now=now)
            elif broken.constraint != refusals.live:
                raise
        if accepted:
            return accepted
        if refusal := why_not():
            raise refusal
    raise DatabaseUnavailable("Others keep changing the same thing. Repeat the request.")
