"""The claim stays flat: it reads live jobs alone, however many have ended and whatever is known of them."""

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.store import claiming
from tests.databases import on_postgres, on_sqlite
from tests.factories import NOW, accept_job, add_house, add_lead, claim_job, complete_job

ENDED, WAITING = 4_000, 400


@pytest.fixture
def busy(database):
    """Much history. PostgreSQL knows it from a quiet hour, when nothing was waiting; SQLite knows nothing."""
    db = database.open(role=None)
    add_house(db, evaluations_a_month=100_000)
    accept_job(db, add_lead(db))
    complete_job(db, claim_job(db))
    copy_jobs(db, count=ENDED)
    if db.dialect == "postgres":
        db.prepare("ANALYZE").run()
    for _ in range(WAITING):
        accept_job(db, add_lead(db))
    return db


def copy_jobs(db, *, count):
    """Ended jobs like the one there is."""
    columns = [name for name in db.prepare("SELECT * FROM ai_evaluation_jobs").first() if name != "id"]
    db.prepare(f"""
        WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
        INSERT INTO ai_evaluation_jobs (id, {", ".join(columns)})
        SELECT 'ended_' || n, {", ".join(columns)} FROM ai_evaluation_jobs CROSS JOIN numbers
    """).run()


def plan_of(db, *, word):
    """How the database would run the claim and the rescue's look."""
    claim = db.prepare(f"{word} {claiming.claim_sql(EVALUATION, dialect=db.dialect)}")
    lines = claim.bind(NOW, NOW, "worker", "move", 7).raw()
    return "\n".join(str(line) for line in lines)


@on_postgres
def test_on_postgresql_the_claim_probes_the_index_of_waiting_jobs_and_sorts_none(busy):
    plan = plan_of(busy, word="EXPLAIN")

    assert "idx_ai_jobs_pending" in plan
    assert "Seq Scan on ai_evaluation_jobs" not in plan
    assert "one_live_job_per_lead" not in plan


@on_sqlite
def test_on_sqlite_the_claim_reads_only_the_indexes_of_live_jobs(busy):
    plan = plan_of(busy, word="EXPLAIN QUERY PLAN")

    assert "idx_ai_jobs_pending" in plan
    assert "idx_ai_jobs_locked" in plan
    assert "AUTOMATIC PARTIAL" not in plan
    scans = [line for line in plan.splitlines() if "SCAN ai_evaluation_jobs" in line]
    assert all("INDEX" in line for line in scans)
