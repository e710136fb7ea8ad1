"""What is known of a lead: its latest evaluation, all of them, and who did what."""

from datetime import timedelta

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.domain.pages import Page
from millrace.errors import (
    EvaluationNotFound,
    InsufficientDocuments,
    LeadNotFound,
    ModelTimeout,
    SiteNotFound,
)
from millrace.store import evaluations, jobs, judgements, lead_history
from tests.counting import Counted
from tests.factories import (
    NOW,
    accept_job,
    add_house,
    add_lead,
    add_site,
    add_tenant,
    claim_job,
    evaluation_of,
    new_id,
)
from tests.valid_rows import add_row

OWN = {"tenant_id": "tenant_a", "site_id": "site_a"}
READS = [
    lead_history.read_latest,
    lambda db, lead_id, **whose: lead_history.list_evaluations(db, lead_id, **whose, page=Page()),
    lambda db, lead_id, **whose: lead_history.list_activity(db, lead_id, **whose, page=Page()),
]


@pytest.fixture
def house(db):
    add_house(db, evaluations_a_month=1_000)
    return db


@pytest.fixture
def lead(house):
    return add_lead(house)


def at(minute):
    return NOW + timedelta(minutes=minute)


def judge(db, lead, *, minute=0, evaluation_id=None):
    """Judged at that minute, after having been asked for in the minute before."""
    job_id = accept_job(db, lead, now=at(minute - 1), force_refresh=True)
    evaluation = evaluation_of(evaluation_id, now=at(minute))
    job = claim_job(db, now=at(minute - 1))
    judgements.complete(db, job, evaluation=evaluation, move_id=new_id("move"), now=at(minute))
    return job_id


def override(db, lead, evaluation_id, *, minute, to="reject"):
    add_row(
        db, "evaluation_overrides", id=new_id("override"), lead_id=lead, evaluation_id=evaluation_id,
        new_recommendation=to, overridden_at=at(minute),
    )  # fmt: skip


def fail(db, job, error, *, minute):
    moved = {"move_id": new_id("move"), "now": at(minute), "jitter": 0.0}
    assert jobs.fail(db, EVALUATION, job, error=error, **moved)


def activity(db, lead, *, page=None):
    rows = lead_history.list_activity(db, lead, **OWN, page=page or Page())
    return [dict(row) for row in rows]


def moves(db, lead):
    return [row["move"] for row in activity(db, lead)]


def test_the_latest_evaluation_is_the_one_the_lead_goes_by(house, lead):
    judge(house, lead, evaluation_id="eval_1")
    job_id = judge(house, lead, minute=5, evaluation_id="eval_2")

    row = lead_history.read_latest(house, lead, **OWN)

    assert (row["id"], row["job_id"], row["override_id"]) == ("eval_2", job_id, None)
    assert row["extracted_data"] == {"employer": "Harbour Bakery"}


def test_beside_the_recommendation_stands_what_was_decided_last(house, lead):
    judge(house, lead, evaluation_id="eval_1")
    override(house, lead, "eval_1", minute=2, to="approve_with_conditions")
    override(house, lead, "eval_1", minute=3, to="reject")

    row = lead_history.read_latest(house, lead, **OWN)

    assert (row["recommendation"], row["new_recommendation"]) == ("approve", "reject")
    assert (row["reason"], row["overridden_by"]) == ("Seen in person.", "alice")
    assert row["overridden_at"] == at(3)


def test_a_decision_belongs_to_the_evaluation_it_was_made_about(house, lead):
    judge(house, lead, evaluation_id="eval_1")
    override(house, lead, "eval_1", minute=2)
    judge(house, lead, minute=5, evaluation_id="eval_2")

    rows = lead_history.list_evaluations(house, lead, **OWN, page=Page())

    decided = [(row["id"], row["new_recommendation"]) for row in rows]
    assert decided == [("eval_2", None), ("eval_1", "reject")]


def test_a_lead_without_an_evaluation_has_an_empty_history_and_no_latest(house, lead):
    accept_job(house, lead)

    assert lead_history.list_evaluations(house, lead, **OWN, page=Page()) == []
    with pytest.raises(EvaluationNotFound):
        lead_history.read_latest(house, lead, **OWN)


@pytest.mark.parametrize("read", READS)
def test_each_is_one_round_trip(house, lead, read):
    judge(house, lead)
    counted = Counted(house)

    read(counted, lead, **OWN)

    assert len(counted.batches) == 1


@pytest.mark.parametrize("read", READS)
def test_a_site_that_is_not_theirs_is_as_one_that_is_not_there(house, lead, read):
    add_tenant(house, "tenant_b")

    for whose in ({"site_id": "site_x"}, {"tenant_id": "tenant_b"}):
        with pytest.raises(SiteNotFound):
            read(house, lead, **(OWN | whose))


@pytest.mark.parametrize("read", READS)
def test_a_lead_of_elsewhere_or_without_its_data_is_as_one_that_is_not_there(house, lead, read):
    judge(house, lead)
    add_site(house, "site_b")
    deleted = add_lead(house)
    judge(house, deleted)
    house.prepare("UPDATE leads SET deleted_at = ?1 WHERE id = ?2").bind(NOW, deleted).run()

    for lead_id, site_id in (("lead_x", "site_a"), (lead, "site_b"), (deleted, "site_a")):
        with pytest.raises(LeadNotFound):
            read(house, lead_id, tenant_id="tenant_a", site_id=site_id)


def test_evaluations_come_page_by_page_also_those_of_one_moment(house, lead):
    for number in range(5):
        judge(house, lead, minute=number // 2, evaluation_id=f"eval_{number}")

    first = Page(limit=2)
    shown, cursor = first.cut(
        lead_history.list_evaluations(house, lead, **OWN, page=first), at="evaluated_at"
    )
    rest = lead_history.list_evaluations(house, lead, **OWN, page=Page.of(limit=9, cursor=cursor))

    assert [row["id"] for row in shown] == ["eval_4", "eval_3"]
    assert [row["id"] for row in rest] == ["eval_2", "eval_1", "eval_0"]


def test_the_activity_tells_who_asked_what_came_and_who_decided_otherwise(house, lead):
    job_id = judge(house, lead, minute=1, evaluation_id="eval_1")
    override(house, lead, "eval_1", minute=2)

    decided, came, asked = activity(house, lead)

    told = ("move", "at", "job_id", "evaluation_id", "person")
    assert [decided[name] for name in told] == ["override", at(2), job_id, "eval_1", "alice"]
    assert (decided["new_recommendation"], decided["reason"]) == ("reject", "Seen in person.")
    assert [came[name] for name in told] == ["complete", at(1), job_id, "eval_1", None]
    assert (came["score"], came["label"]) == (85, "A")
    assert [asked[name] for name in told] == ["create", at(0), job_id, None, "user_a"]


def test_an_attempt_that_is_repeated_is_nobodys_business(house, lead):
    accept_job(house, lead)
    fail(house, claim_job(house), ModelTimeout("Too slow."), minute=1)

    assert moves(house, lead) == ["create"]


def test_a_job_that_failed_for_good_tells_its_code(house, lead):
    accept_job(house, lead)
    fail(house, claim_job(house), InsufficientDocuments("Nothing to read."), minute=1)

    assert moves(house, lead) == ["fail", "create"]
    assert activity(house, lead)[0]["error_code"] == "InsufficientDocuments"


def test_who_had_a_job_run_again_and_who_cancelled_it_is_told(house, lead):
    job_id = accept_job(house, lead)
    fail(house, claim_job(house), InsufficientDocuments("Nothing to read."), minute=1)
    whose = {"tenant_id": "tenant_a", "site_id": "site_a"}
    evaluations.retry(house, job_id, **whose, move_id=new_id("move"), now=at(2), person="bob")
    evaluations.cancel(house, job_id, **whose, move_id=new_id("move"), now=at(3), person="carol")

    told = [(row["move"], row["person"]) for row in activity(house, lead)]

    assert told == [("cancel", "carol"), ("retry", "bob"), ("fail", None), ("create", "user_a")]


def test_who_asked_is_told_also_of_jobs_whose_beginning_did_not_say(house, lead):
    accept_job(house, lead)
    house.prepare("UPDATE job_events SET detail = '{}'").run()

    assert activity(house, lead)[0]["person"] == "user_a"


def test_the_activity_of_another_lead_is_not_told(house, lead):
    judge(house, add_lead(house))

    assert activity(house, lead) == []


def test_the_activity_comes_page_by_page(house, lead):
    for minute in (1, 3):
        judge(house, lead, minute=minute)

    first = Page(limit=3)
    shown, cursor = first.cut(activity(house, lead, page=first), at="at")
    rest = activity(house, lead, page=Page.of(limit=3, cursor=cursor))

    assert [row["move"] for row in (*shown, *rest)] == ["complete", "create", "complete", "create"]
    assert len(rest) == 1
