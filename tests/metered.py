"""Calls to be metered: attempts of seeded luck, recorded by the store, and what they must come to."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from millrace.bindings.database import Database
from millrace.domain.jobs import EVALUATION, Job
from millrace.domain.questions import ModelAnswer, PaidCall
from millrace.store import usage
from millrace.store.ledger import in_order
from tests.factories import NOW

CALLS = 100
USERS = ("alice", "bob", "carol")
MEASURES = ("input_tokens", "output_tokens", "cost_microusd")
Sums = Counter[tuple[str, str, str]]


def attempts(count: int) -> Iterator[tuple[Job, list[PaidCall]]]:
    """So many, of a hundred calls each, of three users and over two days."""
    for number in range(count):
        luck = random.Random(number)
        row = {"user_id": luck.choice(USERS), "requested_by": "", "worker_id": "worker", "site_id": "site_a"}
        job = Job(f"job_{number}", "tenant_a", 1, 0, 3, row)
        yield job, [call_of(luck, name=f"{number}-{call}") for call in range(CALLS)]


def call_of(luck: random.Random, *, name: str) -> PaidCall:
    """Mostly small, and now and then as large as may be."""
    most = 2**31 - 1 if luck.random() < 0.01 else 5_000
    answer = ModelAnswer(
        "", "test/model", input_tokens=luck.randrange(most), output_tokens=luck.randrange(most),
        cost_microusd=luck.randrange(most * 400),
    )  # fmt: skip
    return PaidCall(name, answer, NOW + timedelta(hours=luck.choice([0, 20])))


def meter(db: Database, count: int, *, threads: int) -> Sums:
    """Record them, every tenth attempt twice. What each user's days must be."""

    def record(attempt: tuple[Job, list[PaidCall]]) -> Sums:
        job, calls = attempt
        booked = in_order(usage.book(db, EVALUATION, job, calls=calls, now=NOW))
        for _ in range(2 if job.id.endswith("7") else 1):
            db.batch(booked)
        return sums_of(job, calls)

    total: Sums = Counter()
    with ThreadPoolExecutor(threads) as pool:
        for sums in pool.map(record, attempts(count)):
            total.update(sums)
    return total


def sums_of(job: Job, calls: list[PaidCall]) -> Sums:
    sums: Sums = Counter()
    for call in calls:
        for measure in MEASURES:
            day = call.ended_at.date().isoformat()
            sums[job.row["user_id"], day, measure] += getattr(call.answer, measure)
    return sums


def counted(db: Database) -> Sums:
    """What the users' days say."""
    rows = db.prepare("SELECT * FROM daily_usage").all().results
    return Counter(
        {(row["user_id"], row["date"].isoformat(), one): row[one] for row in rows for one in MEASURES}
    )
