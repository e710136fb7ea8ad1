"""A job is followed with what the latest ones took, and a site's jobs are listed page by page."""

from datetime import timedelta

import pytest

from millrace.domain.pages import Page
from millrace.errors import JobNotFound, SiteNotFound
from millrace.store import evaluation_history
from tests.counting import Counted, plan_of
from tests.factories import (
    NOW,
    accept_job,
    add_house,
    add_lead,
    add_site,
    add_tenant,
    claim_job,
    complete_job,
    evaluation_of,
)

OWN = {"tenant_id": "tenant_a", "site_id": "site_a"}


@pytest.fixture
def house(db):
    add_house(db, evaluations_a_month=1_000)
    return db


def finish(db, *, seconds, now=NOW):
    """A job that was done so long after it was asked for."""
    job_id = accept_job(db, add_lead(db), now=now)
    complete_job(db, claim_job(db, now=now), now=now + timedelta(seconds=seconds))
    return job_id


def listed(db, *, page=None, status=None, lead_id=None, **whose):
    rows, _ = evaluation_history.list_jobs(
        db, **(OWN | whose), status=status, lead_id=lead_id, page=page or Page()
    )
    return [row["id"] for row in rows]


def test_a_job_is_read_with_what_the_latest_ones_took_in_one_round_trip(house):
    finish(house, seconds=7)
    finish(house, seconds=9, now=NOW + timedelta(minutes=1))
    waiting = accept_job(house, add_lead(house))
    counted = Counted(house)

    row, durations = evaluation_history.read(counted, waiting, **OWN)

    assert (row["id"], row["status"], row["score"]) == (waiting, "pending", None)
    assert durations == [timedelta(seconds=9), timedelta(seconds=7)]
    assert len(counted.batches) == 1


def test_only_the_latest_twenty_of_the_site_count(house):
    add_site(house, "site_b")
    for number in range(25):
        finish(house, seconds=1, now=NOW + timedelta(minutes=number))
    lead = add_lead(house, site_id="site_b")
    job_id = accept_job(house, lead, site_id="site_b")

    _, of_here = evaluation_history.read(house, accept_job(house, add_lead(house)), **OWN)
    _, of_there = evaluation_history.read(house, job_id, tenant_id="tenant_a", site_id="site_b")

    assert (len(of_here), of_there) == (20, [])


def test_a_job_that_a_person_had_run_again_tells_nothing_of_the_next(house):
    job_id = finish(house, seconds=7)
    house.prepare("UPDATE ai_evaluation_jobs SET charge_round = 1 WHERE id = ?1").bind(job_id).run()

    assert evaluation_history.read(house, job_id, **OWN)[1] == []


@pytest.mark.parametrize("whose", [{"site_id": "site_b"}, {"tenant_id": "tenant_b"}])
def test_a_job_of_elsewhere_is_not_found(house, whose):
    with pytest.raises(JobNotFound):
        evaluation_history.read(house, finish(house, seconds=1), **(OWN | whose))


def test_the_sites_jobs_are_listed_the_newest_first(house):
    ids = [accept_job(house, add_lead(house), now=NOW + timedelta(seconds=number)) for number in range(3)]

    assert listed(house) == ids[::-1]


def test_pages_hold_every_job_once_also_those_of_one_moment_and_while_more_come(house):
    ids = [accept_job(house, add_lead(house)) for _ in range(5)]

    seen, page = [], Page(limit=2)
    while True:
        rows, _ = evaluation_history.list_jobs(house, **OWN, status=None, lead_id=None, page=page)
        shown, cursor = page.cut(rows, at="requested_at")
        seen += [row["id"] for row in shown]
        if cursor is None:
            break
        page = Page.of(limit=2, cursor=cursor)
        accept_job(house, add_lead(house), now=NOW + timedelta(minutes=len(seen)))

    assert seen == sorted(ids, reverse=True)


def test_jobs_are_listed_by_status_and_by_lead(house):
    done = finish(house, seconds=1)
    lead = add_lead(house)
    waiting = accept_job(house, lead)

    assert listed(house, status="completed") == [done]
    assert listed(house, lead_id=lead) == [waiting]
    assert listed(house, lead_id=lead, status="completed") == []


def test_a_listed_job_has_its_evaluation(house):
    finish(house, seconds=1)

    (row,), _ = evaluation_history.list_jobs(house, **OWN, status=None, lead_id=None, page=Page())

    assert (row["score"], row["label"]) == (evaluation_of().score, "A")


def test_jobs_of_other_sites_and_tenants_are_not_listed(house):
    add_site(house, "site_b")
    add_tenant(house, "tenant_b")
    add_site(house, "site_c", tenant_id="tenant_b")
    accept_job(house, add_lead(house))

    assert listed(house, site_id="site_b") == []
    assert listed(house, tenant_id="tenant_b", site_id="site_c") == []


@pytest.mark.parametrize("whose", [{"site_id": "site_x"}, {"tenant_id": "tenant_b"}])
def test_the_list_of_a_site_that_is_not_theirs_is_refused(house, whose):
    add_tenant(house, "tenant_b")

    with pytest.raises(SiteNotFound):
        listed(house, **whose)


def add_history(db, *, count=4_000):
    """Many jobs of one site, and a few of another."""
    add_site(db, "site_b", evaluations_a_month=1_000)
    for site_id in ("site_a", "site_b"):
        lead = add_lead(db, site_id=site_id)
        accept_job(db, lead, site_id=site_id)
        complete_job(db, claim_job(db))
    copied = [
        name
        for name in db.prepare("SELECT * FROM ai_evaluation_jobs").first()
        if name not in ("id", "requested_at", "completed_at")
    ]
    db.prepare(f"""
        WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
        INSERT INTO ai_evaluation_jobs (id, requested_at, completed_at, {", ".join(copied)})
        SELECT 'old_' || n, ?1, ?1, {", ".join(copied)} FROM ai_evaluation_jobs CROSS JOIN numbers
        WHERE site_id = 'site_a'
    """).bind(NOW - timedelta(days=9)).run()


def statements(db, *, page):
    """What a list sends, in the order of its batch."""
    counted = Counted(db)
    evaluation_history.list_jobs(counted, **OWN, status=None, lead_id=None, page=page)
    (batch,) = counted.batches
    return batch


@pytest.fixture
def long_history(database):
    db = database.open(role=None)
    add_house(db, evaluations_a_month=1_000)
    add_history(db)
    if db.dialect == "postgres":
        db.prepare("ANALYZE").run()
    return db


@pytest.mark.parametrize("cursor", [None, Page(limit=1).cut([{"id": "b", "at": NOW}] * 2, at="at")[1]])
def test_a_page_is_read_from_the_index_in_its_order_however_long_the_history(long_history, cursor):
    _, listing, latest = statements(long_history, page=Page.of(limit=20, cursor=cursor))

    plans = [plan_of(long_history, one) for one in (listing, latest)]
    assert "idx_ai_jobs_newest" in plans[0]
    assert "idx_ai_jobs_recently_completed" in plans[1]
    for plan in plans:
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan
