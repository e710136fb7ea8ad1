"""A lead is created or changed by one statement, by nobody but its own site, and keeps what is not said."""

from datetime import date, timedelta

import pytest

from millrace.errors import LeadDeleted, LeadNotFound, SiteNotFound
from millrace.store import leads
from millrace.store.leads import Which
from tests.database.test_races import in_parallel
from tests.factories import NOW, add_house, add_lead, add_site, add_tenant, count_rows

LATER = NOW + timedelta(hours=1)
LEAD = Which("lead_1", "tenant_a", "site_a")


@pytest.fixture
def api(db, api_db):
    """What a function for callers has: the caller's tenant and nobody else's."""
    add_house(db)
    return api_db.for_tenant("tenant_a")


def put(db, which=LEAD, *, now=NOW, **columns):
    return leads.put(db, which, columns=columns, now=now)


def test_a_lead_that_is_not_there_is_created_with_what_is_said(api):
    done = put(api, first_name="Robin", monthly_rent_microusd=1_950_000_000, move_in_date=date(2026, 2, 1))

    assert done.created
    assert leads.read(api, LEAD) == done.lead
    assert (done.lead["first_name"], done.lead["last_name"]) == ("Robin", None)
    assert (done.lead["monthly_rent_microusd"], done.lead["move_in_date"]) == (
        1_950_000_000,
        date(2026, 2, 1),
    )
    assert (done.lead["status"], done.lead["created_at"], done.lead["updated_at"]) == ("new", NOW, NOW)


def test_one_that_is_there_keeps_what_is_not_said(api):
    put(api, first_name="Robin", phone="555 0100", email="robin@example.com")

    done = put(api, now=LATER, phone=None, email="r@example.com")

    assert not done.created
    assert (done.lead["first_name"], done.lead["phone"], done.lead["email"]) == (
        "Robin",
        None,
        "r@example.com",
    )
    assert (done.lead["created_at"], done.lead["updated_at"]) == (NOW, LATER)


def test_the_same_said_twice_is_one_lead(api):
    put(api, first_name="Robin", status="approved")

    again = put(api, now=LATER, first_name="Robin", status="approved")

    assert (again.lead["status"], again.lead["decided_at"]) == ("approved", NOW)
    assert count_rows(api, "leads") == 1


@pytest.mark.parametrize("decision", ["approved", "rejected", "withdrawn"])
def test_a_decision_has_a_time_and_none_when_it_is_taken_back(api, decision):
    assert put(api).lead["decided_at"] is None

    decided = put(api, now=LATER, status=decision, first_name="Robin")
    reopened = put(api, now=LATER, status="new")

    assert (decided.lead["status"], decided.lead["decided_at"]) == (decision, LATER)
    assert (reopened.lead["status"], reopened.lead["decided_at"]) == ("new", None)


def test_a_decision_taken_back_leaves_the_lead_as_judged_as_it_was(api, db):
    put(api)
    judge(db, "ai_evaluated")
    put(api, status="approved")

    reopened, again = put(api, status="new"), put(api, status="new")

    assert (reopened.lead["status"], reopened.lead["ai_score"]) == ("ai_evaluated", 85)
    assert reopened.lead["decided_at"] is None
    assert again.lead == reopened.lead


@pytest.mark.parametrize("status", ["ai_evaluated", "manual_review"])
def test_where_no_person_has_decided_there_is_nothing_to_take_back(api, db, status):
    put(api)
    judge(db, status)

    assert put(api, status="new").lead["status"] == status


def judge(db, status):
    """The lead as an evaluation leaves it."""
    judged = "UPDATE leads SET status = ?1, ai_score = 85, latest_evaluation_id = 'evaluation_1'"
    db.prepare(judged).bind(status).run()


def test_another_decision_is_made_when_it_is_made(api):
    put(api, status="approved")

    assert put(api, now=LATER, status="withdrawn").lead["decided_at"] == LATER


def test_a_lead_may_be_decided_when_it_is_created(api):
    done = put(api, status="rejected")

    assert (done.created, done.lead["status"], done.lead["decided_at"]) == (True, "rejected", NOW)


def test_what_is_another_s_is_not_there(api, db):
    add_tenant(db, "tenant_b")
    add_site(db, "site_b", tenant_id="tenant_b")
    add_site(db, "site_a2")
    add_lead(db, "lead_b", site_id="site_b", tenant_id="tenant_b")
    add_lead(db, "lead_a2", site_id="site_a2")

    for lead_id, site_id, refusal in (
        ("lead_b", "site_a", LeadNotFound),
        ("lead_b", "site_b", SiteNotFound),
        ("lead_a2", "site_a", LeadNotFound),
        ("lead_1", "site_b", SiteNotFound),
        ("lead_1", "nowhere", SiteNotFound),
    ):
        with pytest.raises(refusal):
            put(api, Which(lead_id, "tenant_a", site_id), first_name="Stolen")
        with pytest.raises(refusal):
            leads.read(api, Which(lead_id, "tenant_a", site_id))
    assert db.prepare("SELECT DISTINCT first_name FROM leads").raw() == [("Robin",)]
    assert count_rows(db, "leads") == 2


def test_a_deleted_lead_is_gone_for_good(api, db):
    put(api, first_name="Robin")
    db.prepare("UPDATE leads SET status = 'deleted', deleted_at = ?1").bind(NOW).run()

    with pytest.raises(LeadDeleted):
        put(api, first_name="Robin")
    with pytest.raises(LeadDeleted):
        leads.read(api, LEAD)


def test_of_those_who_put_a_lead_at_once_one_creates_it_and_all_change_it(api):
    outcomes = in_parallel(lambda number: put(api, first_name=f"Robin {number}"), range(20))

    assert sum(done.created for done in outcomes) == 1
    assert {done.lead["first_name"] for done in outcomes} == {f"Robin {number}" for number in range(20)}
