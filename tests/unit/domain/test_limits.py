"""Limits of a key's user: when they begin anew, who is refused, and what is told of them."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from millrace.domain.limits import limits_left
from millrace.domain.quota import (
    EVALUATIONS,
    LIVE_JOBS,
    REQUESTS_A_DAY,
    REQUESTS_A_MINUTE,
    USER_LIMITS,
    refuse_more,
)

DOCUMENT = (Path(__file__).parents[3] / "docs/quotas.md").read_text(encoding="utf-8")
NOW = datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "next_day"),
    [
        ("2025-12-31", "2026-01-01"),
        ("2028-02-28", "2028-02-29"),
        ("2028-02-29", "2028-03-01"),
        ("2027-02-28", "2027-03-01"),
        ("2100-02-28", "2100-03-01"),
    ],
)
def test_a_day_and_its_last_minute_end_together(day: str, next_day: str):
    last = datetime.fromisoformat(f"{day}T23:59:59.999999+00:00")

    assert REQUESTS_A_DAY.period_of(last) == day
    assert REQUESTS_A_MINUTE.period_of(last) == f"{day}T23:59"
    renewed = datetime.fromisoformat(f"{next_day}T00:00:00+00:00")
    assert REQUESTS_A_DAY.resets_at(last) == REQUESTS_A_MINUTE.resets_at(last) == renewed


def test_minutes_and_days_are_those_of_utc_whatever_zone_a_moment_is_told_in():
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert REQUESTS_A_DAY.period_of(there) == "2025-12-31"
    assert REQUESTS_A_DAY.resets_at(there) == datetime(2026, 1, 1, tzinfo=UTC)


def test_periods_sort_as_time_does():
    moments = [NOW + timedelta(seconds=30 * step) for step in range(100)]

    for limit in (REQUESTS_A_DAY, REQUESTS_A_MINUTE):
        periods = [limit.period_of(moment) for moment in moments]
        assert periods == sorted(periods)


def test_who_has_some_left_is_not_refused_and_who_has_more_than_all_is():
    assert refuse_more(REQUESTS_A_DAY, 49, 50, now=NOW) is None
    for used, most in ((50, 50), (70, 50), (0, 0)):
        assert refuse_more(REQUESTS_A_DAY, used, most, now=NOW) is not None


@pytest.mark.parametrize("limit", [limit for limit in USER_LIMITS if limit.window])
def test_whoever_waits_as_long_as_is_said_comes_in_the_next_period(limit):
    refusal = refuse_more(limit, 5, 5, now=NOW)

    later = NOW + timedelta(seconds=int(refusal.headers["Retry-After"]))
    assert limit.period_of(later) > limit.period_of(NOW)


def test_of_live_jobs_nobody_knows_when_one_ends():
    refusal = refuse_more(LIVE_JOBS, 3, 3, now=NOW)

    assert refusal.message == (
        "The limit of 3 live jobs is reached. Repeat the request when one of them has ended."
    )
    assert refusal.facts == {"usage": {"name": "live_jobs", "used": 3, "limit": 3}}
    assert refusal.headers == {"Retry-After": "5"}


def test_of_what_is_not_limited_nothing_is_told():
    assert limits_left({"used": 1, "limit": 20}, at=NOW) is None


def test_what_each_tier_has_is_told_to_people():
    for tier in EVALUATIONS.tiers:
        a_day, tokens, a_minute, live = (f"{limit.tiers[tier]:,}" for limit in USER_LIMITS)
        assert f"| {tier} | {a_minute} | {a_day} | {tokens} | {live} |" in DOCUMENT
