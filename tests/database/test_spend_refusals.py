"""Paid work is not accepted while less is left of the tenant's day than it costs at least."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import EXPORT
from millrace.errors import InsufficientDocuments, JobAlreadyPending, SpendLimitReached
from millrace.store import evaluations, export_orders, jobs, renders, spend_drift
from tests import export_orders as ordering
from tests.counting import Counted
from tests.database.test_drift import fail_next
from tests.factories import (
    NOW,
    accept_job,
    add_house,
    add_lead,
    begin_paid_work,
    claim_job,
    count_rows,
    new_id,
    order_for,
)
from tests.spending_bed import limit_spend
from tests.valid_rows import add_row

MODEL = "@cf/meta/llama-3.2-11b-vision-instruct"
LEAST = {MODEL: 5_000, "local/rules": 0}


@pytest.fixture
def house(db):
    add_house(db)
    limit_spend(db, "1")
    return db


def spend(db, microusd):
    add_row(db, "daily_spend", used=microusd)


def create(db, *, model=MODEL, key=None, lead_id=None, **changes):
    order = replace(order_for(lead_id or add_lead(db)), model_version=model, least_costs=LEAST, **changes)
    return evaluations.create(db, order, job_id=new_id("job"), now=NOW, key=key)


@pytest.mark.parametrize("key", [None, IdempotencyKey("key", "same")])
def test_a_job_that_cannot_be_paid_for_today_is_refused_and_charges_nothing(house, key):
    spend(house, 995_001)

    with pytest.raises(SpendLimitReached) as refused:
        create(house, key=key)

    assert refused.value.headers == {"Retry-After": str(14 * 3_600)}
    assert refused.value.facts["usage"] == {
        "used_usd": 0.995001,
        "set_aside_usd": 0.0,
        "limit_usd": 1.0,
        "day": "2025-12-17",
        "resets_at": datetime(2025, 12, 18, tzinfo=UTC),
    }
    for table in (
        "ai_evaluation_jobs",
        "quota_entries",
        "ai_evaluation_usage",
        "job_events",
        "idempotency_keys",
    ):
        assert count_rows(house, table) == 0


def test_what_is_left_to_the_last_micro_dollar_may_be_spent(house):
    spend(house, 995_000)

    create(house)

    assert spend_drift.find_spent(house).drifting == 1  # nobody has reserved what this test says was spent
    assert count_rows(house, "ai_evaluation_jobs") == 1


@pytest.mark.parametrize(("most_microusd", "passes"), [(1_000_000, True), (1_000_001, False)])
def test_while_all_that_is_used_is_set_aside_what_fits_into_a_day_is_soon_to_be_had(
    house, most_microusd, passes
):
    for _ in range(2):
        begin(house, most_microusd=400_000)

    with pytest.raises(SpendLimitReached) as refused:
        begin(house, most_microusd=most_microusd)

    assert refused.value.passes == passes
    assert refused.value.facts["usage"]["set_aside_usd"] == 0.8


@pytest.mark.parametrize(("most_microusd", "passes"), [(600_000, True), (600_001, False)])
def test_what_a_dead_worker_had_set_aside_is_not_expected_back(house, most_microusd, passes):
    begin(house, most_microusd=400_000)
    dead = begin(house, most_microusd=400_000)
    died = "UPDATE ai_evaluation_jobs SET status = 'failed', completed_at = ?2 WHERE id = ?1"
    house.prepare(died).bind(dead.id, NOW).run()

    with pytest.raises(SpendLimitReached) as refused:
        begin(house, most_microusd=most_microusd)

    assert refused.value.passes == passes
    told = refused.value.facts["usage"]
    assert (told["used_usd"], told["set_aside_usd"]) == (0.8, 0.4)


def test_a_render_s_money_is_set_aside_too(db):
    footage = ordering.add_footage(db)
    limit_spend(db, "1")
    export_orders.create(db, ordering.order_for(footage), job_id="job_1", now=NOW)
    job = jobs.claim(db, EXPORT, worker_id="worker_a", move_id="claim", now=NOW)
    assert renders.begin(db, job, deadline_at=NOW, most_microusd=900_000, now=NOW)
    order = replace(ordering.order_for(footage), least_cost=264_000, request_hash="another")

    with pytest.raises(SpendLimitReached) as refused:
        export_orders.create(db, order, job_id="job_2", now=NOW)

    assert (refused.value.passes, refused.value.facts["usage"]["set_aside_usd"]) == (True, 0.9)


@pytest.mark.parametrize(("minutes", "passes"), [(1, True), (3, False)])
def test_the_number_of_a_render_that_has_just_ended_is_waited_for_a_little(db, minutes, passes):
    footage = ordering.add_footage(db)
    limit_spend(db, "1")
    export_orders.create(db, ordering.order_for(footage), job_id="job_1", now=NOW)
    job = jobs.claim(db, EXPORT, worker_id="worker_a", move_id="claim", now=NOW)
    assert renders.begin(db, job, deadline_at=NOW, most_microusd=900_000, now=NOW)
    db.prepare("UPDATE export_jobs SET status = 'cancelled', completed_at = ?1").bind(NOW).run()
    order = replace(ordering.order_for(footage), least_cost=264_000)

    with pytest.raises(SpendLimitReached) as refused:
        export_orders.create(db, order, job_id="job_2", now=NOW + timedelta(minutes=minutes))

    assert refused.value.passes == passes


def begin(db, *, most_microusd):
    accept_job(db, add_lead(db))
    job = claim_job(db)
    assert begin_paid_work(db, job, most_microusd=most_microusd)
    return job


def test_a_free_model_and_the_next_day_are_not_refused(house):
    spend(house, 1_000_000)

    create(house, model="local/rules")

    order = replace(order_for(add_lead(house)), model_version=MODEL, least_costs=LEAST)
    evaluations.create(house, order, job_id="job_tomorrow", now=datetime(2025, 12, 18, tzinfo=UTC))


def test_the_model_that_the_tenant_has_chosen_decides(house):
    spend(house, 1_000_000)
    add_row(house, "settings", key="ai_default_model", value=MODEL, value_type="string")

    with pytest.raises(SpendLimitReached):
        create(house, model="local/rules", models=tuple(LEAST))


def test_what_stands_against_it_besides_is_said_first(house):
    spend(house, 1_000_000)
    lead_id = add_lead(house)
    accept_job(house, lead_id)

    with pytest.raises(JobAlreadyPending):
        create(house, lead_id=lead_id)


def test_a_retry_is_refused_alike(house):
    job_id = str(create(house).facts["job_id"])
    fail_next(house, InsufficientDocuments("none"))
    spend(house, 1_000_000)

    with pytest.raises(SpendLimitReached):
        evaluations.retry(house, job_id, tenant_id="tenant_a", models=LEAST, move_id=new_id("move"), now=NOW)

    status = house.prepare("SELECT status, charge_round FROM ai_evaluation_jobs").first()
    assert (status["status"], status["charge_round"]) == ("failed", 0)


def test_an_export_is_refused_alike_and_so_is_its_retry(db):
    footage = ordering.add_footage(db)
    limit_spend(db, "1")
    order = replace(ordering.order_for(footage), least_cost=264_000)
    spend(db, 736_001)

    with pytest.raises(SpendLimitReached):
        export_orders.create(db, order, job_id=new_id("job"), now=NOW)

    db.prepare("UPDATE daily_spend SET used = 736000").run()
    export_orders.create(db, order, job_id="job_1", now=NOW)
    assert count_rows(db, "export_jobs") == 1


def test_the_question_is_a_part_of_the_one_round_trip(house):
    batches = []
    order = replace(order_for(add_lead(house)), model_version=MODEL, least_costs=LEAST)

    evaluations.create(Counted(house, batches=batches), order, job_id=new_id("job"), now=NOW)

    assert len(batches) == 1
