"""A million metered calls, through the store, on both databases: `make metered`."""

from tests.factories import add_tenant, count_rows
from tests.metered import CALLS, counted, meter

MILLION = 1_000_000
THREADS = 4


def test_a_million_calls_add_up_exactly(db):
    add_tenant(db)

    wanted = meter(db, MILLION // CALLS, threads=THREADS)

    assert counted(db) == wanted
    assert count_rows(db, "usage_records") == MILLION
