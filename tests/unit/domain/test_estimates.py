"""An estimate goes by the latest jobs, keeps the promise while it can, and is never in the past."""

from datetime import timedelta

import pytest

from millrace.domain.estimates import SOON, estimate_completion, usual
from tests.factories import NOW

HOUR = timedelta(hours=1)


def seconds(*counts):
    return [timedelta(seconds=count) for count in counts]


def estimate(*, durations=(), after=0.0, due_after=0.0):
    """How long after the request the job will be done, asked so many seconds after it."""
    at = estimate_completion(
        requested_at=NOW,
        due_at=NOW + timedelta(seconds=due_after),
        durations=seconds(*durations),
        now=NOW + timedelta(seconds=after),
    )
    return at - NOW


def test_where_nothing_is_known_it_is_the_promise_of_an_hour():
    assert estimate() == HOUR


@pytest.mark.parametrize(
    ("durations", "expected"),
    [((7,), 7), ((1, 9), 9), ((5, 1, 4, 2, 3), 4), (range(1, 21), 16), ((2, 2, 2, 2, 900), 2)],
)
def test_four_of_five_took_no_longer(durations, expected):
    assert usual(seconds(*durations)) == timedelta(seconds=expected)


def test_clocks_that_disagree_do_not_end_a_job_before_it_began():
    assert usual(seconds(-3)) == timedelta(0)


def test_the_usual_time_counts_from_when_the_job_is_due():
    assert estimate(durations=[8]) == timedelta(seconds=8)
    assert estimate(durations=[8], due_after=30) == timedelta(seconds=38)


def test_slow_jobs_do_not_stretch_the_promise():
    assert estimate(durations=[2 * 3600]) == HOUR
    assert estimate(durations=[8], due_after=3600) == HOUR


def test_a_job_that_must_wait_beyond_the_promise_is_not_expected_before_it_is_due():
    assert estimate(durations=[8], after=3000, due_after=3900) == timedelta(seconds=3908)


def test_what_takes_longer_than_usual_is_expected_soon():
    assert estimate(durations=[8], after=20) == timedelta(seconds=20) + SOON


def test_what_takes_longer_than_usual_may_still_keep_the_promise():
    assert estimate(durations=[8], after=3590) == HOUR


def test_when_the_promise_is_broken_it_is_expected_soon():
    assert estimate(after=3600) == HOUR + SOON
    assert estimate(durations=[8], after=7200) == 2 * HOUR + SOON


def test_a_job_that_is_run_again_long_after_it_was_requested_has_the_usual_time_anew():
    assert estimate(durations=[8], after=86_400, due_after=86_400) == timedelta(seconds=86_408)
    assert estimate(after=86_400, due_after=86_400) == timedelta(seconds=86_400) + HOUR
