"""A day of spending is one by the clock in UTC, and whoever must wait for money is looked at again soon."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from millrace.domain.spending import look_again_at, next_day, refusal


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

    assert look_again_at(noon, jitter=0.0) == noon + timedelta(minutes=15)
    assert look_again_at(noon, jitter=1.0) == noon + timedelta(minutes=16)


def test_the_new_day_is_not_missed():
    assert look_again_at(utc(2025, 12, 31, 23, 50), jitter=0.0) == utc(2026, 1, 1)


def test_a_refusal_tells_of_dollars_and_of_the_new_day():
    told = refusal(used=99_998_000, limit=100_000_000, now=utc(2025, 12, 17, 23, 59, 30))

    assert told.message == "The spend limit of the day ($100.00) is reached: $0.00 are left."
    assert told.headers == {"Retry-After": "31"}
    assert told.facts["usage"]["resets_at"] == utc(2025, 12, 18)


def test_of_a_limit_that_was_lowered_below_what_is_used_nothing_is_left():
    assert "$0.00 are left" in refusal(used=9, limit=1, now=utc(2025, 12, 17)).message
