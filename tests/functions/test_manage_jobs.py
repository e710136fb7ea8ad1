"""What people decide about jobs: once more, no more."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.job_status import app as job_status
from millrace.domain.jobs import EVALUATION
from millrace.errors import ModelTimeout
from millrace.store import jobs, settings
from tests.events import Context, said
from tests.factories import BY, new_id, used
from tests.functions.asking import asked, manage, post
from tests.functions.conftest import World
from tests.functions.deciding import (
    accept,
    claim,
    code_of,
    complete,
    count_batches,
    fail,
    failed_job,
    is_charged,
    moves_of,
)


def test_a_failed_job_is_taken_up_again_charged_anew_and_rung_for(world: World):
    job_id = failed_job(world)
    world.clock.advance(minutes=5)
    assert is_charged(world, 0)

    answer = post(world, f"ai-evaluation-jobs/{job_id}/retry")

    assert answer["statusCode"] == 202
    assert said(answer) == {
        "success": True,
        "data": {
            "job_id": job_id,
            "lead_id": "lead_123",
            "status": "pending",
            "requested_at": "2025-12-17T10:00:00Z",
            "estimated_completion": "2025-12-17T11:05:00Z",
        },
        "usage": {"remaining": 19, "limit": 20, "month": "2025-12"},
    }
    assert answer["headers"]["RateLimit"].startswith('"month";r=19;t=')
    assert answer["headers"]["Retry-After"] == "2"
    assert is_charged(world, 1)
    assert world.doorbell.rung == [("evaluation", 1, 0)]
    assert moves_of(world, job_id)[-1] == ("retry", "user_xyz")


def test_a_repeated_retry_does_not_reopen_a_job_that_failed_again_meanwhile(world: World):
    job_id = failed_job(world)
    first = post(world, f"ai-evaluation-jobs/{job_id}/retry", idempotency_key="once")
    fail(world)
    world.clock.advance(minutes=5)

    again = post(world, f"ai-evaluation-jobs/{job_id}/retry", idempotency_key="once")

    assert (again["statusCode"], again["body"]) == (202, first["body"])
    assert again["headers"]["Idempotent-Replayed"] == "true"
    assert world.job()["status"] == "failed"
    assert is_charged(world, 0)
    assert len(world.doorbell.rung) == 1


@pytest.mark.parametrize("status", ["pending", "processing", "completed", "cancelled"])
def test_only_a_failed_job_is_retried(world: World, status: str):
    job_id = accept(world)
    if status == "processing":
        claim(world)
    if status == "completed":
        complete(world)
    if status == "cancelled":
        post(world, f"ai-evaluation-jobs/{job_id}/cancel")

    answer = post(world, f"ai-evaluation-jobs/{job_id}/retry", idempotency_key="once")

    assert code_of(answer) == (409, "JobNotFailed")
    assert said(answer)["status"] == status
    assert world.job()["charge_round"] == 0
    assert world.doorbell.rung == []
    assert world.owner.prepare("SELECT COUNT(*) AS n FROM idempotency_keys").first("n") == 0


def test_a_retry_beside_another_live_job_of_the_lead_is_409_and_names_it(world: World):
    job_id = failed_job(world)
    world.clock.advance(minutes=1)
    live = accept(world)

    answer = post(world, f"ai-evaluation-jobs/{job_id}/retry")

    assert code_of(answer) == (409, "JobAlreadyPending")
    assert said(answer)["job_id"] == live
    assert is_charged(world, 1)


def test_a_retry_beyond_the_quota_is_429_and_changes_nothing(world: World):
    job_id = failed_job(world)
    world.owner.prepare("UPDATE sites SET evaluations_a_month = 0 WHERE id = 'site_abc'").run()

    answer = post(world, f"ai-evaluation-jobs/{job_id}/retry")

    assert code_of(answer) == (429, "QuotaExceeded")
    assert said(answer)["usage"] == {
        "used": 0,
        "limit": 0,
        "month": "2025-12",
        "tier": "free",
        "resets_at": "2026-01-01T00:00:00Z",
        "warning": "0 of 0 evaluations of 2025-12 are used.",
    }
    assert world.job()["status"] == "failed"
    assert is_charged(world, 0)


def set_model(world: World, model: str) -> None:
    world.owner.prepare("UPDATE ai_evaluation_jobs SET model_version = ?1").bind(model).run()


def can_retry(world: World, job_id: str) -> bool:
    answer = job_status.handler(asked("GET", f"ai-evaluation-jobs/{job_id}"), Context(), env=world.api)
    return bool(said(answer)["data"]["can_retry"])


def test_whatever_it_failed_of_a_job_that_can_be_retried_is(world: World):
    job_id = failed_job(world)

    assert world.job()["error_code"] == "InsufficientDocuments"
    assert can_retry(world, job_id)
    assert post(world, f"ai-evaluation-jobs/{job_id}/retry")["statusCode"] == 202


def test_a_job_whose_model_is_no_longer_configured_is_not_retried_and_says_so_before(world: World):
    job_id = failed_job(world)
    set_model(world, "openai/gone")

    answer = post(world, f"ai-evaluation-jobs/{job_id}/retry", idempotency_key="once")

    assert not can_retry(world, job_id)
    assert code_of(answer) == (409, "JobNotRetryable")
    assert world.job()["status"] == "failed"
    assert is_charged(world, 0)


def test_a_job_whose_lead_was_deleted_is_not_retried_and_says_so_before(world: World):
    job_id = failed_job(world)
    manage(world, "DELETE", "leads/lead_123")

    assert not can_retry(world, job_id)
    assert code_of(post(world, f"ai-evaluation-jobs/{job_id}/retry")) == (404, "LeadNotFound")


def test_a_retry_is_charged_to_the_month_it_is_in(world: World):
    job_id = failed_job(world)
    world.clock.advance(days=20)

    answer = post(world, f"ai-evaluation-jobs/{job_id}/retry")

    assert said(answer)["usage"]["month"] == "2026-01"
    assert is_charged(world, 0)
    assert used(world.owner, site_id="site_abc", month="2026-01") == 1


def test_nothing_is_retried_while_ai_is_switched_off_or_after_its_lead_is_gone(world: World):
    job_id = failed_job(world)
    changed = {"tenant_id": "tenant_demo", "by": BY, "now": world.clock.now()}

    settings.change(world.owner, {"ai_enabled": False}, **changed)
    off = post(world, f"ai-evaluation-jobs/{job_id}/retry")
    world.owner.prepare("UPDATE leads SET status = 'deleted', deleted_at = ?1").bind(world.clock.now()).run()
    gone = post(world, f"ai-evaluation-jobs/{job_id}/retry")

    assert code_of(off) == (403, "AiDisabled")
    assert code_of(gone) == (404, "LeadNotFound")
    assert world.job()["status"] == "failed"


def test_a_waiting_job_is_cancelled_and_its_charge_given_back(world: World):
    job_id = accept(world)
    world.clock.advance(minutes=1)

    answer = post(world, f"ai-evaluation-jobs/{job_id}/cancel")

    assert answer["statusCode"] == 200
    assert said(answer)["data"] == {
        "job_id": job_id,
        "lead_id": "lead_123",
        "status": "cancelled",
        "requested_at": "2025-12-17T10:00:00Z",
        "completed_at": "2025-12-17T10:01:00Z",
    }
    assert is_charged(world, 0)
    assert moves_of(world, job_id) == [("create", "user_a"), ("cancel", "user_xyz")]


@pytest.mark.parametrize("asked_model", [False, True])
def test_a_running_job_keeps_its_charge_once_the_model_was_asked(world: World, asked_model: bool):
    job_id = accept(world)
    job = claim(world)
    moved = {"now": world.clock.now(), "progress_message": "Asking"}
    if asked_model:
        jobs.begin_paid_work(world.engine.DB, EVALUATION, job, **moved)
    world.clock.advance(seconds=3)

    answer = post(world, f"ai-evaluation-jobs/{job_id}/cancel")

    data = said(answer)["data"]
    assert (data["status"], data["duration_ms"]) == ("cancelled", 3_000)
    assert is_charged(world, int(asked_model))
    # The worker is told by its next word.
    assert not jobs.extend(world.engine.DB, EVALUATION, job, **moved)


def test_a_second_cancel_is_answered_like_the_first_and_does_nothing(world: World, capsys):
    job_id = accept(world)
    world.clock.advance(minutes=1)
    first = post(world, f"ai-evaluation-jobs/{job_id}/cancel")
    world.clock.advance(minutes=5)

    again = post(world, f"ai-evaluation-jobs/{job_id}/cancel")

    assert (again["statusCode"], again["body"]) == (200, first["body"])
    assert [move for move, _ in moves_of(world, job_id)] == ["create", "cancel"]
    assert capsys.readouterr().out.count('"job_cancelled"') == 1


@pytest.mark.parametrize("end", [fail, complete])
def test_a_job_that_ended_otherwise_is_not_cancelled(world: World, end: Callable[[World], Any]):
    job_id = accept(world)
    end(world)
    status = world.job()["status"]

    answer = post(world, f"ai-evaluation-jobs/{job_id}/cancel")

    assert code_of(answer) == (409, "JobEnded")
    assert (said(answer)["status"], world.job()["status"]) == (status, status)


def test_a_job_that_waits_for_its_next_attempt_is_cancelled_without_a_charge(world: World):
    job_id = accept(world)
    job = claim(world)
    jobs.begin_paid_work(world.engine.DB, EVALUATION, job, now=world.clock.now(), progress_message="Asking")
    moved = {"move_id": new_id("move"), "now": world.clock.now(), "jitter": 1.0}
    jobs.fail(world.engine.DB, EVALUATION, job, error=ModelTimeout("slow"), **moved)

    assert post(world, f"ai-evaluation-jobs/{job_id}/cancel")["statusCode"] == 200
    assert is_charged(world, 0)


@pytest.mark.parametrize("verb", ["retry", "cancel"])
@pytest.mark.parametrize("site_id", ["site_second", "site_other", "nowhere"])
def test_a_job_is_found_by_its_own_site_alone(world: World, verb: str, site_id: str):
    world.owner.prepare("""
        INSERT INTO sites (id, tenant_id, name, created_at, updated_at)
        VALUES ('site_second', 'tenant_demo', 'Second', ?1, ?1)
    """).bind(world.clock.now()).run()
    job_id = failed_job(world) if verb == "retry" else accept(world)
    before = world.job()

    answer = post(world, f"ai-evaluation-jobs/{job_id}/{verb}", x_site_id=site_id)

    assert code_of(answer) == (404, "JobNotFound")
    assert world.job() == before


@pytest.mark.parametrize("verb", ["retry", "cancel"])
def test_another_tenant_s_job_is_as_if_it_were_not_there(world: World, verb: str):
    theirs = {"lead_id": "lead_of_another", "tenant_id": "tenant_other", "site_id": "site_other"}
    job_id = failed_job(world, **theirs) if verb == "retry" else accept(world, **theirs)

    foreign = post(world, f"ai-evaluation-jobs/{job_id}/{verb}", x_site_id="site_other")
    unknown = post(world, f"ai-evaluation-jobs/job_of_nobody/{verb}", x_site_id="site_other")

    assert code_of(foreign) == (404, "JobNotFound")
    assert foreign["body"] == unknown["body"]
    assert len(moves_of(world, job_id)) == (3 if verb == "retry" else 1)


@pytest.mark.parametrize("verb", ["retry", "cancel"])
def test_who_may_only_read_decides_nothing(world: World, verb: str):
    answer = post(
        world, f"ai-evaluation-jobs/any/{verb}", scopes="evaluations:read usage:read settings:admin"
    )

    assert code_of(answer) == (403, "MissingScope")


def test_a_retry_and_a_cancel_are_one_round_trip_each(world: World, monkeypatch: pytest.MonkeyPatch):
    job_id = failed_job(world)
    sizes = count_batches(world, monkeypatch)

    post(world, f"ai-evaluation-jobs/{job_id}/retry", idempotency_key="once")
    post(world, f"ai-evaluation-jobs/{job_id}/cancel")

    assert len(sizes) == 2
