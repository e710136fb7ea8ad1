"""Whom a token speaks for."""

from datetime import timedelta

import pytest

from millrace.store import keys
from tests.factories import NOW, add_key, add_tenant


def test_a_key_names_its_caller(db):
    add_tenant(db)
    key_id = add_key(db, "hash", scopes=("evaluations:read",), expires_at=NOW + timedelta(seconds=1))

    caller = keys.find_caller(db, key_hash="hash", now=NOW)

    assert (caller.tenant_id, caller.user_id, caller.key_id) == ("tenant_a", "user_a", key_id)
    assert (caller.scopes, caller.tier) == ({"evaluations:read"}, "pro")


@pytest.mark.parametrize("column", ["expires_at", "revoked_at"])
def test_a_key_that_is_revoked_or_expired_is_nobody_s(db, column):
    add_tenant(db)
    add_key(db, "hash", **{column: NOW})

    assert keys.find_caller(db, key_hash="hash", now=NOW) is None


def test_an_unknown_hash_is_nobody_s(db):
    assert keys.find_caller(db, key_hash="hash", now=NOW) is None
