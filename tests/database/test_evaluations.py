"""Creating evaluation jobs: what is accepted, what is refused and why, and what a repeat is answered."""

from datetime import UTC, datetime, timedelta

import pytest

from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import EVALUATION
from millrace.errors import (
    AlreadyEvaluated,
    IdempotencyKeyReused,
    JobAlreadyPending,
    JobNotFound,
    LeadNotFound,
    QuotaExceeded,
    SiteNotFound,
)
from millrace.store import evaluation_history, evaluations, jobs
from tests.factories import (
    NOW,
    accept_job,
    add_house,
    add_lead,
    add_site,
    add_tenant,
    claim_job,
    complete_job,
    count_rows,
    ledger_sum,
    new_id,
    order_for,
    used,
)


def create(db, lead_id, *, key=None, now=NOW, **changes):
    return evaluations.create(db, order_for(lead_id, **changes), job_id=new_id("job"), now=now, key=key)


def test_an_accepted_job_is_charged_in_the_same_breath(db):
    add_house(db)
    lead = add_lead(db)

    facts = create(db, lead).facts

    assert facts["status"] == "pending"
    assert (facts["used"], facts["limit"], facts["month"]) == (1, 20, "2025-12")
    assert datetime.fromisoformat(facts["requested_at"]) == NOW
    assert datetime.fromisoformat(facts["estimated_completion"]) == NOW + timedelta(hours=1)
    assert used(db) == ledger_sum(db) == 1


def test_a_job_beyond_the_quota_leaves_no_job_no_charge_and_no_event(db):
    add_house(db)
    for _ in range(20):
        accept_job(db, add_lead(db))
    one_more = add_lead(db)

    with pytest.raises(QuotaExceeded) as refused:
        accept_job(db, one_more)

    assert refused.value.facts["usage"] == {
        "used": 20,
        "limit": 20,
        "month": "2025-12",
        "tier": "free",
        "resets_at": datetime(2026, 1, 1, tzinfo=UTC),
        "warning": "20 of 20 evaluations of 2025-12 are used.",
    }
    assert refused.value.message == "Monthly evaluation limit (20) reached for this site."
    assert (
        count_rows(db, "ai_evaluation_jobs")
        == used(db)
        == ledger_sum(db)
        == count_rows(db, "job_events")
        == 20
    )


@pytest.mark.parametrize(
    ("site", "tenant", "tier", "limit"),
    [
        (None, None, "free", 20),
        (None, None, "pro", 100),
        (None, None, "enterprise", 1000),
        (None, 7, "pro", 7),
        (3, 7, "pro", 3),
        (0, None, "pro", 0),
    ],
)
def test_the_limit_is_the_site_s_own_or_its_tenant_s_or_its_tier_s(db, site, tenant, tier, limit):
    add_tenant(db, evaluations_a_month=tenant)
    add_site(db, tier=tier, evaluations_a_month=site)
    lead = add_lead(db)

    try:
        found = create(db, lead).facts["limit"]
    except QuotaExceeded as refused:
        found = refused.facts["usage"]["limit"]

    assert found == limit


def test_a_new_month_begins_at_zero_and_keeps_the_tier(db):
    add_tenant(db)
    add_site(db, tier="pro")
    create(db, add_lead(db))

    facts = create(db, add_lead(db), now=datetime(2026, 1, 1, tzinfo=UTC)).facts

    assert (facts["used"], facts["limit"], facts["month"]) == (1, 100, "2026-01")


def test_a_lowered_limit_takes_effect_at_once_also_below_what_is_used(db):
    add_house(db)
    for _ in range(3):
        accept_job(db, add_lead(db))
    db.prepare("UPDATE sites SET evaluations_a_month = 2").run()

    with pytest.raises(QuotaExceeded) as refused:
        accept_job(db, add_lead(db))

    assert refused.value.facts["usage"]["used"] == 3
    job = claim_job(db)
    assert jobs.cancel(db, EVALUATION, job.id, tenant_id="tenant_a", move_id=new_id("move"), now=NOW)
    assert used(db) == 2


def test_a_second_job_for_a_lead_is_refused_while_one_is_live(db):
    add_house(db)
    lead = add_lead(db)
    job_id = accept_job(db, lead)

    for force_refresh in (False, True):
        with pytest.raises(JobAlreadyPending) as refused:
            create(db, lead, force_refresh=force_refresh)
        assert refused.value.facts == {"job_id": job_id}

    assert used(db) == 1


def test_a_judged_lead_is_judged_again_only_by_force(db):
    add_house(db)
    lead = add_lead(db)
    accept_job(db, lead)
    complete_job(db, claim_job(db))

    with pytest.raises(AlreadyEvaluated) as refused:
        create(db, lead)

    assert refused.value.facts["evaluation_id"].startswith("eval_")
    assert create(db, lead, force_refresh=True).facts["used"] == 2


def test_a_live_job_is_named_before_an_earlier_result(db):
    add_house(db)
    lead = add_lead(db)
    accept_job(db, lead)
    complete_job(db, claim_job(db))
    second = accept_job(db, lead, force_refresh=True)

    with pytest.raises(JobAlreadyPending) as refused:
        create(db, lead)

    assert refused.value.facts == {"job_id": second}


def test_a_foreign_site_and_a_foreign_lead_are_as_if_they_were_not_there(db):
    add_house(db)
    add_tenant(db, "tenant_b")
    add_site(db, "site_b", tenant_id="tenant_b")
    own = add_lead(db)
    foreign = add_lead(db, site_id="site_b", tenant_id="tenant_b")

    with pytest.raises(SiteNotFound):
        create(db, foreign, site_id="site_b")
    with pytest.raises(SiteNotFound):
        create(db, own, site_id="nowhere")
    with pytest.raises(LeadNotFound):
        create(db, foreign)
    with pytest.raises(LeadNotFound):
        create(db, "nobody")

    assert count_rows(db, "ai_evaluation_jobs") == count_rows(db, "ai_evaluation_usage") == 0


def test_the_same_key_and_request_are_answered_with_the_same_facts_and_done_once(db):
    add_house(db)
    lead = add_lead(db)
    key = IdempotencyKey("once", "fingerprint")

    first = create(db, lead, key=key)
    again = create(db, lead, key=key, now=NOW + timedelta(hours=23))

    assert (first.replayed, again.replayed) == (False, True)
    assert again.facts == first.facts
    assert count_rows(db, "ai_evaluation_jobs") == used(db) == 1


def test_the_same_key_with_another_request_is_refused(db):
    add_house(db)
    create(db, add_lead(db), key=IdempotencyKey("once", "fingerprint"))

    with pytest.raises(IdempotencyKeyReused):
        create(db, add_lead(db), key=IdempotencyKey("once", "another"))


def test_a_key_is_free_again_after_a_day(db):
    add_house(db)
    create(db, add_lead(db), key=IdempotencyKey("once", "fingerprint"))

    later = create(db, add_lead(db), key=IdempotencyKey("once", "another"), now=NOW + timedelta(hours=24))

    assert not later.replayed


def test_two_tenants_may_use_the_same_key(db):
    add_house(db)
    add_tenant(db, "tenant_b")
    add_site(db, "site_b", tenant_id="tenant_b")
    create(db, add_lead(db), key=IdempotencyKey("once", "fingerprint"))

    other = create(
        db, add_lead(db, site_id="site_b", tenant_id="tenant_b"), key=IdempotencyKey("once", "another"),
        tenant_id="tenant_b", site_id="site_b",
    )  # fmt: skip

    assert not other.replayed


@pytest.mark.parametrize("reason", ["no lead", "quota"])
def test_a_refused_request_does_not_keep_its_key(db, reason):
    add_house(db, evaluations_a_month=0 if reason == "quota" else None)
    lead = add_lead(db, "late" if reason == "quota" else None)
    key = IdempotencyKey("once", "fingerprint")

    with pytest.raises(QuotaExceeded if reason == "quota" else LeadNotFound):
        create(db, lead if reason == "quota" else "nobody", key=key)

    assert count_rows(db, "idempotency_keys") == 0


def test_a_job_is_read_with_its_evaluation_and_only_by_its_own_site(db):
    add_house(db)
    lead = add_lead(db)
    job_id = accept_job(db, lead)
    waiting, _ = evaluation_history.read(db, job_id, tenant_id="tenant_a", site_id="site_a")
    complete_job(db, claim_job(db))

    row, _ = evaluation_history.read(db, job_id, tenant_id="tenant_a", site_id="site_a")

    assert (waiting["status"], waiting["score"]) == ("pending", None)
    assert (row["status"], row["score"], row["judged_by"]) == ("completed", 85, "local/rules")
    assert row["risk_flags"] == ["documents_incomplete"]
    for tenant_id, site_id in (("tenant_a", "site_b"), ("tenant_b", "site_a")):
        with pytest.raises(JobNotFound):
            evaluation_history.read(db, job_id, tenant_id=tenant_id, site_id=site_id)
