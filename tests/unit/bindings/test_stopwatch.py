import time

import pytest

from millrace.bindings import stopwatch
from millrace.bindings.stopwatch import Deadline


@pytest.fixture
def at(monkeypatch):
    """The stopwatch shows this, until it is changed."""
    at = [1_000.0]
    monkeypatch.setattr(stopwatch, "seconds", lambda: at[0])
    return at


def test_time_counts_while_the_machine_is_suspended():
    # macOS's monotonic clock does.
    assert getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC) == stopwatch.CLOCK


def test_time_goes_on():
    assert stopwatch.seconds() <= stopwatch.seconds()


def test_a_deadline_leaves_less_and_less_and_then_nothing(at):
    deadline = Deadline(10)

    at[0] += 4
    assert (deadline.left(), deadline.left(most=5), deadline.is_over) == (6, 5, False)
    at[0] += 6
    assert deadline.is_over
    with pytest.raises(TimeoutError):
        deadline.left()


def test_without_a_limit_there_is_for_ever_and_still_a_most_for_each_step(at):
    deadline = Deadline(None)

    at[0] += 1e9
    assert (deadline.left(), deadline.left(most=5), deadline.is_over) == (None, 5, False)
