"""A key becomes a caller."""

import json

from functions.authorize.app import handler
from tests.events import Context, read_event
from tests.factories import NOW
from tests.functions.conftest import World


def authorize(world: World, event: str) -> dict:
    return handler(read_event(f"authorize/{event}"), Context(), env=world.engine)


def test_a_known_key_brings_its_tenant_and_its_scopes(world: World):
    answer = authorize(world, "known_key")

    assert answer["isAuthorized"] is True
    assert answer["context"] == {
        "tenant_id": "tenant_demo",
        "user_id": "user_demo",
        "key_id": "key_demo",
        "scopes": "evaluations:read evaluations:write",
        "tier": "pro",
    }


def test_an_unknown_key_is_refused(world: World):
    assert authorize(world, "unknown_key") == {"isAuthorized": False}


def test_what_is_no_bearer_token_is_refused(world: World):
    assert authorize(world, "no_bearer_token") == {"isAuthorized": False}


def test_a_revoked_key_is_refused(world: World):
    world.owner.prepare("UPDATE api_keys SET revoked_at = ?1").bind(NOW).run()

    assert authorize(world, "known_key") == {"isAuthorized": False}


def test_a_key_ends_when_it_expires(world: World):
    world.owner.prepare("UPDATE api_keys SET expires_at = ?1").bind(world.clock.advance(minutes=1)).run()

    world.clock.advance(minutes=-1)
    before = authorize(world, "known_key")
    world.clock.advance(minutes=1)
    after = authorize(world, "known_key")

    assert (before["isAuthorized"], after["isAuthorized"]) == (True, False)


def test_a_token_is_never_logged(world: World, capsys):
    authorize(world, "known_key")
    authorize(world, "unknown_key")

    out = capsys.readouterr().out
    assert [json.loads(line).get("message") for line in out.splitlines()].count("caller_refused") == 1
    assert "token" not in out.replace("bearer token", "")
