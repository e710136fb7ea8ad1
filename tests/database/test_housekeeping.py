"""What has expired goes, in batches that nobody waits long for."""

from datetime import timedelta

from millrace.store import housekeeping
from tests.factories import NOW, add_tenant, count_rows
from tests.valid_rows import add_row


def add_cached(db, number, *, expires_at):
    add_row(db, "enrichment_cache", id=f"cached_{number}", cache_key=str(number), expires_at=expires_at)


def add_key(db, number, *, expires_at):
    add_row(db, "idempotency_keys", key=str(number), expires_at=expires_at)


def test_what_has_expired_is_deleted_and_the_rest_is_kept(db):
    add_tenant(db)
    for add in (add_cached, add_key):
        add(db, 1, expires_at=NOW - timedelta(days=1))
        add(db, 2, expires_at=NOW)
        add(db, 3, expires_at=NOW + timedelta(microseconds=1))

    deleted = housekeeping.prune(db, now=NOW)

    assert deleted == {"enrichment_cache": 2, "idempotency_keys": 2}
    assert count_rows(db, "enrichment_cache") == count_rows(db, "idempotency_keys") == 1


def test_no_more_than_so_many_batches_are_deleted_at_a_time_the_oldest_first(db):
    for number in range(10):
        add_cached(db, number, expires_at=NOW - timedelta(hours=number))

    deleted = housekeeping.prune(db, now=NOW, batch=2, most_batches=3)

    left = db.prepare("SELECT id FROM enrichment_cache ORDER BY id").raw()
    assert deleted["enrichment_cache"] == 6
    assert left == [(f"cached_{number}",) for number in range(4)]


def test_with_nothing_expired_nothing_is_deleted(db):
    assert housekeeping.prune(db, now=NOW) == {"enrichment_cache": 0, "idempotency_keys": 0}
