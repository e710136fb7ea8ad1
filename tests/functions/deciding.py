"""Jobs in any state, and what was written down about them, for tests of what people decide about them."""

from typing import Any

import pytest

from millrace.bindings.database import Database
from millrace.domain.jobs import EVALUATION, Job
from millrace.errors import InsufficientDocuments
from millrace.store import evaluations, jobs, judgements
from tests.events import said
from tests.factories import evaluation_of, ledger_sum, new_id, order_for, recount, used
from tests.functions.conftest import World


def accept(world: World, lead_id: str = "lead_123", **changes: Any) -> str:
    whose = {"tenant_id": "tenant_demo", "site_id": "site_abc"} | changes
    order = order_for(lead_id, force_refresh=True, **whose)
    evaluations.create(world.engine.DB, order, job_id=new_id("job"), now=world.clock.now())
    return world.jobs()[-1]["id"]


def claim(world: World) -> Job:
    job = jobs.claim(
        world.engine.DB, EVALUATION, worker_id="w", move_id=new_id("move"), now=world.clock.now()
    )
    assert job is not None
    return job


def fail(world: World) -> None:
    moved = {"move_id": new_id("move"), "now": world.clock.now(), "jitter": 0.0}
    error = InsufficientDocuments("There is nothing to read.")
    assert jobs.fail(world.engine.DB, EVALUATION, claim(world), error=error, **moved)


def complete(world: World) -> str:
    evaluation = evaluation_of(new_id("eval"), now=world.clock.now())
    moved = {"move_id": new_id("move"), "now": world.clock.now()}
    assert judgements.complete(world.engine.DB, claim(world), evaluation=evaluation, **moved)
    return evaluation.id


def failed_job(world: World, **changes: Any) -> str:
    job_id = accept(world, **changes)
    fail(world)
    return job_id


def is_charged(world: World, count: int) -> bool:
    books = [book(world.owner, site_id="site_abc") for book in (used, ledger_sum, recount)]
    return books == [count] * 3


def code_of(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["statusCode"], said(answer).get("error", "")


def moves_of(world: World, job_id: str) -> list[tuple[str, str | None]]:
    events = "SELECT move, detail FROM job_events WHERE job_id = ?1 ORDER BY created_at, id"
    rows = world.owner.prepare(events).bind(job_id).all().results
    return [(row["move"], row["detail"].get("person")) for row in rows]


def count_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements each round trip to the database held."""
    sizes: list[int] = []
    database = type(world.api.DB.for_tenant("tenant_demo"))
    batch = database.batch

    def counted(self: Database, statements: Any) -> Any:
        sizes.append(len(statements))
        return batch(self, statements)

    monkeypatch.setattr(database, "batch", counted)
    return sizes
