"""What a client reads when its tenant's day is spent: on asking for a job, and of one that waits."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from functions.create_job.app import handler as create_handler
from functions.job_status.app import handler as status_handler
from millrace.domain.jobs import EVALUATION
from millrace.domain.model_access import ModelAccess
from millrace.domain.pricing import Price
from millrace.domain.spending import LIMIT_SETTING, WAITING, look_again_at, refusal
from millrace.store import jobs, settings
from tests.events import Context, read_event, said
from tests.factories import BY, count_rows
from tests.functions.asking import post
from tests.valid_rows import add_row

MODEL = "@cf/meta/llama-3.2-11b-vision-instruct"


@pytest.fixture
def paid(world):
    """A model that costs a dollar for a million tokens, in a day of which nothing may be spent."""
    access = ModelAccess(prices={MODEL: Price(1_000_000, 1_000_000)})
    told = {"ai_models": ("local/rules", MODEL), "model_access": access, "gpu_second_microusd": 440}
    world.api.config = replace(world.api.config, **told)
    limit(world, "0")
    return world


def limit(world, dollars):
    values = {LIMIT_SETTING: Decimal(dollars)}
    settings.change(world.owner, values, tenant_id="tenant_demo", by=BY, now=world.clock.now())


def create(world, lead_id="lead_123", **body):
    event = read_event("create_job/minimal") | {"body": json.dumps(body)}
    event["rawPath"] = f"/api/ops/leads/{lead_id}/ai-evaluation"
    event["headers"] = event["headers"] | {"content-type": "application/json"}
    return create_handler(event, Context(), env=world.api)


def test_who_asks_for_paid_work_is_told_what_is_left_and_until_when(paid):
    answer = create(paid, model_version=MODEL)

    assert answer["statusCode"] == 429
    assert answer["headers"]["Retry-After"] == str(14 * 3_600)
    assert said(answer) == {
        "success": False,
        "error": "SpendLimitReached",
        "message": "The spend limit of the day ($0.00) is reached: $0.00 are left.",
        "usage": {
            "used_usd": 0.0,
            "set_aside_usd": 0.0,
            "limit_usd": 0.0,
            "day": "2025-12-17",
            "resets_at": "2025-12-18T00:00:00Z",
        },
    }
    assert count_rows(paid.owner, "ai_evaluation_jobs") == 0


def test_the_model_that_is_free_is_accepted_all_the_same(paid):
    assert create(paid, model_version="local/rules")["statusCode"] == 201


def test_two_hundredths_of_a_dollar_are_enough_to_ask_once(paid):
    limit(paid, "0.002048")

    assert create(paid, model_version=MODEL)["statusCode"] == 201


def test_while_others_have_set_it_aside_one_is_told_to_ask_again_in_a_minute(paid):
    limit(paid, "1")
    create(paid, model_version=MODEL)
    job = jobs.claim(paid.engine.DB, EVALUATION, worker_id="worker", move_id="claim", now=paid.clock.now())
    set_aside = {"now": paid.clock.now(), "progress_message": "Asking", "most_microusd": 999_000}
    assert jobs.begin_paid_work(paid.engine.DB, EVALUATION, job, **set_aside)

    paid.add_lead("lead_2")

    answer = create(paid, "lead_2", model_version=MODEL)

    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (429, "60")
    assert said(answer)["usage"]["set_aside_usd"] == 0.999
    assert said(answer)["message"] == (
        "The spend limit of the day ($1.00) is reached: $0.00 are left. "
        "$1.00 are set aside for jobs that run. Ask again when they have ended."
    )


@pytest.mark.parametrize(("model", "warned"), [(MODEL, True), ("local/rules", False)])
def test_who_asks_for_paid_work_is_warned_from_eighty_percent_of_the_day_on(paid, model, warned):
    limit(paid, "1")
    add_row(paid.owner, "daily_spend", tenant_id="tenant_demo", used=800_000)

    usage = said(create(paid, model_version=model))["usage"]

    warning = "$0.80 of the $1.00 of 2025-12-17 are spent or set aside."
    assert usage.get("spend_warning") == (warning if warned else None)


def test_before_that_nothing_is_said_of_it(paid):
    limit(paid, "1")
    add_row(paid.owner, "daily_spend", tenant_id="tenant_demo", used=799_999)

    assert "spend_warning" not in said(create(paid, model_version=MODEL))["usage"]


def test_a_job_that_waits_for_the_money_says_so_and_is_not_expected_before_it_is_due(paid):
    limit(paid, "1")
    create(paid, model_version=MODEL)
    db, now = paid.engine.DB, paid.clock.advance(minutes=50)
    job = jobs.claim(db, EVALUATION, worker_id="worker", move_id="claim", now=now)
    due_at = look_again_at(now, passes=False, jitter=0.5)
    why = refusal(cost=1, used=0, set_aside=0, limit=0, now=now)
    assert jobs.release(db, EVALUATION, job, move_id="wait", now=now, due_at=due_at, why=why, says=WAITING)

    event = read_event("job_status/one_job")
    event["rawPath"] = event["rawPath"].rpartition("/")[0] + f"/{job.id}"
    answer = status_handler(event, Context(), env=paid.api)

    assert answer["statusCode"] == 202
    data = said(answer)["data"]
    assert (data["status"], data["progress_message"]) == (
        "pending",
        "Waiting: today's spend limit is reached.",
    )
    assert data["estimated_completion"] >= due_at.isoformat()[:19]


def test_a_retry_is_refused_with_the_same_words(paid):
    limit(paid, "1")
    job_id = said(create(paid, model_version=MODEL))["data"]["job_id"]
    ended = "UPDATE ai_evaluation_jobs SET status = 'failed', completed_at = ?1, error_code = 'ModelTimeout'"
    paid.owner.prepare(ended).bind(paid.clock.now()).run()
    limit(paid, "0")

    answer = post(paid, f"ai-evaluation-jobs/{job_id}/retry")

    assert (answer["statusCode"], said(answer)["error"]) == (429, "SpendLimitReached")
