"""Many hands on one key at once: one of them makes a key, one writes down that it was used."""

from datetime import timedelta

import pytest

from millrace.domain.idempotency import IdempotencyKey
from millrace.store import holders, keys
from millrace.store.keys import NewKey
from tests.counting import Counted
from tests.database.test_races import codes, in_parallel
from tests.factories import BY, NOW, add_key, add_tenant, count_rows, new_id

HANDS = 8


@pytest.fixture
def key_id(db) -> str:
    add_tenant(db)
    return add_key(db, "hash")


def new_key() -> NewKey:
    key_id = new_id("key")
    return NewKey(key_id, key_id, "mrk_live_", "user_a", "tenant_a", "A key", ["evaluations:read"])


def together(do) -> dict[str, int]:
    return dict(codes(in_parallel(lambda _: do(), range(HANDS))))


def replace(db, key_id, *, once=None):
    until = NOW + timedelta(hours=1)
    keys.replace(db, key_id, new_key(), until=until, by=BY, now=NOW, issuer_id=key_id, once=once)


def test_a_key_that_many_rotate_at_once_has_one_successor(db, key_id):
    assert together(lambda: replace(db, key_id)) == {"accepted": 1, "KeyEnded": HANDS - 1}

    assert count_rows(db, "api_keys") == 2
    old = db.prepare("SELECT replaced_by, expires_at FROM api_keys WHERE id = ?1").bind(key_id).first()
    successor = db.prepare("SELECT id FROM api_keys WHERE id <> ?1").bind(key_id).first("id")
    assert dict(old) == {"replaced_by": successor, "expires_at": NOW + timedelta(hours=1)}


@pytest.mark.parametrize("act", ["issue", "replace"])
def test_a_request_that_comes_many_times_at_once_makes_one_key(db, key_id, act):
    once = IdempotencyKey("once", "the same")

    def ask() -> None:
        if act == "replace":
            replace(db, key_id, once=once)
        else:
            keys.issue(db, new_key(), issuer_id=key_id, by=BY, now=NOW, once=once)

    assert together(ask) == {"accepted": 1, "KeyShownAlready": HANDS - 1}
    assert count_rows(db, "api_keys") == 2


def test_who_is_revoked_while_others_rotate_has_at_most_one_successor(db, key_id):
    def act(hand: int) -> None:
        if hand % 2:
            keys.revoke(db, key_id, tenant_id="tenant_a", by=BY, now=NOW)
        else:
            replace(db, key_id)

    in_parallel(act, range(HANDS))

    old = db.prepare("SELECT replaced_by, revoked_at FROM api_keys WHERE id = ?1").bind(key_id).first()
    assert old["revoked_at"] == NOW
    assert count_rows(db, "api_keys") == (1 if old["replaced_by"] is None else 2)


class Noting(Counted):
    """Remembers how many rows each batch's last statement wrote."""

    def __init__(self, db):
        super().__init__(db)
        self.written = []

    def batch(self, statements):
        results = super().batch(statements)
        self.written.append(results[-1].meta.changes)
        return results


def test_of_many_uses_at_once_one_is_written_down(db, key_id):
    noting = Noting(db)

    def use(hand: int) -> None:
        holders.find_holder(noting, key_id, key_hash="hash", now=NOW + timedelta(seconds=hand))

    in_parallel(use, range(HANDS))

    assert sorted(noting.written) == [0] * (HANDS - 1) + [1]
