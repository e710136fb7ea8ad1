"""The questions about enrichments, with rows that would divide by zero, overflow or misorder."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from millrace.domain.money import from_dollars, to_dollars
from millrace.errors import JobNotFound
from millrace.store import enrichments
from tests.factories import NOW
from tests.valid_rows import add_all, add_row

TODAY, YESTERDAY = date(2025, 12, 17), date(2025, 12, 16)
DAY = timedelta(days=1)
# What a DECIMAL(10, 6) cannot hold.
TEN_THOUSAND = from_dollars(Decimal(10_000))


@pytest.fixture
def enrichment_db(db):
    """A tenant with a job and one waiting record."""
    add_all(db, until="enrichment_cache")
    return db


def add_job(db, job_id, **facts):
    ended = {"status": "completed", "completed_at": NOW}
    return add_row(db, "enrichment_jobs", id=job_id, **(ended | facts))


def add_record(db, number, status, **facts):
    place = {"id": f"record_{number}", "record_index": number, "processed_at": NOW}
    return add_row(db, "enrichment_records", status=status, **(place | facts))


def test_a_job_is_read_with_what_its_records_have_come_to(enrichment_db):
    for number, status in enumerate(["enriched", "enriched", "failed", "skipped"], start=1):
        add_record(enrichment_db, number, status)
    enrichment_db.prepare("UPDATE enrichment_jobs SET total_records = 6, processed_records = 4").run()

    job = enrichments.read(enrichment_db, "enrichment_a", tenant_id="tenant_a")

    assert (job["total_records_actual"], job["enriched_count"], job["failed_count"]) == (5, 2, 1)
    assert job["progress_percentage"] == 66.67
    assert job["options"] == {}
    assert job["created_at"] == NOW


def test_a_job_without_records_has_no_progress_and_divides_by_nothing(enrichment_db):
    add_job(enrichment_db, "empty")

    job = enrichments.read(enrichment_db, "empty", tenant_id="tenant_a")

    assert job["progress_percentage"] is None
    assert (job["total_records_actual"], job["enriched_count"], job["failed_count"]) == (0, 0, 0)


def test_a_job_of_another_tenant_is_not_found(enrichment_db):
    with pytest.raises(JobNotFound):
        enrichments.read(enrichment_db, "enrichment_a", tenant_id="tenant_b")


def test_the_cost_report_counts_the_last_thirty_days_to_the_moment(enrichment_db):
    cost = {"actual_cost_microusd": 3, "total_records": 2}
    add_job(enrichment_db, "now", created_at=NOW, **cost)
    add_job(enrichment_db, "this_morning", created_at=NOW - timedelta(hours=10), **cost)
    add_job(enrichment_db, "last_night", created_at=NOW - timedelta(hours=10, microseconds=1), **cost)
    add_job(enrichment_db, "just_in_time", created_at=NOW - 30 * DAY, **cost)
    add_job(enrichment_db, "too_old", created_at=NOW - 30 * DAY - timedelta(microseconds=1), **cost)
    add_job(enrichment_db, "failed", status="failed", **cost)

    report = enrichments.report_cost(enrichment_db, tenant_id="tenant_a", now=NOW)

    assert [tuple(row.values()) for row in report] == [
        (TODAY, 6, 2, 4),
        (YESTERDAY, 3, 1, 2),
        (date(2025, 11, 17), 3, 1, 2),
    ]


def test_a_day_may_cost_more_than_ten_thousand_dollars(enrichment_db):
    for number in range(3):
        add_job(enrichment_db, f"dear_{number}", actual_cost_microusd=TEN_THOUSAND + 1)

    (day,) = enrichments.report_cost(enrichment_db, tenant_id="tenant_a", now=NOW)

    assert str(to_dollars(day["daily_cost_microusd"])) == "30000.000003"


def test_what_each_provider_was_used_for_is_summed_by_day(enrichment_db):
    for number, (provider, at, tokens, took) in enumerate(
        [("openai", NOW, 10, 100), ("openai", NOW, None, None), ("openai", NOW, 5, 50),
         ("duckduckgo", NOW, None, None), ("openai", NOW - DAY, 7, 30), ("openai", NOW - 31 * DAY, 1, 1)]
    ):  # fmt: skip
        facts = {"provider": provider, "created_at": at, "tokens_used": tokens, "response_time_ms": took}
        add_row(enrichment_db, "api_usage", id=f"call_{number}", cost_microusd=TEN_THOUSAND, **facts)

    report = enrichments.report_api_usage(enrichment_db, tenant_id="tenant_a", now=NOW)

    assert [tuple(row.values()) for row in report] == [
        (TODAY, "duckduckgo", 1, None, TEN_THOUSAND, None),
        (TODAY, "openai", 3, 15, 3 * TEN_THOUSAND, 75.0),
        (YESTERDAY, "openai", 1, 7, TEN_THOUSAND, 30.0),
    ]


def test_the_success_rate_counts_what_was_tried_by_day(enrichment_db):
    midnight = NOW.replace(hour=0)
    for number, (status, at) in enumerate(
        [("enriched", NOW), ("enriched", midnight), ("failed", NOW), ("skipped", NOW),
         ("failed", midnight - timedelta(microseconds=1))], start=1,
    ):  # fmt: skip
        add_record(enrichment_db, number, status, created_at=at)

    report = enrichments.report_success(enrichment_db, tenant_id="tenant_a", now=NOW)

    assert [tuple(row.values()) for row in report] == [(TODAY, 3, 2, 1, 66.67), (YESTERDAY, 1, 0, 1, 0.0)]


@pytest.mark.parametrize("report", ["report_cost", "report_api_usage", "report_success"])
def test_with_nothing_done_a_report_has_no_day(enrichment_db, report):
    assert getattr(enrichments, report)(enrichment_db, tenant_id="tenant_a", now=NOW) == []
