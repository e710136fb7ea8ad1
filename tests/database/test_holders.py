"""Whom a token speaks for, and since when nobody has used it."""

from datetime import timedelta
from typing import Any

import pytest

from millrace.store import holders
from tests.factories import NOW, add_key, add_tenant


@pytest.fixture
def tenant(db) -> str:
    return add_tenant(db)


def column(db, key_id: str, *, name: str) -> Any:
    return db.prepare(f"SELECT {name} FROM api_keys WHERE id = ?1").bind(key_id).first(name)


def use(db, key_id: str, *, now, key_hash: str = "hash") -> None:
    holders.find_holder(db, key_id, key_hash=key_hash, now=now)


@pytest.mark.usefixtures("tenant")
def test_a_key_names_its_caller(db):
    key_id = add_key(db, "hash", scopes=("evaluations:read",), expires_at=NOW + timedelta(seconds=1))

    caller = holders.find_caller(db, key_hash="hash", now=NOW)

    assert (caller.tenant_id, caller.user_id, caller.key_id) == ("tenant_a", "user_a", key_id)
    assert (caller.scopes, caller.tier) == ({"evaluations:read"}, "pro")
    assert holders.find_holder(db, key_id, key_hash="hash", now=NOW) == holders.Holder("hash", caller)


@pytest.mark.usefixtures("tenant")
@pytest.mark.parametrize("ended", ["expires_at", "revoked_at"])
def test_a_key_that_is_revoked_or_expired_is_nobody_s(db, ended):
    key_id = add_key(db, "hash", **{ended: NOW})

    assert holders.find_caller(db, key_hash="hash", now=NOW) is None
    assert holders.find_holder(db, key_id, key_hash="hash", now=NOW) is None
    assert column(db, key_id, name="last_used_at") is None


def test_an_unknown_hash_is_nobody_s(db):
    assert holders.find_caller(db, key_hash="hash", now=NOW) is None
    assert holders.find_holder(db, "key_none", key_hash="hash", now=NOW) is None


@pytest.mark.usefixtures("tenant")
def test_its_use_is_written_down_at_most_once_a_minute(db):
    key_id = add_key(db, "hash")
    seconds = (0, 1, 59, 60, 61, 119, 121)
    written = []

    for second in seconds:
        use(db, key_id, now=NOW + timedelta(seconds=second))
        written.append((column(db, key_id, name="last_used_at") - NOW).total_seconds())

    assert written == [0, 0, 0, 60, 60, 60, 121]


@pytest.mark.usefixtures("tenant")
def test_a_key_by_its_hash_alone_is_used_too(db):
    key_id = add_key(db, "hash")

    holders.find_caller(db, key_hash="hash", now=NOW)

    assert column(db, key_id, name="last_used_at") == NOW


@pytest.mark.usefixtures("tenant")
def test_who_knows_its_id_but_not_its_secret_has_not_used_it(db):
    key_id = add_key(db, "hash")

    use(db, key_id, now=NOW, key_hash="another hash")

    assert column(db, key_id, name="last_used_at") is None
