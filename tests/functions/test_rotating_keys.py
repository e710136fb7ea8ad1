"""A key in the place of another: the same rights, and a while for both."""

import pytest

from millrace.domain.keys import read_key
from tests.events import said
from tests.factories import NOW, add_key, count_rows
from tests.functions.conftest import World
from tests.functions.keeping_keys import WANTED, code_of, issue, issued, opens, rotate, row_of


def test_rotating_a_stronger_key_is_no_way_to_its_rights(world: World):
    key_id = add_key(world.owner, tenant_id="tenant_demo", scopes=("settings:admin",))
    world.owner.prepare("UPDATE api_keys SET quota_tier = 'enterprise' WHERE id = 'key_demo'").run()

    more, higher = rotate(world, key_id), rotate(world, "key_demo")

    assert code_of(more) == code_of(higher) == (403, "RightsExceeded")
    assert (said(more)["scopes"], said(higher)["tier"]) == (["settings:admin"], "enterprise")
    assert count_rows(world.owner, "api_keys") == 2


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
def test_a_key_that_has_ended_issues_none_although_the_gateway_remembers_it(world: World, ended):
    other = issued(world)["key_id"]
    world.owner.prepare(f"UPDATE api_keys SET {ended} = ?1 WHERE id = 'key_demo'").bind(NOW).run()

    refused = [
        issue(world),
        issue(world, idempotency_key="once"),
        rotate(world, other),
        rotate(world, "key_demo"),
    ]

    assert [code_of(answer) for answer in refused] == [(409, "KeyEnded")] * 4
    assert count_rows(world.owner, "api_keys") == 2
    assert count_rows(world.owner, "idempotency_keys") == 0
    assert row_of(world, other)["expires_at"] is None


def test_a_rotated_key_lives_on_for_a_day_beside_the_new_one(world: World):
    old = issued(world, WANTED | {"test": True, "user_id": "user_other"})
    world.clock.advance(hours=1)

    answer = rotate(world, old["key_id"])

    data = said(answer)["data"]
    key = data.pop("key")
    assert answer["statusCode"] == 201
    assert data == {
        "key_id": read_key(key).id,
        "name": "For the night shift",
        "prefix": key[:21],
        "user_id": "user_other",
        "scopes": ["evaluations:read"],
        "tier": "pro",
        "created_at": "2025-12-17T11:00:00Z",
        "replaced": {"key_id": old["key_id"], "expires_at": "2025-12-18T11:00:00Z"},
    }
    assert key.startswith("mrk_test_")
    assert (opens(world, old["key"]), opens(world, key)) == (True, True)
    world.clock.advance(hours=24)
    assert (opens(world, old["key"]), opens(world, key)) == (False, True)
    assert row_of(world, old["key_id"])["replaced_by"] == data["key_id"]


@pytest.mark.parametrize(
    ("body", "old_ends", "new_ends"),
    [
        ({"grace_hours": 0}, "2025-12-17T10:00:00Z", "2025-12-27T10:00:00Z"),
        ({"grace_hours": 720}, "2025-12-27T10:00:00Z", "2025-12-27T10:00:00Z"),
        ({"expires_in_days": 90}, "2025-12-18T10:00:00Z", "2026-03-17T10:00:00Z"),
        ({"expires_at": "2026-01-01T00:00:00Z"}, "2025-12-18T10:00:00Z", "2026-01-01T00:00:00Z"),
    ],
)
def test_a_rotation_says_when_both_end_and_the_old_one_never_later_than_it_would_have(
    world: World, body, old_ends, new_ends
):
    old = issued(world, WANTED | {"expires_in_days": 10})

    data = said(rotate(world, old["key_id"], body))["data"]

    assert (data["replaced"]["expires_at"], data["expires_at"]) == (old_ends, new_ends)
    assert opens(world, old["key"]) == (body.get("grace_hours") != 0)
    assert opens(world, data["key"])


@pytest.mark.parametrize("hours", [-1, 721, 1.5, "24"])
def test_a_grace_is_whole_hours_up_to_thirty_days(world: World, hours):
    answer = rotate(world, "key_demo", {"grace_hours": hours})

    assert code_of(answer) == (400, "InvalidRequest")
    assert said(answer)["fields"][0]["field"] == "grace_hours"


def test_a_key_is_rotated_once_and_its_successor_after_it(world: World):
    old = issued(world)["key_id"]
    successor = said(rotate(world, old))["data"]["key_id"]

    again = rotate(world, old)

    assert (code_of(again), said(again)["replaced_by"]) == ((409, "KeyEnded"), successor)
    assert successor in said(again)["message"]
    assert rotate(world, successor)["statusCode"] == 201
    assert count_rows(world.owner, "api_keys") == 4


def test_a_repeated_rotation_is_refused_like_a_repeated_issue(world: World):
    old = issued(world)["key_id"]
    first = said(rotate(world, old, {"grace_hours": 0}, idempotency_key="once"))["data"]

    again = rotate(world, old, {"grace_hours": 0}, idempotency_key="once")

    assert (code_of(again), said(again)["key_id"]) == ((409, "KeyShownAlready"), first["key_id"])
    assert first["key"] not in again["body"]


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
def test_what_has_ended_is_not_rotated(world: World, ended):
    key_id = add_key(world.owner, tenant_id="tenant_demo", **{ended: NOW})

    answer = rotate(world, key_id, idempotency_key="once")

    assert code_of(answer) == (409, "KeyEnded")
    assert count_rows(world.owner, "api_keys") == 2
    assert count_rows(world.owner, "idempotency_keys") == 0
