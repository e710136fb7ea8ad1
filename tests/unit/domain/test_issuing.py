"""What a key may give to another, and what is shown of it."""

import pytest

from millrace.domain.callers import SCOPES, USUAL_SCOPES, Caller
from millrace.domain.issuing import TIERS, IssuedKey, check_rights
from millrace.domain.keys import make_key
from millrace.domain.quota import EVALUATIONS
from millrace.errors import RightsExceeded
from millrace.store.holders import Holder
from millrace.store.keys import NewKey
from tests.factories import NOW


def caller(*scopes: str, tier: str = "pro") -> Caller:
    return Caller("tenant_a", "user_a", key_id="key_a", scopes=frozenset(scopes), tier=tier)


def test_the_tiers_are_those_that_are_sold_each_with_more_than_the_one_before():
    assert list(TIERS) == list(EVALUATIONS.tiers) == sorted(TIERS, key=lambda tier: EVALUATIONS.tiers[tier])


def test_who_has_not_been_given_them_has_no_rights_over_keys_and_settings():
    assert set(SCOPES) - set(USUAL_SCOPES) == {"keys:admin", "settings:admin"}


@pytest.mark.parametrize("tier", TIERS)
def test_a_key_gives_all_that_it_has_itself(tier):
    check_rights(caller(*SCOPES, tier=tier), scopes=SCOPES, tier=tier)
    check_rights(caller(*SCOPES, tier=tier), scopes=["usage:read"], tier="free")


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_gives_no_scope_that_it_lacks(scope):
    others = [one for one in SCOPES if one != scope]

    with pytest.raises(RightsExceeded, match=scope) as refused:
        check_rights(caller(*others), scopes=SCOPES, tier="pro")

    assert refused.value.facts == {"scopes": [scope]}


@pytest.mark.parametrize(("own", "wanted"), [("free", "pro"), ("free", "enterprise"), ("pro", "enterprise")])
def test_a_key_gives_no_tier_above_its_own(own, wanted):
    with pytest.raises(RightsExceeded, match=f"of the tier {own}, .* of the tier {wanted}"):
        check_rights(caller(tier=own), scopes=[], tier=wanted)


def test_neither_a_key_nor_its_hash_is_in_what_a_fault_would_print():
    made = make_key("key_" + 32 * "0", secret=2**256 - 1)
    new = NewKey.of(
        made, pepper=b"cayenne", tenant_id="tenant_a", user_id="user_a", name="A key", scopes=["usage:read"]
    )
    shown = IssuedKey(
        key_id=new.id, name=new.name, prefix=new.key_prefix, user_id=new.user_id, scopes=["usage:read"],
        tier="pro", created_at=NOW, key=made.token,
    )  # fmt: skip
    printed = repr([made, new, shown, Holder(new.key_hash, caller())])

    assert made.token.split("_")[3] not in printed
    assert new.key_hash not in printed
