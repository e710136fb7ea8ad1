"""Months are those of UTC, and who comes near to a limit is told so."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from millrace import errors
from millrace.domain.quota import (
    EVALUATIONS,
    GPU_SECONDS,
    bounds_of,
    charged_failures,
    failures_of_unknown_cost,
    month_of,
    percentage_of,
    warn,
)
from millrace.errors import JobFailure

DOCUMENT = (Path(__file__).parents[3] / "docs/quotas.md").read_text(encoding="utf-8")
FAILURES = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, JobFailure)]

MONTHS = [
    ("2025-12", 31, "2026-01-01"),
    ("2026-01", 31, "2026-02-01"),
    ("2026-02", 28, "2026-03-01"),
    ("2028-02", 29, "2028-03-01"),
    ("2100-02", 28, "2100-03-01"),
    ("2000-02", 29, "2000-03-01"),
    ("2026-04", 30, "2026-05-01"),
]


@pytest.mark.parametrize(("month", "days", "resets_on"), MONTHS)
def test_a_month_ends_when_the_next_begins(month: str, days: int, resets_on: str):
    begins, ends = bounds_of(month)

    assert begins == datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    assert ends == datetime.fromisoformat(f"{resets_on}T00:00:00+00:00")
    assert ends - begins == timedelta(days=days)


def test_every_month_of_a_century_begins_where_the_one_before_ended():
    moment = datetime(2000, 1, 1, tzinfo=UTC)
    for _ in range(1_200):
        begins, ends = bounds_of(month_of(moment))
        assert begins == moment
        moment = ends

    assert moment == datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("month", "_days", "resets_on"), MONTHS)
def test_the_last_moment_of_a_month_is_of_it_and_the_next_is_not(month: str, _days: int, resets_on: str):
    _, ends = bounds_of(month)

    assert month_of(ends - timedelta(microseconds=1)) == month
    assert month_of(ends) == resets_on[:7]


def test_a_month_is_the_one_in_utc_whatever_zone_a_moment_is_told_in():
    new_year_in_tokyo = datetime(2026, 1, 1, 8, 59, tzinfo=timezone(timedelta(hours=9)))
    new_years_eve_in_new_york = datetime(2025, 12, 31, 19, 0, tzinfo=timezone(timedelta(hours=-5)))

    assert month_of(new_year_in_tokyo) == "2025-12"
    assert month_of(new_years_eve_in_new_york) == "2026-01"


@pytest.mark.parametrize(
    ("used", "limit", "percentage"),
    [(0, 20, 0), (15, 20, 75), (159, 200, 79), (16, 20, 80), (20, 20, 100), (25, 20, 125), (0, 0, 100)],
)
def test_a_warning_comes_from_80_percent_on(used: int, limit: int, percentage: int):
    warning = warn(EVALUATIONS, used=used, limit=limit, period="2025-12")

    assert percentage_of(used, limit=limit) == percentage
    expected = f"{used} of {limit} evaluations of 2025-12 are used." if percentage >= 80 else None
    assert warning == expected


def test_of_our_failures_only_those_that_cost_us_and_are_not_our_fault_are_paid_for():
    ours = {one.__name__ for one in FAILURES}

    assert ours & set(charged_failures()) == {"ModelAnswerInvalid", "InputUnusable"}


def test_after_these_failures_nobody_may_know_what_was_spent():
    ours = {one.__name__ for one in FAILURES}

    assert ours & set(failures_of_unknown_cost()) == {"ModelTimeout", "LeaseExpired"}


def test_kinds_of_kinds_that_are_paid_for_are_found_too():
    class Refused(JobFailure):
        pass

    class RefusedAtACost(Refused):
        keeps_charge = True

    assert list(charged_failures(Refused)) == ["RefusedAtACost"]


def test_what_each_failure_costs_and_each_tier_has_is_told_to_people():
    told = {
        name: "`settle`" in row
        for row in re.findall(r"^\| failed as .*$", DOCUMENT, re.MULTILINE)
        for name in re.findall(r"`([A-Z]\w+)`", row)
    }

    assert told == {one.__name__: one.keeps_charge for one in FAILURES if one is not JobFailure}
    for tier, limit in EVALUATIONS.tiers.items():
        assert f"| {tier} | {limit:,} | {GPU_SECONDS.tiers[tier]:,} |" in DOCUMENT


def test_who_has_used_most_gpu_seconds_is_told_in_words():
    said = warn(GPU_SECONDS, used=480, limit=600, period="2025-12")

    assert said == "480 of 600 gpu seconds of 2025-12 are used."


def test_of_a_counter_that_is_shared_a_meter_takes_its_own_rows():
    assert GPU_SECONDS.its_rows("usage") == " AND usage.meter = 'gpu_seconds'"
    assert EVALUATIONS.its_rows("usage") == ""
