"""Whom a job belongs to can see what it was charged, and what its calls have cost."""

from typing import Any

import pytest

from functions.job_status.app import handler
from millrace.bindings.database import Statement
from millrace.domain.jobs import EVALUATION
from millrace.domain.questions import ModelAnswer, PaidCall
from millrace.errors import InsufficientDocuments, ModelAnswerInvalid
from millrace.store import evaluations, jobs, judgements, receipts
from tests.counting import Counted
from tests.events import CALLER, Context, http_event, said
from tests.factories import evaluation_of, order_for
from tests.functions.conftest import World
from tests.valid_rows import add_row

PATH = "/api/jobs/job_1/receipt"


def get(world: World, path: str = PATH, *, tenant_id: str = "tenant_demo", scopes: str = "usage:read") -> Any:
    caller = {**CALLER, "tenant_id": tenant_id, "scopes": scopes}
    return handler(http_event("GET", path, caller=caller), Context(), env=world.api)


def shown(world: World) -> dict[str, Any]:
    answer = get(world)
    assert answer["statusCode"] == 200, answer["body"]
    data: dict[str, Any] = said(answer)["data"]
    return data


def moved(world: World) -> dict[str, Any]:
    return {"move_id": world.engine.new_id(), "now": world.clock.advance(seconds=5)}


def accept(world: World) -> None:
    order = order_for("lead_123", tenant_id="tenant_demo", site_id="site_abc")
    evaluations.create(world.engine.DB, order, job_id="job_1", now=world.clock.now())


def retry(world: World) -> None:
    evaluations.retry(world.engine.DB, "job_1", tenant_id="tenant_demo", **moved(world))


def call(world: World, name: str, *, cost: int) -> PaidCall:
    answer = ModelAnswer(
        "{}", model_version="test/model@7", input_tokens=1_200, output_tokens=80, cost_microusd=cost,
        duration_ms=4_000,
    )  # fmt: skip
    return PaidCall(name, answer=answer, ended_at=world.clock.now())


def claim(world: World) -> Any:
    return jobs.claim(world.engine.DB, EVALUATION, worker_id="worker", **moved(world))


def fail(world: World, error: Any, *costs: int) -> None:
    job = claim(world)
    calls = [call(world, f"call_{cost}", cost=cost) for cost in costs]
    assert judgements.fail(world.engine.DB, job, error=error, calls=calls, jitter=0.0, **moved(world))


def complete(world: World, *costs: int) -> None:
    job = claim(world)
    calls = [call(world, f"call_{cost}", cost=cost) for cost in costs]
    assert judgements.complete(world.engine.DB, job, evaluation=evaluation_of(), calls=calls, **moved(world))


def test_a_job_that_waits_is_charged_and_has_cost_nothing(world: World):
    accept(world)

    assert shown(world) == {
        "job_id": "job_1",
        "kind": "evaluation",
        "entries": [
            {
                "at": "2025-12-17T10:00:00Z",
                "meter": "evaluations",
                "period": "2025-12",
                "kind": "reserve",
                "amount": 1,
                "used_after": 1,
                "limit": 20,
            }
        ],
        "calls": [],
        "totals": {
            "charged": {"evaluations": 1},
            "calls": 0,
            "input_tokens": 0,
            "output_tokens": 0,
            "gpu_seconds": 0,
            "cost_microusd": 0,
            "duration_ms": 0,
        },
    }


def test_entries_of_every_round_come_in_order_and_are_summed(world: World):
    accept(world)
    fail(world, InsufficientDocuments("none"))
    retry(world)
    fail(world, ModelAnswerInvalid("nonsense"), 7, 11)
    world.clock.advance(days=15)
    retry(world)
    complete(world, 42)

    data = shown(world)

    assert [(one["period"], one["kind"], one["amount"]) for one in data["entries"]] == [
        ("2025-12", "reserve", 1),
        ("2025-12", "release", -1),
        ("2025-12", "reserve", 1),
        ("2025-12", "settle", 0),
        ("2026-01", "reserve", 1),
        ("2026-01", "settle", 0),
    ]
    assert data["totals"]["charged"] == {"evaluations": 2}


def test_what_was_reserved_and_ended_in_one_moment_is_told_in_that_order(world: World):
    accept(world)
    now = {"move_id": "cancel", "now": world.clock.now()}
    jobs.cancel(world.engine.DB, EVALUATION, "job_1", tenant_id="tenant_demo", **now)

    assert [one["kind"] for one in shown(world)["entries"]] == ["reserve", "release"]


def test_every_call_is_listed_and_summed_whatever_became_of_its_attempt(world: World):
    accept(world)
    fail(world, ModelAnswerInvalid("nonsense"), 7, 11)
    retry(world)
    complete(world, 42)

    data = shown(world)

    assert [one["cost_microusd"] for one in data["calls"]] == [7, 11, 42]
    assert data["calls"][2] == {
        "at": "2025-12-17T10:00:20Z",
        "attempt": 2,
        "model": "test/model@7",
        "input_tokens": 1_200,
        "output_tokens": 80,
        "gpu_seconds": 0,
        "cost_microusd": 42,
        "duration_ms": 4_000,
    }
    del data["totals"]["charged"]
    assert data["totals"] == {
        "calls": 3,
        "input_tokens": 3_600,
        "output_tokens": 240,
        "gpu_seconds": 0,
        "cost_microusd": 60,
        "duration_ms": 12_000,
    }


def test_of_very_many_calls_the_first_are_listed_and_all_are_in_the_totals(world: World, monkeypatch):
    monkeypatch.setattr(receipts, "CALLS", receipts.CALLS.replace(str(receipts.MOST_CALLS), "2"))
    accept(world)
    complete(world, 1, 2, 3)

    data = shown(world)

    assert [one["cost_microusd"] for one in data["calls"]] == [1, 2]
    assert data["totals"]["cost_microusd"] == 6


def test_what_was_set_aside_and_spent_stands_beside_what_was_sold(world: World):
    accept(world)
    job = claim(world)
    told = {"progress_message": "Asking", "most_microusd": 5_000}
    assert jobs.begin_paid_work(world.engine.DB, EVALUATION, job, now=world.clock.now(), **told)
    calls = [call(world, "call", cost=42)]
    assert judgements.complete(world.engine.DB, job, evaluation=evaluation_of(), calls=calls, **moved(world))

    data = shown(world)

    assert [(one["meter"], one["period"], one["kind"], one["amount"]) for one in data["entries"]] == [
        ("evaluations", "2025-12", "reserve", 1),
        ("spend", "2025-12-17", "reserve", 5_000),
        ("evaluations", "2025-12", "settle", 0),
        ("spend", "2025-12-17", "settle", -4_958),
    ]
    assert data["totals"]["charged"] == {"evaluations": 1, "spend": 42}


def test_an_attempt_on_a_gpu_is_shown_with_its_seconds(world: World):
    accept(world)
    add_row(
        world.owner, "usage_records", tenant_id="tenant_demo", job_id="job_1", kind="export", attempt=2,
        model="runpod", gpu_seconds=13, cost_microusd=2_600,
    )  # fmt: skip

    data = shown(world)

    assert [(one["model"], one["attempt"], one["gpu_seconds"]) for one in data["calls"]] == [
        ("runpod", 2, 13)
    ]
    assert data["totals"]["gpu_seconds"] == 13


def test_sums_beyond_what_a_column_holds_are_exact(world: World):
    accept(world)
    for number in range(3):
        add_row(
            world.owner, "usage_records", id=f"call_{number}", tenant_id="tenant_demo", job_id="job_1",
            call=number, kind="evaluation", input_tokens=2**31 - 1, cost_microusd=2**52 + 1,
        )  # fmt: skip

    totals = shown(world)["totals"]

    assert (totals["input_tokens"], totals["cost_microusd"]) == (3 * (2**31 - 1), 3 * (2**52 + 1))


@pytest.mark.parametrize(
    ("path", "tenant_id"), [(PATH, "tenant_other"), ("/api/jobs/job_of_nobody/receipt", "tenant_demo")]
)
def test_a_job_that_is_not_theirs_is_as_one_that_is_not_there(world: World, path: str, tenant_id: str):
    accept(world)

    answer = get(world, path, tenant_id=tenant_id)

    assert answer["statusCode"] == 404
    assert said(answer) == {
        "success": False,
        "error": "JobNotFound",
        "message": "Job not found or access denied",
    }


def test_the_key_needs_the_right_to_see_what_was_used(world: World):
    answer = get(world, scopes="evaluations:read evaluations:write")

    assert (answer["statusCode"], said(answer)["scope"]) == (403, "usage:read")


def test_a_receipt_takes_one_round_trip(world: World):
    accept(world)
    batches: list[list[Statement]] = []
    db = Counted(world.engine.DB, batches=batches)

    receipts.read(db, "job_1", tenant_id="tenant_demo")

    assert len(batches) == 1
