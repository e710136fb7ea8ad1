"""A tenant's API keys: issued and shown once, listed, revoked; and never with more than their issuer."""

import json
from datetime import timedelta
from typing import Any

import pytest

from millrace.domain.keys import read_key
from tests.counting import Counted
from tests.events import said
from tests.factories import NOW, add_key, count_rows
from tests.functions.conftest import World
from tests.functions.keeping_keys import (
    WANTED,
    ask,
    code_of,
    issue,
    issued,
    opens,
    revoke,
    rotate,
    row_of,
)


def test_a_key_is_shown_whole_once_and_opens_what_it_may(world: World):
    data = issued(world)

    key = data.pop("key")
    known = read_key(key)
    assert known is not None
    assert data == {
        "key_id": known.id,
        "name": "For the night shift",
        "prefix": known.shown,
        "user_id": "user_demo",
        "scopes": ["evaluations:read"],
        "tier": "pro",
        "created_at": "2025-12-17T10:00:00Z",
    }
    assert opens(world, key)
    assert row_of(world, known.id)["tenant_id"] == "tenant_demo"
    assert key not in str(row_of(world, known.id))


def test_all_that_may_be_said_of_a_key_is_kept(world: World):
    wanted = {
        "name": "x", "scopes": ["evaluations:write", "evaluations:read", "evaluations:write"],
        "user_id": "user_other", "tier": "free", "expires_in_days": 30, "test": True,
    }  # fmt: skip

    data = issued(world, wanted)

    assert (data["user_id"], data["tier"]) == ("user_other", "free")
    assert data["scopes"] == ["evaluations:write", "evaluations:read"]
    assert (data["prefix"][:9], data["key"][:9]) == ("mrk_test_", "mrk_test_")
    assert data["expires_at"] == "2026-01-16T10:00:00Z"
    assert row_of(world, data["key_id"])["expires_at"] == NOW + timedelta(days=30)


def test_it_may_end_at_a_moment(world: World):
    data = issued(world, WANTED | {"expires_at": "2025-12-17T13:00:00+02:00"})

    assert data["expires_at"] == "2025-12-17T11:00:00Z"
    world.clock.advance(minutes=59)
    assert opens(world, data["key"])
    world.clock.advance(minutes=1)
    assert not opens(world, data["key"])


NOT_A_TIME = "must be a time such as 2025-12-17T10:00:00Z"
NOT_AN_ID = "must be 1 to 128 printable ASCII characters without spaces"
OUT_OF_REACH = "must be in the future, and within ten years"


@pytest.mark.parametrize(
    ("change", "field", "fault"),
    [
        ({"expires_at": "2025-12-17T10:00:00Z"}, "expires_at", OUT_OF_REACH),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at", OUT_OF_REACH),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at", OUT_OF_REACH),
        ({"expires_at": "2025-13-17T10:00:00Z"}, "expires_at", NOT_A_TIME),
        ({"expires_at": "2026-12-17T10:00:00"}, "expires_at", NOT_A_TIME),
        ({"expires_at": 1_800_000_000}, "expires_at", NOT_A_TIME),
        ({"expires_in_days": 0}, "expires_in_days", "must be at least 1"),
        ({"expires_in_days": 3_651}, "expires_in_days", "must be at most 3650"),
        ({"expires_in_days": 1, "expires_at": "2026-12-17T10:00:00Z"}, "expires_at",
         "stands beside expires_in_days: give one of them"),
        ({"name": ""}, "name", "must be 1 to 100 characters in one line"),
        ({"name": "a\nb"}, "name", "must be 1 to 100 characters in one line"),
        ({"name": "instead of mrk_live_0"}, "name", "must not be an API key"),
        ({"user_id": "mrk_test_0"}, "user_id", "must not be an API key"),
        ({"scopes": []}, "scopes", "must not be empty"),
        ({"user_id": "two words"}, "user_id", NOT_AN_ID),
        ({"tier": "gold"}, "tier", "must be one of 'free', 'pro' or 'enterprise'"),
        ({"tenant_id": "tenant_other"}, "tenant_id", "is not a known field"),
        ({"id": "key_demo"}, "id", "is not a known field"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_400_by_name_and_makes_no_key(world: World, change, field, fault):
    answer = issue(world, WANTED | change)

    assert code_of(answer) == (400, "InvalidRequest")
    assert said(answer)["fields"] == [{"field": field, "message": fault}]
    assert count_rows(world.owner, "api_keys") == 1


def test_a_scope_that_there_is_not_is_400_and_says_which_there_are(world: World):
    answer = issue(world, WANTED | {"scopes": ["evaluations:read", "everything"]})

    (fault,) = said(answer)["fields"]
    assert (fault["field"], "'keys:admin'" in fault["message"]) == ("scopes.1", True)


def test_no_key_gets_more_than_the_one_that_asks_for_it(world: World):
    more = issue(world, WANTED | {"scopes": ["evaluations:read", "settings:admin", "usage:read"]})
    higher = issue(world, WANTED | {"tier": "enterprise"})

    assert (code_of(more), said(more)["scopes"]) == (
        (403, "RightsExceeded"),
        ["settings:admin", "usage:read"],
    )
    assert "lacks settings:admin, usage:read" in said(more)["message"]
    assert (code_of(higher), said(higher)["tier"]) == ((403, "RightsExceeded"), "enterprise")
    assert count_rows(world.owner, "api_keys") == 1


def test_a_repeat_is_refused_with_the_key_it_made_and_without_its_secret(world: World):
    first = issued(world, idempotency_key="once")
    world.clock.advance(hours=1)

    again = issue(world, idempotency_key="once")
    another = issue(world, WANTED | {"name": "Another"}, idempotency_key="once")

    assert (code_of(again), said(again)["key_id"]) == ((409, "KeyShownAlready"), first["key_id"])
    assert first["key"] not in again["body"]
    assert code_of(another) == (422, "IdempotencyKeyReused")
    assert count_rows(world.owner, "api_keys") == 2
    kept = world.owner.prepare("SELECT facts FROM idempotency_keys").first("facts")
    assert kept == {"key_id": first["key_id"]}


def test_keys_are_listed_the_newest_first_without_what_they_are_proved_by(world: World):
    made = []
    for name in ("key 0", "key 1", "key 2", "used"):
        world.clock.advance(seconds=1)
        made.append(issued(world, WANTED | {"name": name}))
    revoke(world, made[1]["key_id"])
    opens(world, made[3]["key"])

    listed = ask(world, "GET", query="limit=3")
    rest = ask(world, "GET", query=f"limit=3&cursor={said(listed)['next_cursor']}")

    everything = said(listed)["data"] + said(rest)["data"]
    assert [key["name"] for key in everything] == ["used", "key 2", "key 1", "key 0", "The demo's key"]
    assert [("revoked_at" in key, "last_used_at" in key) for key in everything] == [
        (False, True), (False, False), (True, False), (False, False), (False, False),
    ]  # fmt: skip
    assert "next_cursor" not in said(rest)
    known = {
        "key_id",
        "name",
        "prefix",
        "user_id",
        "scopes",
        "tier",
        "created_at",
        "revoked_at",
        "last_used_at",
    }
    assert {field for key in everything for field in key} == known


def test_a_revoked_key_stays_revoked_as_of_the_first_time(world: World):
    data = issued(world)
    first = revoke(world, data["key_id"])
    world.clock.advance(minutes=5)

    again = revoke(world, data["key_id"])

    assert (first["statusCode"], again["statusCode"]) == (200, 200)
    assert said(first) == said(again)
    assert said(first)["data"]["revoked_at"] == "2025-12-17T10:00:00Z"
    assert not opens(world, data["key"])


@pytest.mark.parametrize("key_id", ["theirs", "key_of_nobody"])
def test_another_tenant_s_key_is_there_no_more_than_one_that_is_not(world: World, key_id):
    if key_id == "theirs":
        key_id = add_key(world.owner, tenant_id="tenant_other")
        before = row_of(world, key_id)

    revoked, rotated = revoke(world, key_id), rotate(world, key_id)

    expected = {"success": False, "error": "KeyNotFound", "message": "Key not found or access denied"}
    assert (revoked["statusCode"], rotated["statusCode"]) == (404, 404)
    assert said(revoked) == said(rotated) == expected
    if key_id != "key_of_nobody":
        assert row_of(world, key_id) == before
        assert key_id not in ask(world, "GET")["body"]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("GET", ""), ("DELETE", "/key_demo"), ("POST", "/key_demo/rotate")]
)
def test_only_who_looks_after_keys_may(world: World, method, path):
    answer = ask(
        world, method, path, WANTED if method == "POST" and not path else None, scopes="evaluations:read"
    )

    assert (code_of(answer), said(answer)["scope"]) == ((403, "MissingScope"), "keys:admin")
    assert count_rows(world.owner, "api_keys") == 1


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("DELETE", "/key_demo"), ("POST", "/key_demo/rotate")]
)
def test_who_makes_or_ends_a_key_says_who_they_are(world: World, method, path):
    assert code_of(ask(world, method, path, WANTED, x_user_id="")) == (400, "MissingHeaders")


def test_each_request_is_one_round_trip_and_a_rotation_reads_before(world: World):
    counted = Counted(world.api.DB)
    trips = []

    def count(answer: dict[str, Any]) -> dict[str, Any]:
        assert answer["statusCode"] < 300
        trips.append(len(counted.batches))
        counted.batches.clear()
        return answer

    key_id = said(count(issue(world, db=counted, idempotency_key="once")))["data"]["key_id"]
    count(ask(world, "GET", db=counted))
    count(rotate(world, key_id, db=counted, idempotency_key="twice"))
    count(revoke(world, key_id, db=counted))

    assert trips == [1, 1, 2, 1]


def test_no_secret_is_in_a_log_line_or_in_what_a_fault_would_show(world: World, capsys):
    first = issued(world)
    second = said(rotate(world, first["key_id"]))["data"]
    revoke(world, second["key_id"])

    out = capsys.readouterr().out
    for key in (first["key"], second["key"]):
        assert key.split("_")[3] not in out
        assert key.split("_")[3] not in repr(read_key(key))
    events = [json.loads(line) for line in out.splitlines()]
    named = [event.get("message") for event in events if str(event.get("message")).startswith("key_")]
    assert named == ["key_issued", "key_rotated", "key_revoked"]
    assert WANTED["name"] not in out
