"""Faults in the exports' requirements: each shown in their own text, and gone from ours."""

import sqlite3
from datetime import timedelta

import pytest

from millrace.domain.jobs import EXPORT
from millrace.domain.pages import Page
from millrace.errors import JobFailure, ProcessingError
from millrace.store import export_history, exports, jobs
from tests.factories import NOW, new_id
from tests.valid_rows import add_all

FAIL_AS_DESCRIBED = """
UPDATE export_jobs
SET status = CASE WHEN retry_count < 3 THEN 'pending' ELSE 'error' END,
    error = 'lost', retry_count = retry_count + 1
"""
ATTEMPT = {"progress": 40, "runpod_job_id": "gpu_1", "submitted_at": NOW, "provider_deadline_at": NOW}


@pytest.fixture
def described(scratch):
    """An export that a GPU has begun."""
    scratch.executescript("""
        CREATE TABLE export_jobs (
          id TEXT PRIMARY KEY, project_id INTEGER NOT NULL, status TEXT NOT NULL, progress INTEGER NOT NULL,
          error TEXT, retry_count INTEGER NOT NULL DEFAULT 0, runpod_job_id TEXT,
          created_at TEXT NOT NULL DEFAULT (datetime('now')), started_at TEXT, completed_at TEXT);
        CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT);
        INSERT INTO export_jobs (id, project_id, status, progress, runpod_job_id, started_at)
        VALUES ('export', 1, 'processing', 40, 'gpu_1', datetime('now'));
    """)
    return scratch


@pytest.fixture
def exports_db(db):
    add_all(db, until="enrichment_jobs")
    return db


def begin(db, *, now):
    """Claimed, and so far that the GPU has told of progress."""
    job = jobs.claim(db, EXPORT, worker_id="worker", move_id=new_id("move"), now=now)
    assignments = ", ".join(f"{name} = ?{place}" for place, name in enumerate(ATTEMPT, start=1))
    db.prepare(f"UPDATE export_jobs SET {assignments}").bind(*ATTEMPT.values()).run()
    return job


def fail(db, job, *, error, now):
    return jobs.fail(db, EXPORT, job, error=error, move_id=new_id("move"), now=now, jitter=0.0)


def test_without_an_owner_of_projects_a_users_exports_cannot_be_asked_for(described):
    with pytest.raises(sqlite3.OperationalError, match="no such column: user_id"):
        described.execute("""
            SELECT * FROM export_jobs WHERE project_id IN (SELECT id FROM projects WHERE user_id = 'alice')
        """)


def test_a_project_has_an_owner_whose_exports_are_found(exports_db):
    recent = export_history.list_exports(exports_db, tenant_id="tenant_a", user_id="alice", page=Page())

    assert [row["id"] for row in recent] == ["export_a"]


def test_as_described_an_export_ends_in_error_without_an_end(described):
    for _ in range(4):
        described.execute(FAIL_AS_DESCRIBED)

    ended = described.execute("SELECT status, completed_at, retry_count FROM export_jobs").fetchone()
    assert ended == ("error", None, 4)


@pytest.mark.parametrize(
    ("error", "failures", "retries"), [(ProcessingError("lost"), 4, 3), (JobFailure("not a video"), 1, 0)]
)
def test_an_export_that_ends_in_error_says_when_and_how_often_it_was_tried_again(
    exports_db, error, failures, retries
):
    for hour in range(failures):
        at = NOW + timedelta(hours=hour)
        fail(exports_db, begin(exports_db, now=at), error=error, now=at)

    row = exports.read(exports_db, "export_a", tenant_id="tenant_a")
    assert (row["status"], row["retry_count"], row["completed_at"]) == ("error", retries, at)
    assert (row["error"], row["error_code"]) == (error.message, error.code)
    assert row["runpod_job_id"] == "gpu_1"


def test_as_described_a_retry_still_shows_the_attempt_that_failed(described):
    described.execute(FAIL_AS_DESCRIBED)

    left = described.execute("SELECT status, progress, runpod_job_id, started_at FROM export_jobs").fetchone()
    assert left[:3] == ("pending", 40, "gpu_1")
    assert left[3] is not None


def test_a_retry_shows_nothing_of_the_attempt_that_failed(exports_db):
    fail(exports_db, begin(exports_db, now=NOW), error=ProcessingError("lost"), now=NOW)

    row = exports.read(exports_db, "export_a", tenant_id="tenant_a")
    assert (row["status"], row["progress"], row["retry_count"]) == ("pending", 0, 1)
    assert {row[name] for name in (*ATTEMPT, "started_at", "completed_at") if name != "progress"} == {None}


def test_an_export_given_back_shows_nothing_of_its_attempt(exports_db):
    job = jobs.claim(exports_db, EXPORT, worker_id="worker", move_id=new_id("move"), now=NOW)

    assert jobs.release(exports_db, EXPORT, job, move_id=new_id("move"), now=NOW)

    row = exports.read(exports_db, "export_a", tenant_id="tenant_a")
    assert (row["status"], row["progress"], row["started_at"]) == ("pending", 0, None)


def test_an_export_that_a_provider_has_been_asked_for_is_not_given_back(exports_db):
    job = begin(exports_db, now=NOW)

    assert not jobs.release(exports_db, EXPORT, job, move_id=new_id("move"), now=NOW)
    assert jobs.find_held(exports_db, EXPORT, worker_id="worker") is None
