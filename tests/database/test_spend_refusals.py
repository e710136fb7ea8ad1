"""Paid work is not accepted while less is left of the tenant's day than it costs at least."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from millrace.domain.idempotency import IdempotencyKey
from millrace.errors import InsufficientDocuments, JobAlreadyPending, SpendLimitReached
from millrace.store import evaluations, export_orders, spend_drift
from tests import export_orders as ordering
from tests.counting import Counted
from tests.database.test_drift import fail_next
from tests.factories import NOW, accept_job, add_house, add_lead, count_rows, new_id, order_for
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

    assert refused.value.headers == {"Retry-After": str(14 * 3_600 + 1)}
    assert refused.value.facts["usage"] == {
        "used_usd": 0.995001,
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
