"""What a person recommends instead stands beside the evaluation, which stays as it was."""

from datetime import timedelta

import pytest

from millrace.domain.idempotency import IdempotencyKey
from millrace.errors import EvaluationNotFound, IdempotencyKeyReused, LeadNotFound, SiteNotFound
from millrace.store import overrides
from tests.databases import on_postgres
from tests.factories import (
    BY,
    NOW,
    accept_job,
    add_house,
    add_lead,
    add_site,
    add_tenant,
    claim_job,
    complete_job,
    count_rows,
    new_id,
)

LATER = NOW + timedelta(hours=2)
KEY = IdempotencyKey("once", "fingerprint")


@pytest.fixture
def lead(db):
    add_house(db)
    return add_lead(db)


def judge(db, lead_id, *, now=NOW, **whose):
    """The id of the lead's new evaluation."""
    accept_job(db, lead_id, now=now, force_refresh=True, **whose)
    complete_job(db, claim_job(db, now=now), now=now)
    latest = db.prepare("SELECT latest_evaluation_id FROM leads WHERE id = ?1")
    return latest.bind(lead_id).first("latest_evaluation_id")


def override(db, lead_id, *, now=LATER, key=None, **changes):
    said = {
        "tenant_id": "tenant_a", "site_id": "site_a", "evaluation_id": None, "overridden_by": "user_b",
        "new_recommendation": "reject", "reason": "Robin gave a false address.",
    } | changes  # fmt: skip
    new = overrides.NewOverride(id=new_id("override"), lead_id=lead_id, **said)
    return overrides.create(db, new, by=BY, now=now, key=key)


def rows(db):
    return [dict(row) for row in db.prepare("SELECT * FROM evaluation_overrides").all().results]


def test_an_override_says_what_whose_why_by_whom_and_when(db, lead):
    evaluation_id = judge(db, lead)

    facts = override(db, lead).facts

    (row,) = rows(db)
    assert row == {
        "id": facts["override_id"],
        "tenant_id": "tenant_a",
        "lead_id": lead,
        "evaluation_id": evaluation_id,
        "new_recommendation": "reject",
        "reason": "Robin gave a false address.",
        "overridden_by": "user_b",
        "overridden_at": LATER,
    }
    assert facts["recommendation"] == "approve"
    assert facts.keys() == row.keys() - {"id", "tenant_id", "reason"} | {"override_id", "recommendation"}


def test_the_evaluation_and_the_lead_s_score_stay_as_they_were(db, lead):
    evaluation_id = judge(db, lead)

    override(db, lead)

    kept = db.prepare("SELECT id, recommendation, score FROM lead_ai_evaluations").raw()
    assert kept == [(evaluation_id, "approve", 85)]
    lead_now = db.prepare("SELECT status, ai_score, ai_label, updated_at FROM leads").raw()
    assert lead_now == [("ai_evaluated", 85, "A", LATER)]


def test_it_is_the_latest_evaluation_that_is_overridden_and_more_than_once(db, lead):
    judge(db, lead)
    latest = judge(db, lead, now=NOW + timedelta(hours=1))

    override(db, lead)
    override(db, lead, new_recommendation="approve", now=LATER + timedelta(minutes=1))

    assert [(row["evaluation_id"], row["new_recommendation"]) for row in rows(db)] == [
        (latest, "reject"),
        (latest, "approve"),
    ]


def test_an_evaluation_that_has_been_followed_by_another_is_not_overridden(db, lead):
    seen = judge(db, lead)
    override(db, lead, evaluation_id=seen)
    judge(db, lead, now=NOW + timedelta(hours=1))
    touched = db.prepare("SELECT updated_at FROM leads").first("updated_at")

    with pytest.raises(EvaluationNotFound, match="not the lead's latest"):
        override(db, lead, evaluation_id=seen)

    assert len(rows(db)) == 1
    assert db.prepare("SELECT updated_at FROM leads").first("updated_at") == touched


@pytest.mark.parametrize("seen", [None, "eval_of_nobody"])
def test_a_lead_that_was_not_evaluated_has_nothing_to_override(db, lead, seen):
    with pytest.raises(EvaluationNotFound, match="has not been evaluated yet"):
        override(db, lead, evaluation_id=seen, key=KEY)

    assert count_rows(db, "idempotency_keys") == 0


@pytest.mark.parametrize("site_id", ["site_b", "nowhere"])
def test_a_site_must_be_the_tenant_s(db, lead, site_id):
    judge(db, lead)
    add_tenant(db, "tenant_b")
    add_site(db, "site_b", tenant_id="tenant_b")

    with pytest.raises(SiteNotFound):
        override(db, lead, site_id=site_id)


@pytest.mark.parametrize("whose", [{"site_id": "site_c"}, {}])
def test_who_names_a_lead_that_is_not_theirs_or_is_deleted_finds_none(db, lead, whose):
    judge(db, lead)
    add_site(db, "site_c")
    if not whose:
        db.prepare("UPDATE leads SET status = 'deleted', deleted_at = ?1").bind(NOW).run()

    with pytest.raises(LeadNotFound):
        override(db, lead, **whose)

    assert rows(db) == []


def test_a_repeat_with_the_same_key_is_done_once_and_keeps_no_reason(db, lead):
    judge(db, lead)

    first = override(db, lead, key=KEY)
    again = override(db, lead, key=KEY, overridden_by="user_c", now=LATER + timedelta(minutes=1))

    assert (first.replayed, again.replayed) == (False, True)
    assert again.facts == first.facts
    assert len(rows(db)) == 1
    assert "address" not in str(db.prepare("SELECT facts FROM idempotency_keys").first("facts"))
    with pytest.raises(IdempotencyKeyReused):
        override(db, lead, key=IdempotencyKey("once", "another"))


@on_postgres
def test_the_api_overrides_for_its_own_tenant_alone(db, api_db, lead):
    judge(db, lead)
    add_tenant(db, "tenant_b")
    add_site(db, "site_b", tenant_id="tenant_b")
    foreign = add_lead(db, site_id="site_b", tenant_id="tenant_b")
    judge(db, foreign, site_id="site_b", tenant_id="tenant_b")
    own = api_db.for_tenant("tenant_a")

    assert override(own, lead).facts["lead_id"] == lead
    with pytest.raises(LeadNotFound):
        override(own, foreign)
    with pytest.raises(SiteNotFound):
        override(own, foreign, site_id="site_b", tenant_id="tenant_b")
