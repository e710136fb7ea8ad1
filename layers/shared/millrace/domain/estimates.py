"""When a job will be done, judged by what the latest ones took."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from millrace.domain.jobs import PROMISE

# How many of the latest are asked, and how many in a hundred of them took no longer than we say.
LATEST = 20
PERCENT = 80
# What is said of a job that takes longer than it should: whatever was missed is found within a minute.
SOON = timedelta(minutes=1)


def estimate_completion(
    *, requested_at: datetime, due_at: datetime, durations: Sequence[timedelta], now: datetime
) -> datetime:
    """Never in the past, and not after the promise as long as that can be kept.

    `due_at`: when it may begin, which for one that waits for its retry is later than it was requested.
    """
    expected = due_at + usual(durations)
    if expected <= now:
        expected = now + SOON
    promised = requested_at + PROMISE
    return min(expected, promised) if promised > now and promised >= due_at else expected


def usual(durations: Sequence[timedelta]) -> timedelta:
    """What four of five took no longer than. Where nothing is known, the promise."""
    if not durations:
        return PROMISE
    return max(sorted(durations)[ceil(len(durations) * PERCENT / 100) - 1], timedelta(0))
