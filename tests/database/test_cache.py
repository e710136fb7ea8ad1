"""What was looked up before is found until it expires, by key and type."""

from datetime import timedelta

from millrace.store import cache
from millrace.store.cache import Finding
from tests.factories import NOW, count_rows, new_id

WEEK = timedelta(days=7)


def keep(db, result, *, lookup_type="website", now=NOW):
    finding = Finding("harbour-bakery", lookup_type, result, 0.9, "web_search")
    cache.keep(db, finding, finding_id=new_id("cached"), now=now, expires_at=now + WEEK)


def find(db, *, lookup_type="website", now=NOW):
    return cache.find(db, "harbour-bakery", lookup_type=lookup_type, now=now)


def test_every_hit_is_counted(db):
    keep(db, {"website": "https://bakery.example"})

    assert [find(db)["hit_count"] for _ in range(3)] == [1, 2, 3]
    assert find(db)["result_data"] == {"website": "https://bakery.example"}


def test_a_hit_counts_only_for_the_type_that_was_looked_up(db):
    keep(db, {"website": "https://bakery.example"})
    keep(db, {"phone": "+1 555 0100"}, lookup_type="contact")

    found = find(db, lookup_type="contact")

    assert (found["result_data"], found["hit_count"]) == ({"phone": "+1 555 0100"}, 1)
    assert find(db)["hit_count"] == 1


def test_nothing_is_found_from_the_moment_it_expires(db):
    keep(db, {"website": "https://bakery.example"})

    assert find(db, now=NOW + WEEK - timedelta(microseconds=1))
    assert find(db, now=NOW + WEEK) is None
    assert find(db, lookup_type="linkedin") is None


def test_what_is_known_anew_takes_the_place_of_the_old(db):
    keep(db, {"website": "https://old.example"})
    find(db)

    keep(db, {"website": "https://new.example"}, now=NOW + WEEK)

    found = find(db, now=NOW + WEEK)
    assert (found["result_data"], found["hit_count"]) == ({"website": "https://new.example"}, 1)
    assert count_rows(db, "enrichment_cache") == 1


def test_that_nothing_was_found_is_known_too(db):
    keep(db, None)

    assert find(db)["result_data"] is None
