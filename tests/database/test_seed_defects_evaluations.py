"""Faults in the evaluations' requirements: each shown in their own text, and gone from ours."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from millrace.errors import JobAlreadyPending, QuotaExceeded
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
    used,
)

AT_ONCE = 64


@pytest.fixture
def described(scratch):
    """The tables and the month's row as the described code makes them."""
    scratch.executescript("""
        CREATE TABLE ai_evaluation_jobs (lead_id TEXT NOT NULL, status TEXT NOT NULL);
        CREATE TABLE ai_evaluation_usage (
          site_id TEXT NOT NULL, month TEXT NOT NULL, evaluation_count INTEGER NOT NULL DEFAULT 0,
          quota_limit INTEGER NOT NULL DEFAULT 20, tier TEXT NOT NULL DEFAULT 'free',
          UNIQUE (site_id, month));
        INSERT INTO ai_evaluation_usage VALUES ('site_a', '2025-12', 0, 20, 'free');
    """)
    return scratch


def test_reading_then_comparing_then_writing_lets_64_through_a_limit_of_20(described):
    read = "SELECT evaluation_count, quota_limit FROM ai_evaluation_usage"

    seen = [described.execute(read).fetchone() for _ in range(AT_ONCE)]
    for lead, (count, limit) in enumerate(seen):
        if count < limit:
            described.execute("INSERT INTO ai_evaluation_jobs VALUES (?, 'pending')", (str(lead),))
            described.execute("UPDATE ai_evaluation_usage SET evaluation_count = evaluation_count + 1")

    assert described.execute(read).fetchone() == (AT_ONCE, 20)


def test_of_64_creates_at_once_the_batch_lets_exactly_20_through(db):
    add_house(db)
    leads = [add_lead(db) for _ in range(AT_ONCE)]

    def accept(lead):
        try:
            return accept_job(db, lead)
        except QuotaExceeded:
            return None

    with ThreadPoolExecutor(16) as pool:
        accepted = [job for job in pool.map(accept, leads) if job]

    assert len(accepted) == count_rows(db, "ai_evaluation_jobs") == used(db) == 20


def test_looking_for_a_live_job_first_lets_two_in(described):
    look = "SELECT 1 FROM ai_evaluation_jobs WHERE lead_id = 'lead' AND status IN ('pending', 'processing')"

    found = [described.execute(look).fetchone() for _ in range(2)]
    for live in found:
        if not live:
            described.execute("INSERT INTO ai_evaluation_jobs VALUES ('lead', 'pending')")

    assert len(described.execute(look).fetchall()) == 2


@pytest.mark.parametrize("force_refresh", [False, True])
def test_a_lead_has_one_live_job_also_by_force(db, force_refresh):
    add_house(db)
    lead = add_lead(db)
    accept_job(db, lead)

    with pytest.raises(JobAlreadyPending):
        accept_job(db, lead, force_refresh=force_refresh)

    assert count_rows(db, "ai_evaluation_jobs") == used(db) == 1


def test_a_month_that_is_born_free_forgets_what_the_site_pays_for(described):
    described.execute("UPDATE ai_evaluation_usage SET quota_limit = 100, tier = 'pro'")

    described.execute("INSERT INTO ai_evaluation_usage VALUES ('site_a', '2026-01', 0, 20, 'free')")

    new_month = described.execute("SELECT quota_limit, tier FROM ai_evaluation_usage WHERE month = '2026-01'")
    assert new_month.fetchone() == (20, "free")


def test_every_month_has_the_tier_of_its_site(db):
    add_tenant(db)
    add_site(db, tier="pro")
    months = [NOW, NOW.replace(year=2026, month=1)]

    for now in months:
        accept_job(db, add_lead(db), now=now)

    rows = db.prepare("SELECT month, quota_limit, tier FROM ai_evaluation_usage ORDER BY month").raw()
    assert rows == [("2025-12", 100, "pro"), ("2026-01", 100, "pro")]


def test_with_one_evaluation_per_lead_a_lead_cannot_be_judged_again(scratch):
    scratch.executescript("""
        CREATE TABLE lead_ai_evaluations (id TEXT PRIMARY KEY, lead_id TEXT NOT NULL UNIQUE);
        INSERT INTO lead_ai_evaluations VALUES ('first', 'lead');
    """)

    with pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE.*lead_id"):
        scratch.execute("INSERT INTO lead_ai_evaluations VALUES ('second', 'lead')")


def test_a_lead_judged_again_keeps_its_history_and_points_at_the_latest(db):
    add_house(db)
    lead = add_lead(db)

    for force_refresh in (False, True):
        accept_job(db, lead, force_refresh=force_refresh)
        complete_job(db, claim_job(db))

    latest = db.prepare("SELECT latest_evaluation_id FROM leads").first("latest_evaluation_id")
    second_job = db.prepare("SELECT evaluation_id FROM ai_evaluation_jobs ORDER BY id DESC").first()
    assert count_rows(db, "lead_ai_evaluations") == 2
    assert latest == second_job["evaluation_id"]
