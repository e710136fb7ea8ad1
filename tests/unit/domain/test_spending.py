"""A day of spending is one by the clock in UTC, and whoever must wait for money is looked at again soon."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from millrace.domain.spending import look_again_at, next_day, refusal, warn_of_spending


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "renewed"),
    [
        (utc(2025, 12, 31, 23, 59, 59), utc(2026, 1, 1)),
        (utc(2024, 2, 28, 12), utc(2024, 2, 29)),
        (utc(2025, 2, 28, 12), utc(2025, 3, 1)),
        (utc(2025, 12, 17), utc(2025, 12, 18)),
        (datetime(2025, 12, 18, 1, tzinfo=timezone(timedelta(hours=2))), utc(2025, 12, 18)),
    ],
)
def test_the_next_day_begins_at_midnight_in_utc(moment, renewed):
    assert next_day(moment) == renewed


def test_it_is_looked_at_again_in_a_quarter_of_an_hour_and_not_by_all_at_once():
    noon = utc(2025, 12, 17, 12)

    assert look_again_at(noon, passes=False, jitter=0.0) == noon + timedelta(minutes=15)
    assert look_again_at(noon, passes=False, jitter=1.0) == noon + timedelta(minutes=16)


def test_what_others_have_set_aside_is_looked_at_again_in_a_minute_or_two():
    noon = utc(2025, 12, 17, 12)

    assert look_again_at(noon, passes=True, jitter=0.0) == noon + timedelta(minutes=1)
    assert look_again_at(noon, passes=True, jitter=1.0) == noon + timedelta(minutes=2)


@pytest.mark.parametrize(("passes", "minute"), [(False, 50), (True, 59)])
def test_the_new_day_is_not_missed(passes, minute):
    late = utc(2025, 12, 31, 23, minute, 30)

    assert look_again_at(late, passes=passes, jitter=0.0) == utc(2026, 1, 1)


def test_a_refusal_tells_of_dollars_and_of_the_new_day():
    spent = {"cost": 5_000, "used": 99_998_000, "set_aside": 0, "limit": 100_000_000}

    told = refusal(**spent, now=utc(2025, 12, 17, 23, 59, 30))

    assert told.message == "The spend limit of the day ($100.00) is reached: $0.00 are left."
    assert (told.headers, told.passes) == ({"Retry-After": "30"}, False)
    assert told.facts["usage"]["resets_at"] == utc(2025, 12, 18)


@pytest.mark.parametrize(("cost", "passes"), [(70_000_000, True), (70_000_001, False)])
def test_it_passes_soon_only_where_there_is_enough_but_for_what_is_set_aside(cost, passes):
    spent = {"used": 90_000_000, "set_aside": 60_000_000, "limit": 100_000_000}

    told = refusal(cost=cost, **spent, now=utc(2025, 12, 17, 12))

    assert told.passes == passes
    assert told.headers == {"Retry-After": "60" if passes else "43200"}
    assert told.facts["usage"]["set_aside_usd"] == 60.0
    assert ("$60.00 are set aside for jobs that run." in told.message) == passes


def test_of_a_limit_that_was_lowered_below_what_is_used_nothing_is_left():
    told = refusal(cost=1, used=9, set_aside=0, limit=1, now=utc(2025, 12, 17))

    assert "$0.00 are left" in told.message


@pytest.mark.parametrize(
    ("facts", "warning"),
    [
        ({"spent": 79_999_999, "spend_limit": 100_000_000}, None),
        (
            {"spent": 80_000_000, "spend_limit": 100_000_000},
            "$80.00 of the $100.00 of 2025-12-17 are spent or set aside.",
        ),
        ({"spent": None, "spend_limit": 100_000_000}, None),
        ({}, None),
    ],
)
def test_most_of_a_day_is_warned_of_where_the_job_costs_money(facts, warning):
    assert warn_of_spending(facts, at=utc(2025, 12, 17)) == warning
