"""A job can be followed until it is final."""

from typing import Any

import pytest

from functions.job_status.app import handler
from millrace.domain.jobs import EVALUATION, Job
from millrace.domain.judgements import Evaluation
from millrace.errors import InsufficientDocuments, JobFailure, ModelTimeout
from millrace.store import evaluations, jobs, judgements
from tests.events import Context, asking, read_event, said
from tests.factories import evaluation_of, order_for
from tests.functions.conftest import World


def poll(world: World, *, query: str = "", **headers: str) -> dict[str, Any]:
    event = asking(read_event("job_status/one_job"), query)
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return handler(event, Context(), env=world.api)


def accept(world: World) -> None:
    order = order_for("lead_123", tenant_id="tenant_demo", site_id="site_abc")
    evaluations.create(world.engine.DB, order, job_id="job_example", now=world.clock.now())


def claim(world: World) -> Job:
    world.clock.advance(seconds=5)
    job = jobs.claim(
        world.engine.DB, EVALUATION, worker_id="worker", move_id=world.engine.new_id(), now=world.clock.now()
    )
    assert job is not None
    return job


def complete(world: World, job: Job) -> Evaluation:
    evaluation = evaluation_of("eval_1", now=world.clock.advance(seconds=3))
    moved = {"move_id": world.engine.new_id(), "now": world.clock.now()}
    assert judgements.complete(world.engine.DB, job, evaluation=evaluation, **moved)
    return evaluation


def fail(world: World, job: Job, error: JobFailure) -> None:
    world.clock.advance(seconds=2)
    moved = {"move_id": world.engine.new_id(), "now": world.clock.now(), "jitter": 0.0}
    assert jobs.fail(world.engine.DB, EVALUATION, job, error=error, **moved)


def test_a_pending_job_is_202_and_says_when_to_ask_again(world: World):
    accept(world)

    answer = poll(world)

    assert answer["statusCode"] == 202
    assert answer["headers"]["Retry-After"] == "2"
    assert said(answer)["data"] == {
        "job_id": "job_example",
        "lead_id": "lead_123",
        "status": "pending",
        "requested_at": "2025-12-17T10:00:00Z",
        "estimated_completion": "2025-12-17T11:00:00Z",
    }


def test_a_running_job_is_202_and_says_how_far_it_is(world: World):
    accept(world)
    job = claim(world)
    jobs.extend(world.engine.DB, EVALUATION, job, now=world.clock.now(), progress_message="Reading documents")
    world.clock.advance(seconds=3)

    answer = poll(world)

    assert answer["statusCode"] == 202
    assert said(answer)["data"] == {
        "job_id": "job_example",
        "lead_id": "lead_123",
        "status": "processing",
        "requested_at": "2025-12-17T10:00:00Z",
        "estimated_completion": "2025-12-17T11:00:00Z",
        "started_at": "2025-12-17T10:00:05Z",
        "progress_message": "Reading documents",
        "duration_ms": 3_000,
    }


def test_what_the_latest_jobs_took_is_expected_of_the_next(world: World):
    world.add_lead("lead_of_before")
    order = order_for("lead_of_before", tenant_id="tenant_demo", site_id="site_abc")
    evaluations.create(world.engine.DB, order, job_id="job_of_before", now=world.clock.now())
    complete(world, claim(world))
    accept(world)

    data = said(poll(world))["data"]

    assert data["requested_at"] == "2025-12-17T10:00:08Z"
    assert data["estimated_completion"] == "2025-12-17T10:00:16Z"


def test_a_completed_job_is_200_with_its_evaluation(world: World):
    accept(world)
    evaluation = complete(world, claim(world))

    answer = poll(world)

    data = said(answer)["data"]
    assert answer["statusCode"] == 200
    assert "Retry-After" not in answer["headers"]
    assert (data["status"], data["completed_at"], data["duration_ms"]) == (
        "completed",
        "2025-12-17T10:00:08Z",
        3_000,
    )
    assert data["evaluation"] == {
        "id": "eval_1",
        "score": 85,
        "label": "A",
        "recommendation": "approve",
        "summary": "Pays on time.",
        "risk_flags": ["documents_incomplete"],
        "fraud_signals": [],
        "score_breakdown": evaluation.score_breakdown,
        "warnings": [],
        "evaluated_at": "2025-12-17T10:00:08Z",
        "model_version": "local/rules",
    }


def test_a_failed_job_is_200_and_says_why(world: World):
    accept(world)
    fail(world, claim(world), InsufficientDocuments("The lead has no documents that can be read."))

    answer = poll(world)

    data = said(answer)["data"]
    assert answer["statusCode"] == 200
    assert data["status"] == "failed"
    assert data["error_code"] == "InsufficientDocuments"
    assert data["error_message"] == "The lead has no documents that can be read."
    assert (data["can_retry"], data["retry_count"], data["max_retries"]) == (True, 0, 3)


def test_a_job_that_waits_for_its_retry_is_pending_again(world: World):
    accept(world)
    fail(world, claim(world), ModelTimeout("The model took too long."))

    data = said(poll(world))["data"]

    assert data["status"] == "pending"
    assert "error_code" not in data


def test_a_job_that_failed_by_a_passing_cause_can_be_tried_again(world: World):
    accept(world)
    for _ in range(4):
        fail(world, claim(world), ModelTimeout("The model took too long."))

    data = said(poll(world))["data"]

    assert (data["status"], data["can_retry"], data["retry_count"]) == ("failed", True, 3)


def test_a_job_cancelled_before_it_began_never_started(world: World):
    accept(world)
    moved = {"move_id": world.engine.new_id(), "now": world.clock.advance(seconds=1)}
    jobs.cancel(world.engine.DB, EVALUATION, "job_example", tenant_id="tenant_demo", **moved)

    answer = poll(world)

    assert answer["statusCode"] == 200
    assert said(answer)["data"]["status"] == "cancelled"
    assert "started_at" not in said(answer)["data"]


@pytest.mark.parametrize("headers", [{}, {"x_site_id": "site_other"}])
def test_a_job_that_is_not_there_or_not_theirs_is_404(world: World, headers: dict[str, str]):
    if headers:
        accept(world)

    answer = poll(world, **headers)

    assert answer["statusCode"] == 404
    assert said(answer)["error"] == "JobNotFound"


def test_the_site_must_be_named(world: World):
    answer = poll(world, x_site_id="")

    assert answer["statusCode"] == 400
    assert said(answer)["missing"] == ["X-Site-Id"]


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("wait=-1", {"field": "wait", "message": "must be at least 0"}),
        ("wait=soon", {"field": "wait", "message": "must be a whole number"}),
        ("wait=1&wait=2", {"field": "wait", "message": "is given twice"}),
        ("pause=1", {"field": "pause", "message": "is not a known parameter"}),
    ],
)
def test_a_wait_that_makes_no_sense_is_named(world: World, query: str, fault: dict[str, str]):
    answer = poll(world, query=query)

    assert answer["statusCode"] == 400
    assert said(answer)["fields"] == [fault]
