"""An operator's commands about keys, and what may be called what: by the API's rules, and by no key."""

import pytest

from millrace.domain.keys import read_key
from tests.factories import NOW, add_key
from tests.functions.conftest import World
from tests.functions.test_operate import command

KEY = {
    "tenant_id": "tenant_demo", "user_id": "user_demo", "name": "a key", "tier": "pro",
    "scopes": ["evaluations:read"], "mode": "live", "days": None,
}  # fmt: skip


def test_a_key_is_kept_as_a_hash_alone_and_never_logged(world: World, capsys):
    facts = command(world, "keys issue", **KEY)["facts"]

    rows = world.owner.prepare("SELECT * FROM api_keys WHERE id = ?1").bind(facts["key_id"]).all().results
    secret = facts["key"].split("_")[3]
    assert secret not in str([dict(row) for row in rows])
    assert secret not in capsys.readouterr().out
    assert rows[0]["key_prefix"] == facts["key"][:21]


def test_keys_are_listed_by_tenant_and_never_with_their_hashes(world: World):
    add_key(world.owner, "a hash", tenant_id="tenant_other")

    everybody_s = command(world, "keys list", tenant_id=None, limit=9, cursor=None)["facts"]
    theirs = command(world, "keys list", tenant_id="tenant_other", limit=9, cursor=None)["facts"]["keys"]
    nobody_s = command(world, "keys list", tenant_id="nobody", limit=9, cursor=None)

    assert {key["tenant_id"] for key in everybody_s["keys"]} == {"tenant_demo", "tenant_other"}
    assert everybody_s["next_cursor"] is None
    assert [key["tenant_id"] for key in theirs] == ["tenant_other"]
    assert "hash" not in str(everybody_s)
    assert nobody_s["refused"].startswith("There is no tenant nobody.")


def test_a_key_is_rotated_and_revoked_for_whichever_tenant(world: World, capsys):
    old = command(world, "keys issue", **KEY | {"mode": "test", "days": 9})["facts"]

    rotated = command(world, "keys rotate", key_id=old["key_id"], grace_hours=2)["facts"]
    again = command(world, "keys rotate", key_id=old["key_id"], grace_hours=2)
    revoked = command(world, "keys revoke", key_id=rotated["key_id"])["facts"]

    same = ("tenant_id", "scopes", "expires_at")
    assert [rotated[name] for name in same] == [old[name] for name in same]
    assert rotated["replaced_ends_at"] == "2025-12-17T12:00:00+00:00"
    assert rotated["key"].startswith("mrk_test_")
    assert again["refused"] == f"The key was rotated already. Rotate {rotated['key_id']} instead."
    assert revoked["revoked_at"] == NOW.isoformat()
    assert rotated["key"].split("_")[3] not in capsys.readouterr().out


def test_what_cannot_be_done_to_a_key_is_refused_with_a_sentence(world: World):
    refused = [
        command(world, name, key_id=key_id, **given)["refused"]
        for name, key_id, given in (
            ("keys revoke", "key_none", {}),
            ("keys rotate", "key_none", {"grace_hours": 1}),
            ("keys rotate", "key_demo", {"grace_hours": 721}),
        )
    ]

    assert [words.split(".")[0] for words in refused] == [
        "There is no key key_none",
        "There is no key key_none",
        "A rotated key lives on for 0 to 720 hours",
    ]


def test_a_key_that_makes_no_sense_is_refused_with_a_sentence(world: World):
    refused = [
        command(world, "keys issue", **KEY | change)["refused"]
        for change in (
            {"tenant_id": "nobody"},
            {"tier": "gold"},
            {"mode": "demo"},
            {"days": 0},
            {"days": 99_999_999},
            {"scopes": []},
            {"scopes": ["evaluations:read", "evaluate"]},
        )
    ]

    assert [words.split(".")[0] for words in refused] == [
        "There is no tenant nobody",
        "There is no tier gold",
        "A key is either live or test",
        "A key lives for 1 to 3650 days",
        "A key lives for 1 to 3650 days",
        "A key without a scope may do nothing",
        "There is no scope evaluate",
    ]


ID_RULE = "must be 1 to 128 printable ASCII characters without spaces."
NAME_RULE = "must be 1 to 100 characters in one line."
TENANT = {"tenant_id": "acme", "name": "Acme", "tier": "free"}
SITE = {"site_id": "site_new", "tenant_id": "tenant_demo", "name": "New", "tier": None}


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("keys issue", KEY | {"user_id": ""}, f"user_id {ID_RULE}"),
        ("keys issue", KEY | {"user_id": "two words"}, f"user_id {ID_RULE}"),
        ("keys issue", KEY | {"name": ""}, f"name {NAME_RULE}"),
        ("tenants add", TENANT | {"tenant_id": ""}, f"tenant_id {ID_RULE}"),
        ("tenants add", TENANT | {"tenant_id": "bad id!"}, f"tenant_id {ID_RULE}"),
        ("tenants add", TENANT | {"name": "x" * 101}, f"name {NAME_RULE}"),
        ("sites add", SITE | {"site_id": "x" * 129}, f"site_id {ID_RULE}"),
        ("sites add", SITE | {"name": "a\nb"}, f"name {NAME_RULE}"),
    ],
)
def test_what_is_added_is_named_by_the_api_s_own_rules(world: World, name, given, reason):
    assert command(world, name, **given) == {"refused": reason}


def test_a_scope_that_is_said_twice_is_kept_once(world: World):
    wanted = KEY | {"scopes": ["usage:read", "evaluations:read", "usage:read"]}

    assert command(world, "keys issue", **wanted)["facts"]["scopes"] == ["usage:read", "evaluations:read"]


@pytest.mark.parametrize(("name", "more"), [("keys revoke", {}), ("keys rotate", {"grace_hours": 0})])
def test_a_whole_key_stands_for_its_id_and_is_not_repeated(world: World, capsys, name, more):
    facts = command(world, "keys issue", **KEY)["facts"]

    done = command(world, name, key_id=facts["key"], **more)["facts"]

    assert facts["key_id"] in (done.get("key_id"), done.get("replaced"))
    assert facts["key"].split("_")[3] not in str(done) + capsys.readouterr().out


def test_the_key_of_nobody_is_refused_by_its_id(world: World, capsys):
    key = command(world, "keys issue", **KEY)["facts"]["key"]
    world.owner.prepare("DELETE FROM api_keys WHERE key_prefix = ?1").bind(key[:21]).run()

    refused = command(world, "keys revoke", key_id=key)["refused"]

    known = read_key(key)
    assert known is not None
    assert refused.startswith(f"There is no key {known.id}.")
    assert key.split("_")[3] not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "given", "argument"),
    [
        ("keys revoke", {}, "key_id"),
        ("keys rotate", {"grace_hours": 0}, "key_id"),
        ("jobs show", {}, "job_id"),
        ("tenants add", TENANT, "tenant_id"),
        ("keys issue", KEY, "name"),
        ("keys issue", KEY, "tier"),
        ("keys list", {"limit": 9, "cursor": None}, "tenant_id"),
    ],
)
def test_a_key_in_another_place_or_a_mistyped_one_is_refused_and_not_repeated(
    world: World, capsys, name, given, argument
):
    key = command(world, "keys issue", **KEY)["facts"]["key"]

    answer = command(world, name, **given | {argument: f"{key[:-1]}~"})

    assert answer["refused"].startswith(f"{argument} must not be an API key")
    assert key.split("_")[3] not in str(answer) + capsys.readouterr().out
