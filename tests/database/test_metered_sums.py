"""Calls add up exactly, however large they are, whoever records at once and whatever is recorded twice."""

from millrace.store import spend_drift
from tests.factories import add_tenant, count_rows
from tests.metered import CALLS, counted, meter

# `make metered` has a million of them.
ATTEMPTS = 30
THREADS = 4


def test_each_user_s_days_are_the_exact_sums_of_their_calls(db):
    add_tenant(db)

    wanted = meter(db, ATTEMPTS, threads=THREADS)

    assert counted(db) == wanted
    assert count_rows(db, "usage_records") == ATTEMPTS * CALLS
    found = spend_drift.find_used(db)
    assert (found.drifting, found.listed) == (0, [])
