"""Where a tenant wishes so, a document that is complete is judged, together with what comes soon after."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from millrace.domain.model_access import ModelAccess
from millrace.domain.pricing import Price
from millrace.store import judgements, settings
from tests.events import said
from tests.factories import BY, evaluation_of, new_id
from tests.functions.asking import post
from tests.functions.conftest import World
from tests.functions.deciding import claim, is_charged
from tests.functions.deciding import complete as finish
from tests.functions.uploading import PDF, announce, complete, send, upload


@pytest.fixture
def eager(world: World) -> World:
    choose(world, ai_auto_run_on_documents=True)
    return world


def choose(world: World, **choices: Any) -> None:
    settings.change(world.engine.DB, choices, tenant_id="tenant_demo", by=BY, now=world.clock.now())


def bring(world: World) -> dict[str, Any]:
    """What the completion of another document is answered of its evaluation."""
    made = said(announce(world))["data"]
    send(world, made["upload"], PDF)
    evaluation: dict[str, Any] = said(complete(world, made["document_id"]))["data"].get("evaluation")
    return evaluation


def test_by_itself_nothing_is_judged(world: World):
    assert bring(world) is None

    assert (world.jobs(), world.doorbell.rung) == ([], [])


def test_a_document_is_judged_a_minute_after_it_came(eager: World):
    answer = bring(eager)

    job = eager.job()
    assert answer == {"job_id": job["id"]}
    assert (job["lead_id"], job["requested_by"], job["model_version"]) == (
        "lead_123",
        "user_xyz",
        "local/rules",
    )
    assert job["run_after"] == eager.clock.now() + timedelta(seconds=60)
    assert eager.doorbell.rung == [("evaluation", 1, 60)]
    assert is_charged(eager, 1)


def test_documents_that_come_together_are_judged_together(eager: World):
    first = bring(eager)
    eager.clock.advance(seconds=30)

    assert bring(eager) == first
    assert is_charged(eager, 1)


def test_one_that_comes_after_a_judgement_is_judged_with_the_others(eager: World):
    bring(eager)
    eager.clock.advance(minutes=2)
    finish(eager)
    eager.clock.advance(minutes=2)

    second = bring(eager)

    assert len(eager.jobs()) == 2
    assert second == {"job_id": eager.jobs()[1]["id"]}


def test_one_that_comes_while_another_judgement_runs_is_judged_when_it_is_said_again(eager: World):
    bring(eager)
    eager.clock.advance(minutes=2)
    job = claim(eager)
    eager.clock.advance(seconds=5)

    late, _ = upload(eager)
    meanwhile = said(complete(eager, late))["data"]["evaluation"]
    judgements.complete(
        eager.engine.DB, job, evaluation=evaluation_of(), move_id=new_id("move"), now=eager.clock.now()
    )
    afterwards = said(complete(eager, late))["data"]["evaluation"]

    assert meanwhile == {"not_started": "JobAlreadyPending"}
    assert len(eager.jobs()) == 2
    assert afterwards == {"job_id": eager.jobs()[1]["id"]}


def test_said_twice_a_document_is_judged_once(eager: World):
    document_id, _ = upload(eager)
    eager.clock.advance(minutes=2)
    finish(eager)
    eager.clock.advance(minutes=2)

    again = said(complete(eager, document_id))["data"]["evaluation"]

    assert again == {"job_id": eager.job()["id"]}


def test_said_twice_one_that_came_second_is_judged_once_too(eager: World):
    bring(eager)
    eager.clock.advance(seconds=30)
    second, _ = upload(eager)
    eager.clock.advance(seconds=30)
    finish(eager)
    eager.clock.advance(minutes=2)

    again = said(complete(eager, second))["data"]["evaluation"]

    assert again == {"job_id": eager.job()["id"]}


def test_what_was_lost_between_the_document_and_its_job_is_made_up_for_by_a_repeat(world: World):
    document_id, _ = upload(world)
    choose(world, ai_auto_run_on_documents=True)

    answer = said(complete(world, document_id))["data"]["evaluation"]

    assert answer == {"job_id": world.job()["id"]}


def test_a_document_is_complete_although_no_judgement_can_be_paid_for(eager: World):
    eager.owner.prepare("UPDATE sites SET evaluations_a_month = 0").run()

    assert bring(eager) == {"not_started": "QuotaExceeded"}
    assert eager.jobs() == []


def test_a_document_is_complete_although_no_money_is_left_of_the_day(eager: World):
    access = ModelAccess(prices={"openai/dear": Price(1_000_000, 1_000_000)})
    eager.api.config = replace(
        eager.api.config, ai_models=("openai/dear",), ai_default_model="openai/dear", model_access=access
    )
    choose(eager, daily_spend_limit=Decimal(0))

    assert bring(eager) == {"not_started": "SpendLimitReached"}
    assert eager.jobs() == []


def test_a_document_is_complete_although_judgements_are_switched_off(eager: World):
    choose(eager, ai_enabled=False)

    assert bring(eager) == {"not_started": "AiDisabled"}
    assert eager.jobs() == []


def test_what_was_asked_for_by_a_document_is_cancelled_like_any_other(eager: World):
    bring(eager)

    answer = post(eager, f"ai-evaluation-jobs/{eager.job()['id']}/cancel")

    assert answer["statusCode"] == 200
    assert is_charged(eager, 0)
