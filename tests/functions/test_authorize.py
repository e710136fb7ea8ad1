"""A key becomes a caller."""

import json
from datetime import timedelta

import pytest

from functions.authorize.app import handler
from millrace import operations
from millrace.domain.keys import make_key, read_key
from millrace.env import Config, Env
from tests.counting import Counted
from tests.events import Context, read_event
from tests.factories import NOW
from tests.functions.conftest import World

KEY_OF_NOBODY = "key_" + 32 * "0"


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
    assert ask(make_key(KEY_OF_NOBODY, secret=1).token, env) == {"isAuthorized": False}


def watched(env: Env) -> tuple[Env, list]:
    """The same env, and the round trips it makes."""
    counted = Counted(env.DB)
    return Env(env.config, DB=counted, PEPPER=env.PEPPER, now=env.now), counted.batches


def another_secret(token: str) -> str:
    """A key that is whole, with the id of this one."""
    known = read_key(token)
    assert known is not None
    return make_key(known.id, secret=1).token


def test_a_mistyped_key_is_refused_without_a_look_into_the_database(world: World):
    env, token = issue(world, pepper=b"cayenne")
    env, trips = watched(env)

    answer = ask(token[:-1] + ("x" if token[-1] != "x" else "y"), env)

    assert (answer, trips) == ({"isAuthorized": False}, [])


def test_who_is_known_who_was_and_who_never_was_are_asked_for_in_the_same_words(world: World):
    """One round trip of the same statements, so that neither time nor traffic tells them apart."""
    env, token = issue(world, pepper=b"cayenne")
    env, trips = watched(env)

    answers = [
        ask(token, env),
        ask(another_secret(token), env),
        ask(make_key(KEY_OF_NOBODY, secret=1).token, env),
    ]
    for column in ("revoked_at", "expires_at"):
        world.owner.prepare("UPDATE api_keys SET revoked_at = NULL, expires_at = NULL").run()
        world.owner.prepare(f"UPDATE api_keys SET {column} = ?1").bind(NOW).run()
        answers.append(ask(token, env))

    assert [answer["isAuthorized"] for answer in answers] == [True, False, False, False, False]
    asked = [[statement.sql for statement in trip] for trip in trips]
    assert asked == [asked[0]] * 5


def test_a_refused_key_is_counted_and_nothing_is_written(world: World, capsys):
    env, token = issue(world, pepper=b"cayenne")
    before = rows(world)
    capsys.readouterr()

    ask(another_secret(token), env)
    ask(make_key(KEY_OF_NOBODY, secret=1).token, env)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["CallersRefused"] for line in lines if "CallersRefused" in line] == [[1.0], [1.0]]
    assert rows(world) == before


def rows(world: World) -> list[dict]:
    return [dict(row) for row in world.owner.prepare("SELECT * FROM api_keys ORDER BY id").all().results]


def test_its_use_is_written_with_the_look_itself(world: World):
    env, token = issue(world, pepper=b"cayenne")
    env, trips = watched(env)

    for _ in range(3):
        assert ask(token, env)["isAuthorized"] is True
        world.clock.advance(seconds=45)

    used = world.owner.prepare("SELECT last_used_at FROM api_keys WHERE id <> 'key_demo'").first(
        "last_used_at"
    )
    assert used == NOW + timedelta(seconds=90)
    assert len(trips) == 3


def test_where_there_is_a_pepper_the_demo_s_token_opens_nothing(world: World):
    env, _ = issue(world, pepper=b"cayenne")

    assert authorize(world, "known_key")["isAuthorized"] is True
    assert handler(read_event("authorize/known_key"), Context(), env=env) == {"isAuthorized": False}
