"""The chain of the audit log: what a hash is made of, and where a walk along it ends."""

import re
from datetime import timedelta, timezone
from pathlib import Path
from typing import get_args

import pytest

from millrace.domain.audit import Action, Link, Walk, hash_of
from tests.factories import NOW

ENTRY = {
    "id": "entry_1", "tenant_id": "acme", "created_at": NOW, "action": "key_issued", "subject": "key_1",
    "person": "ada", "key_id": None, "source": "203.0.113.7", "before": {}, "after": {"b": [1], "a": "é"},
    "seal": None,
}  # fmt: skip


def chain(count: int) -> list[dict]:
    entries, link = [], Link()
    for place in range(1, count + 1):
        entry = ENTRY | {"id": f"entry_{place}", "place": place}
        link = Link(place, hash_of(entry, place=place, previous=link.hash))
        entries.append(entry | {"hash": link.hash})
    return entries


def test_a_hash_is_the_same_whatever_the_order_of_the_facts_and_the_clock_s_zone():
    there = timezone(timedelta(hours=2))
    same = ENTRY | {"after": {"a": "é", "b": [1]}, "created_at": NOW.astimezone(there)}

    assert hash_of(same, place=1, previous="") == hash_of(ENTRY, place=1, previous="")


@pytest.mark.parametrize("changed", [name for name in ENTRY if name != "seal"])
def test_whatever_is_changed_changes_the_hash(changed):
    other = {"created_at": NOW + timedelta(microseconds=1), "before": {"a": 1}, "after": {}}
    entry = ENTRY | {changed: other.get(changed, "something else")}

    assert hash_of(entry, place=1, previous="") != hash_of(ENTRY, place=1, previous="")


def test_so_do_the_place_and_the_hash_before_it():
    hashes = {hash_of(ENTRY, place=place, previous=previous) for place in (1, 2) for previous in ("", "a")}

    assert len(hashes) == 4


def test_a_walk_goes_on_where_it_ended():
    entries = chain(5)

    walk = Walk().over(entries[:2]).over(entries[2:]).end(last_seal=5)

    assert (walk.broken, walk.link) == (None, Link(5, entries[-1]["hash"]))


def test_an_empty_chain_is_whole():
    assert Walk().over([]).end(last_seal=0) == Walk()


@pytest.mark.parametrize(
    ("known", "place"),
    [(Link(2, "ab"), 2), (Link(4, "ab"), 4)],
    ids=["another hash", "beyond the end"],
)
def test_what_is_known_of_the_chain_must_be_in_it(known, place):
    walk = Walk(known).over(chain(3)).end(last_seal=3)

    assert walk.broken is not None
    assert walk.broken.place == place


def test_every_action_is_told_of_in_the_manual():
    manual = (Path(__file__).parents[3] / "docs/security.md").read_text()

    assert [action for action in get_args(Action) if not re.search(rf"`{action}`", manual)] == []
