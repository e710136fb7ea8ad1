"""Each thing that is audited has its entry in its own batch: once, if it took effect, and not otherwise."""

from datetime import timedelta

import pytest

from millrace.domain.audit import Author
from millrace.domain.idempotency import IdempotencyKey
from millrace.errors import EvaluationNotFound, KeyEnded, KeyNotFound, KeyShownAlready, LeadNotFound
from millrace.store import erasure, keys, overrides, settings, tenants
from millrace.store.keys import NewKey
from millrace.store.leads import Which
from tests.database.auditing import entries, told
from tests.database.test_races import in_parallel
from tests.factories import (
    BY,
    NOW,
    accept_job,
    add_house,
    add_key,
    add_lead,
    add_site,
    claim_job,
    complete_job,
    count_rows,
    new_id,
)

LATER = NOW + timedelta(days=1)
SECRET = "a hash of what nobody is to know"


@pytest.fixture
def house(db):
    add_house(db)
    return db


def new_key(**changes):
    whose = {"tenant_id": "tenant_a", "user_id": "ada@acme.example", "name": "Ada's"}
    hashed = {"id": new_id("key"), "key_hash": new_id(SECRET), "key_prefix": "mrk_test"}
    return NewKey(**hashed, **whose, scopes=["usage:read"], **changes)


def override(db, lead_id, *, evaluation_id=None, key=None):
    new = overrides.NewOverride(
        id=new_id("override"), lead_id=lead_id, evaluation_id=evaluation_id, new_recommendation="reject",
        reason="Robin Example is known to us.", overridden_by="ada", tenant_id="tenant_a", site_id="site_a",
    )  # fmt: skip
    return overrides.create(db, new, by=BY, now=NOW, key=key)


def judged_lead(db):
    lead_id = add_lead(db)
    accept_job(db, lead_id)
    complete_job(db, claim_job(db))
    return lead_id


def delete(db, lead_id):
    which = Which(lead_id, "tenant_a", "site_a")
    return erasure.delete_lead(db, which, move_id=new_id("move"), by=BY, now=NOW)


def test_an_entry_says_who_did_it_and_from_where(house):
    key = new_key()

    keys.issue(house, key, by=BY, now=NOW)
    keys.revoke(house, key.id, tenant_id="tenant_a", by=Author.operator(new_id), now=LATER)

    asked, typed = entries(house)
    assert [asked[name] for name in ("person", "key_id", "source")] == ["user_xyz", "key_demo", "203.0.113.7"]
    assert [typed[name] for name in ("person", "key_id", "source")] == [None, None, "command line"]
    assert [entry["created_at"] for entry in (asked, typed)] == [NOW, LATER]
    assert (asked["place"], asked["hash"]) == (None, None)


def test_a_key_that_is_issued_is_told_of_with_its_rights(house):
    key = new_key(expires_at=LATER)

    keys.issue(house, key, by=BY, now=NOW)

    rights = {"scopes": ["usage:read"], "tier": "pro", "expires_at": LATER.isoformat()}
    assert told(house) == [("key_issued", key.id, {}, rights)]


def test_a_key_that_is_not_issued_is_not_told_of(house):
    once, ended = IdempotencyKey("once", "same"), add_key(house, revoked_at=NOW)
    keys.issue(house, new_key(), by=BY, now=NOW, once=once)

    with pytest.raises(KeyShownAlready):
        keys.issue(house, new_key(), by=BY, now=NOW, once=once)
    for repeated in (None, IdempotencyKey("another", "same")):
        with pytest.raises(KeyEnded):
            keys.issue(house, new_key(), by=BY, now=NOW, issuer_id=ended, once=repeated)

    assert count_rows(house, "audit_log") == 1


@pytest.mark.parametrize(
    ("ends", "then"), [(None, LATER), (NOW + timedelta(hours=1), NOW + timedelta(hours=1))]
)
def test_a_rotation_tells_when_the_key_would_have_ended_when_it_ends_and_what_replaces_it(house, ends, then):
    old, new = add_key(house, expires_at=ends), new_key()

    ended = keys.replace(house, old, new, until=LATER, by=BY, now=NOW)

    ((action, subject, before, after),) = told(house)
    assert (action, subject, after["replaced_by"], ended) == ("key_rotated", old, new.id, then)
    assert before == {"expires_at": ends and after["expires_at"]}


def test_what_is_not_rotated_is_not_told_of(house):
    old = add_key(house)
    keys.replace(house, old, new_key(), until=LATER, by=BY, now=NOW)

    with pytest.raises(KeyEnded):
        keys.replace(house, old, new_key(), until=LATER, by=BY, now=NOW)

    assert count_rows(house, "audit_log") == 1


def test_a_key_is_revoked_once_however_many_do_it_at_once(house):
    key_id = add_key(house)

    in_parallel(lambda _: keys.revoke(house, key_id, tenant_id="tenant_a", by=BY, now=NOW), range(8))

    assert told(house) == [("key_revoked", key_id, {"revoked_at": None}, {"revoked_at": NOW.isoformat()})]
    with pytest.raises(KeyNotFound):
        keys.revoke(house, key_id, tenant_id="tenant_b", by=BY, now=NOW)
    assert count_rows(house, "audit_log") == 1


def test_each_setting_that_is_changed_is_told_of_and_one_that_stays_is_not(house):
    def change(**values):
        settings.change(house, values, tenant_id="tenant_a", by=BY, now=NOW)

    change(ai_enabled=False, ai_default_model="some/model")
    change(ai_enabled=False, ai_default_model="another/model")

    assert told(house) == [
        ("setting_changed", "ai_default_model", {}, {"value": "some/model"}),
        ("setting_changed", "ai_enabled", {}, {"value": "false"}),
        ("setting_changed", "ai_default_model", {"value": "some/model"}, {"value": "another/model"}),
    ]


def test_of_many_who_change_a_setting_at_once_each_tells_what_the_one_before_left(house):
    def change(number):
        values = {"ai_default_model": f"some/{number}"}
        settings.change(house, values, tenant_id="tenant_a", by=BY, now=NOW)

    in_parallel(change, range(20))

    steps = {row["before"].get("value"): row["after"]["value"] for row in entries(house)}
    value, seen = None, []
    while value in steps:
        value = steps[value]
        seen.append(value)
    assert sorted(seen) == sorted(f"some/{number}" for number in range(20))


def test_an_override_is_told_of_without_its_reason(house):
    lead_id = judged_lead(house)

    override(house, lead_id)

    ((action, subject, before, after),) = told(house)
    assert (action, subject, before) == ("evaluation_overridden", lead_id, {"recommendation": "approve"})
    assert after.keys() == {"recommendation", "evaluation_id"}
    assert after["recommendation"] == "reject"


def test_an_override_that_is_refused_or_replayed_is_not_told_of(house):
    lead_id, once = judged_lead(house), IdempotencyKey("once", "same")

    for _ in range(2):
        override(house, lead_id, key=once)
    with pytest.raises(EvaluationNotFound):
        override(house, lead_id, evaluation_id="another")
    with pytest.raises(LeadNotFound):
        override(house, "nobody")

    assert count_rows(house, "audit_log") == 1


def test_a_lead_is_deleted_once_however_many_do_it_at_once(house):
    lead_id = add_lead(house)

    in_parallel(lambda _: delete(house, lead_id), range(8))
    delete(house, lead_id)
    with pytest.raises(LeadNotFound):
        delete(house, "nobody")

    assert told(house) == [("lead_deleted", lead_id, {"status": "new"}, {"status": "deleted"})]


@pytest.mark.parametrize(
    ("of", "changed_id", "column", "values", "action"),
    [
        ("tenant", "tenant_a", "tier", ("free", "pro"), "tenant_tier_changed"),
        ("site", "site_a", "tier", ("free", "enterprise"), "site_tier_changed"),
        ("tenant", "tenant_a", "evaluations_a_month", (None, 500), "tenant_limit_changed"),
        ("tenant", "tenant_a", "live_jobs", (None, 4), "tenant_limit_changed"),
        ("site", "site_a", "evaluations_a_month", (None, 0), "site_limit_changed"),
    ],
)
def test_another_tier_or_limit_is_told_of_when_it_is_another(house, of, changed_id, column, values, action):
    whose = {"of": of, "tenant_id": "tenant_a", "column": column, "by": BY, "now": NOW}
    was, becomes = values

    for value in (becomes, becomes, was):
        tenants.change(house, changed_id, value=value, **whose)

    forth, back = {column: becomes}, {column: was}
    assert told(house) == [(action, changed_id, back, forth), (action, changed_id, forth, back)]


def test_a_tier_that_is_not_changed_in_the_end_is_not_told_of(house):
    add_site(house, "site_b")
    whose = {"of": "site", "tenant_id": "tenant_a", "column": "tier", "by": BY, "now": NOW}

    tenants.change(house, "nobody", value="pro", **whose)

    assert count_rows(house, "audit_log") == 0


def test_nothing_personal_and_nothing_secret_is_told(house):
    lead_id, key = judged_lead(house), new_key()
    override(house, lead_id)
    delete(house, lead_id)
    keys.issue(house, key, by=BY, now=NOW)
    keys.replace(house, key.id, new_key(), until=LATER, by=BY, now=NOW)

    written = repr([dict(row) for row in entries(house)])

    assert [word for word in ("Robin", "Example", "ada@", "Ada", SECRET) if word in written] == []


def test_the_api_writes_and_reads_its_own_tenant_s_entries(house, api_db):
    own = api_db.for_tenant("tenant_a")
    lead_id, key = judged_lead(house), new_key()

    keys.issue(own, key, by=BY, now=NOW)
    keys.replace(own, key.id, new_key(), until=LATER, by=BY, now=NOW)
    keys.revoke(own, key.id, tenant_id="tenant_a", by=BY, now=NOW)
    settings.change(own, {"ai_enabled": False}, tenant_id="tenant_a", by=BY, now=NOW)
    override(own, lead_id)
    delete(own, lead_id)

    actions = ["evaluation_overridden", "key_issued", "key_revoked", "key_rotated", "lead_deleted"]
    assert sorted(row["action"] for row in entries(own)) == [*actions, "setting_changed"]
