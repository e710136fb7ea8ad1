"""Counters, ledger and jobs are held against each other, and whatever was tampered with is found."""

from datetime import UTC, datetime

import pytest

from millrace.domain.jobs import EVALUATION, JOB_TABLES, JobTable
from millrace.domain.quota import EVALUATIONS
from millrace.errors import InsufficientDocuments, JobFailure, ModelAnswerInvalid, ModelTimeout
from millrace.store import drift, evaluations, jobs
from tests.factories import (
    NOW,
    accept_job,
    add_house,
    add_lead,
    add_site,
    begin_paid_work,
    claim_job,
    complete_job,
    new_id,
)
from tests.valid_rows import add_row

JANUARY, FEBRUARY = datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
NOTHING, NONSENSE = InsufficientDocuments("none"), ModelAnswerInvalid("nonsense")
LINE = ("subject", "period", "counter_says", "ledger_says", "jobs_say", "wrong_charges")
CHARGE = ("job_id", "charge_round", "period", "ledger_says", "jobs_say")


def find(db, table: JobTable = EVALUATION) -> drift.Drift:
    return drift.find(db, table, meter=EVALUATIONS)


def lines(db) -> list[tuple]:
    return [tuple(row[name] for name in LINE) for row in find(db).listed]


def charges(db) -> list[tuple]:
    return [tuple(row[name] for name in CHARGE) for row in find(db).charges]


def run(db, sql: str) -> None:
    assert db.prepare(sql).run().meta.changes == 1


def fail_next(db, error: JobFailure, *, now=NOW) -> None:
    move = {"move_id": new_id("move"), "now": now, "jitter": 0.0}
    assert jobs.fail(db, EVALUATION, claim_job(db, now=now), error=error, **move)


def cancel(db, job_id: str) -> None:
    assert jobs.cancel(db, EVALUATION, job_id, tenant_id="tenant_a", move_id=new_id("move"), now=NOW)


def retry(db, job_id: str, *, now=NOW) -> None:
    evaluations.retry(db, job_id, tenant_id="tenant_a", move_id=new_id("move"), now=now)


def lived_in(db) -> dict[str, str]:
    """A job of every ending, and two that were retried in later months: their ids."""
    ids = {}

    def accept(name: str) -> str:
        ids[name] = accept_job(db, add_lead(db))
        return ids[name]

    accept("completed")
    assert complete_job(db, claim_job(db))
    accept("failed, free")
    fail_next(db, NOTHING)
    accept("failed, paid")
    fail_next(db, NONSENSE)
    cancel(db, accept("cancelled, free"))
    job_id = accept("cancelled, paid")
    assert begin_paid_work(db, claim_job(db))
    cancel(db, job_id)
    for name, failure in (("retried, free", NOTHING), ("retried, paid", NONSENSE)):
        job_id = accept(name)
        fail_next(db, failure)
        retry(db, job_id, now=JANUARY)
        fail_next(db, failure, now=JANUARY)
        retry(db, job_id, now=FEBRUARY)
    assert complete_job(db, claim_job(db, now=FEBRUARY), now=FEBRUARY)
    accept("running")
    claim_job(db)
    accept("pending")
    return ids


@pytest.fixture
def house(db) -> dict[str, str]:
    add_house(db)
    return lived_in(db)


def test_where_nothing_was_sold_there_is_nothing_to_compare(db):
    add_house(db)

    assert find(db) == drift.Drift(lines=0, drifting=0, listed=[], charges=[])


def test_whatever_became_of_jobs_there_is_no_drift(db, house):
    found = find(db)

    assert (found.listed, found.charges) == ([], [])
    assert (found.lines, found.drifting) == (3, 0)


def test_a_failure_that_is_to_be_tried_again_is_charged_meanwhile(db):
    add_house(db)
    accept_job(db, add_lead(db))
    fail_next(db, ModelTimeout("slow"))

    assert lines(db) == []


@pytest.mark.parametrize(("by", "counter"), [(1, 7), (-1, 5)])
def test_a_counter_too_high_or_too_low_is_found(db, house, by, counter):
    run(
        db,
        f"UPDATE ai_evaluation_usage SET evaluation_count = evaluation_count + {by} WHERE month = '2025-12'",
    )

    assert lines(db) == [("site_a", "2025-12", counter, 6, 6, 0)]
    assert charges(db) == []
    assert find(db).drifting == 1


def test_a_counter_that_is_gone_is_found(db, house):
    run(db, "DELETE FROM ai_evaluation_usage WHERE month = '2025-12'")

    assert lines(db) == [("site_a", "2025-12", 0, 6, 6, 0)]


def test_a_counter_of_a_site_that_was_sold_nothing_is_found(db, house):
    add_site(db, "site_b")
    row = {"id": "usage_b", "site_id": "site_b", "month": "2025-12", "evaluation_count": 1}
    add_row(db, "ai_evaluation_usage", tenant_id="tenant_a", **row)

    assert lines(db) == [("site_b", "2025-12", 1, 0, 0, 0)]


@pytest.mark.parametrize(
    ("name", "left", "says"),
    [
        ("pending", "nothing", "reserve"),
        ("running", "nothing", "reserve"),
        ("completed", "settle", "reserve, settle"),
        ("failed, free", "release", "reserve, release"),
    ],
)
def test_a_missing_reserve_is_found(db, house, name, left, says):
    run(db, f"DELETE FROM quota_entries WHERE job_id = '{house[name]}' AND kind = 'reserve'")

    owed = 6
    assert lines(db) == [("site_a", "2025-12", 6, 5, owed, 1)]
    assert charges(db) == [(house[name], 0, "2025-12", left, says)]


@pytest.mark.parametrize(
    ("name", "round_", "period", "says", "ledger"),
    [
        ("completed", 0, "2025-12", "reserve, settle", 6),
        ("failed, paid", 0, "2025-12", "reserve, settle", 6),
        ("cancelled, paid", 0, "2025-12", "reserve, settle", 6),
        ("failed, free", 0, "2025-12", "reserve, release", 7),
        ("cancelled, free", 0, "2025-12", "reserve, release", 7),
        ("retried, free", 0, "2025-12", "reserve, release", 7),
        ("retried, free", 1, "2026-01", "reserve, release", 2),
        ("retried, paid", 1, "2026-01", "reserve, settle", 1),
    ],
)
def test_a_missing_ending_is_found_also_of_before_a_retry(db, house, name, round_, period, says, ledger):
    run(
        db,
        f"DELETE FROM quota_entries WHERE job_id = '{house[name]}' AND charge_round = {round_} "
        "AND kind <> 'reserve'",
    )

    assert charges(db) == [(house[name], round_, period, "reserve", says)]
    ((_, month, counter, found, jobs_say, wrong),) = lines(db)
    assert (month, found, wrong) == (period, ledger, 1)
    assert counter == jobs_say


@pytest.mark.parametrize(
    ("name", "round_", "period"),
    [("failed, paid", 0, "2025-12"), ("retried, paid", 0, "2025-12"), ("retried, paid", 1, "2026-01")],
)
def test_a_release_where_the_error_table_says_keep_is_found(db, house, name, round_, period):
    run(
        db,
        f"UPDATE quota_entries SET kind = 'release', amount = -1 WHERE job_id = '{house[name]}' "
        f"AND charge_round = {round_} AND kind = 'settle'",
    )
    run(
        db, f"UPDATE ai_evaluation_usage SET evaluation_count = evaluation_count - 1 WHERE month = '{period}'"
    )

    assert charges(db) == [(house[name], round_, period, "reserve, release", "reserve, settle")]
    ((_, month, counter, ledger, jobs_say, wrong),) = lines(db)
    assert (month, wrong) == (period, 1)
    assert counter == ledger == jobs_say - 1


def test_a_charge_kept_where_the_error_table_says_release_is_found(db, house):
    job_id = house["failed, free"]
    ending = f"job_id = '{job_id}' AND kind = 'release'"
    run(db, f"UPDATE quota_entries SET kind = 'settle', amount = 0 WHERE {ending}")

    assert charges(db) == [(job_id, 0, "2025-12", "reserve, settle", "reserve, release")]


def test_an_ending_of_a_job_that_still_runs_is_found(db, house):
    job_id = house["running"]
    run(
        db,
        f"INSERT INTO quota_entries SELECT meter, subject, period, tenant_id, job_id, charge_round, call, "
        f"'settle', 0, used_after, limit_then, created_at FROM quota_entries WHERE job_id = '{job_id}'",
    )

    assert lines(db) == [("site_a", "2025-12", 6, 6, 6, 1)]
    assert charges(db) == [(job_id, 0, "2025-12", "reserve, settle", "reserve")]


def plant(
    db, *, job_id: str, charge_round: int = 0, site_id: str = "site_a", period: str = "2025-12"
) -> None:
    db.prepare("""
        INSERT INTO quota_entries (meter, subject, period, tenant_id, job_id, charge_round, kind, amount,
                                   used_after, limit_then, created_at)
        VALUES ('evaluations', ?1, ?2, 'tenant_a', ?3, ?4, 'reserve', 1, 1, 20, ?5)
    """).bind(site_id, period, job_id, charge_round, NOW).run()


def test_an_entry_of_a_job_that_never_was_is_found(db, house):
    plant(db, job_id="job_of_nobody")

    assert lines(db) == [("site_a", "2025-12", 6, 7, 6, 1)]
    assert charges(db) == [("job_of_nobody", 0, "2025-12", "reserve", "nothing")]


def test_an_entry_of_a_round_that_a_job_has_not_come_to_is_found(db, house):
    plant(db, job_id=house["completed"], charge_round=1)

    assert charges(db) == [(house["completed"], 1, "2025-12", "reserve", "nothing")]


def test_what_was_charged_to_another_site_or_month_is_found_on_both_sides(db, house):
    add_site(db, "site_b")
    job_id = house["pending"]
    run(db, f"UPDATE quota_entries SET subject = 'site_b' WHERE job_id = '{job_id}'")

    assert lines(db) == [("site_a", "2025-12", 6, 5, 6, 1), ("site_b", "2025-12", 0, 1, 0, 1)]
    assert charges(db) == [
        (job_id, 0, "2025-12", "nothing", "reserve"),
        (job_id, 0, "2025-12", "reserve", "nothing"),
    ]


def test_what_a_job_was_charged_that_is_gone_is_the_ledgers_to_say(db, house):
    run(db, f"DELETE FROM ai_evaluation_jobs WHERE id = '{house['cancelled, paid']}'")
    run(db, f"DELETE FROM ai_evaluation_jobs WHERE id = '{house['failed, free']}'")

    assert find(db).drifting == 0


def test_what_is_listed_has_an_end_and_what_is_wrong_is_counted(db, house):
    for number in range(drift.MOST_LISTED + 1):
        plant(db, job_id=f"job_of_nobody_{number:03}", period=f"{number:04}-01")

    found = find(db)

    assert (found.drifting, found.lines) == (drift.MOST_LISTED + 1, drift.MOST_LISTED + 4)
    assert len(found.listed) == len(found.charges) == drift.MOST_LISTED


def test_the_tables_that_sell_something_are_compared():
    assert [kind for kind, table in JOB_TABLES.items() if table.meter] == ["evaluation", "export"]
