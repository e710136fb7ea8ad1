"""A key becomes a caller."""

import json

import pytest

from functions.authorize.app import handler
from millrace import operations
from millrace.domain.keys import make_key
from millrace.env import Config, Env
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


class Counting:
    """A database that notes whether it was asked."""

    def __init__(self, db):
        self._db, self.asked = db, 0

    def prepare(self, sql: str):
        self.asked += 1
        return self._db.prepare(sql)


def issue(world: World, *, pepper: bytes | None) -> tuple[Env, str]:
    """An env with this pepper, and the token of a key that was issued under it."""
    env = Env(
        Config(database_url="sqlite:////nowhere.db"), DB=world.owner, PEPPER=pepper, now=world.clock.now
    )
    facts = operations.run(
        "keys issue",
        {
            "tenant_id": "tenant_demo", "user_id": "user_demo", "name": "a key", "tier": "pro",
            "scopes": ["evaluations:read"], "mode": "live", "days": 30,
        },
        env,
    )  # fmt: skip
    return env, facts["key"]


def ask(token: str, env: Env) -> dict:
    event = read_event("authorize/known_key") | {"identitySource": [f"Bearer {token}"]}
    return handler(event, Context(), env=env)


@pytest.mark.parametrize("pepper", [None, b"cayenne"])
def test_an_issued_key_is_known_by_its_id_and_proved_by_its_hash(world: World, pepper):
    env, token = issue(world, pepper=pepper)

    answer = ask(token, env)

    assert answer["context"]["scopes"] == "evaluations:read"
    assert answer["context"]["key_id"].removeprefix("key_") in token


def test_a_key_is_worth_nothing_under_another_pepper(world: World):
    _, token = issue(world, pepper=b"cayenne")
    env, _ = issue(world, pepper=b"another")

    assert ask(token, env) == {"isAuthorized": False}


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
def test_an_issued_key_that_is_revoked_or_expired_is_refused_like_an_unknown_one(world: World, column):
    env, token = issue(world, pepper=b"cayenne")
    world.owner.prepare(f"UPDATE api_keys SET {column} = ?1").bind(NOW).run()

    assert ask(token, env) == {"isAuthorized": False}
    assert ask(make_key("key_" + 32 * "0", secret=1).token, env) == {"isAuthorized": False}


def test_a_mistyped_key_is_refused_without_a_look_into_the_database(world: World):
    env, token = issue(world, pepper=b"cayenne")
    counting = Counting(world.owner)
    watched = Env(env.config, DB=counting, PEPPER=b"cayenne", now=world.clock.now)

    answer = ask(token[:-1] + ("x" if token[-1] != "x" else "y"), watched)

    assert (answer, counting.asked) == ({"isAuthorized": False}, 0)


def test_where_there_is_a_pepper_the_demo_s_token_opens_nothing(world: World):
    env, _ = issue(world, pepper=b"cayenne")

    assert authorize(world, "known_key")["isAuthorized"] is True
    assert handler(read_event("authorize/known_key"), Context(), env=env) == {"isAuthorized": False}
