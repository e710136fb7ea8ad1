"""GPU seconds: counter, ledger and exports say the same, whatever was reserved and whatever was used."""

from datetime import timedelta

import pytest

from millrace.domain.jobs import EXPORT
from millrace.domain.quota import GPU_SECONDS
from millrace.errors import InputUnusable, JobFailure, ProcessingError
from millrace.store import drift, export_orders, jobs
from tests.export_orders import accept_export, add_footage, clips_of, gpu_seconds
from tests.factories import BY, NOW, new_id

# As each is estimated: a GPU is started, and renders a hundred seconds in two hundred.
ESTIMATE = 220


def claim(db, *, now=NOW):
    return jobs.claim(db, EXPORT, worker_id="worker", move_id=new_id("move"), now=now)


def complete(db, job, *, seconds, now=NOW):
    columns = {"output_video_key": "out", "gpu_seconds": seconds}
    moved = {"move_id": new_id("move"), "now": now}
    assert jobs.complete(db, EXPORT, job, result=(), columns=columns, **moved)


def fail(db, job, *, error):
    assert jobs.fail(db, EXPORT, job, error=error, move_id=new_id("move"), now=NOW, jitter=0.0)


def cancel(db, job_id):
    return export_orders.cancel(
        db, job_id, tenant_id="tenant_a", person="bob", move_id=new_id("move"), now=NOW
    )


def begin(db, job_id):
    """As a GPU that has started does."""
    db.prepare("""
        UPDATE export_jobs SET submitted_at = ?2, provider_deadline_at = ?2, gpu_started_at = ?2 WHERE id = ?1
    """).bind(job_id, NOW).run()


@pytest.fixture
def studio(db):
    """An export of every ending, and one that was removed afterwards."""
    footage = add_footage(db, tier="pro")

    def accept(name):
        return accept_export(db, footage, params=clips_of(100, name=name))

    for name, seconds in (("sooner than thought", 31), ("later than thought", 400), ("as thought", ESTIMATE)):
        accept(name)
        complete(db, claim(db), seconds=seconds)
    accept("failed")
    fail(db, claim(db), error=JobFailure("not a video"))
    accept("tried again")
    fail(db, claim(db), error=ProcessingError("lost"))
    cancel(db, accept("cancelled before"))
    begin(db, started := accept("cancelled while rendered"))
    removed = cancel(db, started)
    assert export_orders.remove(db, removed, by=BY, move_id=new_id("move"), now=NOW)
    return db


def find(db):
    return drift.find(db, EXPORT, meter=GPU_SECONDS)


def test_whatever_became_of_exports_there_is_no_drift(studio):
    found = find(studio)

    assert (found.listed, found.charges, found.lines) == ([], [], 1)
    used = 31 + 400 + ESTIMATE + ESTIMATE + ESTIMATE
    assert gpu_seconds(studio) == (used, used)


def test_what_a_failure_was_charged_for_stays_charged_when_the_export_is_run_again(db):
    job_id = accept_export(db, add_footage(db))
    moved = {"move_id": new_id("move"), "now": NOW, "jitter": 0.0}
    unusable = InputUnusable("Not a video.")
    assert jobs.fail(db, EXPORT, claim(db), error=unusable, columns={"gpu_seconds": 9}, **moved)
    assert gpu_seconds(db) == (9, 9)

    export_orders.retry(db, job_id, tenant_id="tenant_a", person="bob", move_id=new_id("move"), now=NOW)
    complete(db, claim(db), seconds=31)

    assert gpu_seconds(db) == (40, 40)
    assert (find(db).drifting, find(db).charges) == (0, [])


def test_a_failed_export_that_is_run_again_in_another_month_is_charged_to_that(studio):
    (failed,) = studio.prepare("SELECT id FROM export_jobs WHERE status = 'error'").all().results
    later = NOW + timedelta(days=30)

    export_orders.retry(
        studio, failed["id"], tenant_id="tenant_a", person="bob", move_id=new_id("move"), now=later
    )

    assert gpu_seconds(studio, month="2026-01") == (ESTIMATE, ESTIMATE)
    assert (find(studio).lines, find(studio).drifting) == (2, 0)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE monthly_usage SET used = used + 1",
        "UPDATE quota_entries SET amount = amount + 1 WHERE kind = 'settle'",
        "UPDATE export_jobs SET gpu_seconds = gpu_seconds + 1 WHERE status = 'complete'",
        "UPDATE export_jobs SET status = 'cancelled' WHERE status = 'complete'",
    ],
)
def test_what_was_tampered_with_is_found(studio, sql):
    studio.prepare(sql).run()

    assert find(studio).drifting == 1


def test_another_meter_in_the_same_table_is_another_matter(studio):
    studio.prepare("""
        INSERT INTO monthly_usage (tenant_id, month, meter, used, quota_limit, tier, created_at, updated_at)
        VALUES ('tenant_a', '2025-12', 'something_else', 7, 9, 'free', ?1, ?1)
    """).bind(NOW).run()
    before = gpu_seconds(studio)

    cancel(studio, accept_export(studio, add_footage(studio)))

    assert gpu_seconds(studio) == before
    assert find(studio).drifting == 0
    assert studio.prepare("SELECT used FROM monthly_usage WHERE meter = 'something_else'").first("used") == 7
