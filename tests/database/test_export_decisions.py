"""What people decide about exports: no more of one, gone, once more; and what that does to its charge."""

import pytest

from millrace.domain.jobs import EXPORT
from millrace.errors import ExportAlreadyRunning, JobNotFailed, JobNotFound, ProcessingError
from millrace.store import export_orders, exports, jobs
from tests.export_orders import accept_export, add_footage, gpu_seconds
from tests.factories import BY, NOW, count_rows, new_id

# A GPU has to be started, and renders a hundred seconds in two hundred.
ESTIMATE = 20 + 200


@pytest.fixture
def footage(db):
    return add_footage(db)


def read(db, job_id):
    return exports.read(db, job_id, tenant_id="tenant_a")


def fail_for_good(db, *, now=NOW):
    """The one job that is due, ended by a failure that no retry is left for."""
    db.prepare("UPDATE export_jobs SET max_retries = 0").run()
    job = jobs.claim(db, EXPORT, worker_id="worker", move_id=new_id("move"), now=now)
    error = ProcessingError("lost")
    assert jobs.fail(db, EXPORT, job, error=error, move_id=new_id("move"), now=now, jitter=0.0)


def retry(db, job_id, *, now=NOW, **given):
    whose = {"tenant_id": "tenant_a", "person": "bob"} | given
    return export_orders.retry(db, job_id, move_id=new_id("move"), now=now, **whose)


def cancel(db, job_id, *, tenant_id="tenant_a", move_id=None):
    move_id = move_id or new_id("move")
    return export_orders.cancel(db, job_id, tenant_id=tenant_id, person="bob", move_id=move_id, now=NOW)


def test_what_was_cancelled_before_a_gpu_was_asked_is_given_back(db, footage):
    job_id = accept_export(db, footage)

    row = cancel(db, job_id, move_id="move_of_bob")

    assert (row["status"], row["last_move_id"]) == ("cancelled", "move_of_bob")
    assert gpu_seconds(db) == (0, 0)


def test_a_second_cancel_changes_nothing(db, footage):
    job_id = accept_export(db, footage)
    cancel(db, job_id)

    row = cancel(db, job_id, move_id="second")

    assert row["status"] == "cancelled"
    assert row["last_move_id"] != "second"


def test_an_export_of_another_tenant_is_neither_cancelled_nor_retried(db, footage):
    job_id = accept_export(db, footage)

    with pytest.raises(JobNotFound):
        cancel(db, job_id, tenant_id="tenant_b")
    with pytest.raises(JobNotFound):
        retry(db, job_id, tenant_id="tenant_b")

    assert read(db, job_id)["status"] == "pending"


def test_a_failed_export_is_run_again_and_charged_again(db, footage):
    job_id = accept_export(db, footage)
    fail_for_good(db)
    assert gpu_seconds(db) == (0, 0)

    facts = retry(db, job_id).facts

    row = read(db, job_id)
    assert (row["status"], row["charge_round"], row["error"]) == ("pending", 1, None)
    assert facts["job_id"] == job_id
    assert gpu_seconds(db) == (ESTIMATE, ESTIMATE)


def test_only_a_failed_export_is_run_again(db, footage):
    job_id = accept_export(db, footage)

    with pytest.raises(JobNotFailed) as refused:
        retry(db, job_id)

    assert refused.value.facts == {"status": "pending"}


def test_a_failed_export_is_not_run_again_beside_the_very_same_one(db, footage):
    failed = accept_export(db, footage)
    fail_for_good(db)
    live = accept_export(db, footage)

    with pytest.raises(ExportAlreadyRunning) as refused:
        retry(db, failed)

    assert refused.value.facts == {"job_id": live}
    assert gpu_seconds(db) == (ESTIMATE, ESTIMATE)


def test_a_final_export_is_removed_and_its_timeline_and_charges_stay(db, footage):
    job_id = accept_export(db, footage)
    row = cancel(db, job_id)

    removed = export_orders.remove(db, row, by=BY, move_id=new_id("move"), now=NOW)

    assert removed
    assert count_rows(db, "export_jobs") == 0
    told = db.prepare("SELECT move, detail FROM job_events WHERE job_id = ?1 ORDER BY id").bind(job_id).all()
    assert [event["move"] for event in told.results] == ["create", "cancel", "remove"]
    assert told.results[-1]["detail"]["person"] == "user_xyz"
    (noted,) = db.prepare("SELECT action, subject, before, after FROM audit_log").raw()
    assert noted == (
        "job_deleted", job_id, {"kind": "export", "status": "cancelled"}, {"status": "deleted"},
    )  # fmt: skip
    assert count_rows(db, "quota_entries") == 2
    assert count_rows(db, "videos") == 1


def test_an_export_that_has_moved_on_is_not_removed(db, footage):
    job_id = accept_export(db, footage)
    waiting = read(db, job_id)
    fail_for_good(db)
    failed = read(db, job_id)
    retry(db, job_id)

    for seen in (waiting, failed):
        assert not export_orders.remove(db, seen, by=BY, move_id=new_id("move"), now=NOW)

    assert read(db, job_id)["status"] == "pending"
