"""Requests about a tenant's API keys, and whom a key opens the door to."""

import json
from typing import Any

from functions.authorize.app import handler as authorize
from functions.manage.app import handler
from millrace.env import Env
from tests.events import Context, http_event, read_event, said
from tests.functions.asking import CALLER
from tests.functions.conftest import World

SCOPES = "evaluations:read evaluations:write keys:admin"
WANTED = {"name": "For the night shift", "scopes": ["evaluations:read"]}


def ask(
    world: World, method: str, path: str = "", body: Any = None, *, query: str = "", db: Any = None,
    tier: str = "pro", scopes: str = SCOPES, tenant_id: str = "tenant_demo", key_id: str = "key_demo",
    **headers: str,
) -> dict[str, Any]:  # fmt: skip
    caller = CALLER | {"tenant_id": tenant_id, "scopes": scopes, "tier": tier, "key_id": key_id}
    named = {"x-user-id": "user_xyz"} | {name.replace("_", "-"): value for name, value in headers.items()}
    event = http_event(
        method, f"/api/keys{path}", query=query, caller=caller,
        body=None if body is None else json.dumps(body),
        headers={name: value for name, value in named.items() if value},
    )  # fmt: skip
    env = world.api
    given = Env(env.config, now=env.now, DB=db or env.DB, PEPPER=b"cayenne")
    return handler(event, Context(), env=given)


def issue(world: World, body: Any = WANTED, **given: Any) -> dict[str, Any]:
    return ask(world, "POST", body=body, **given)


def issued(world: World, body: Any = WANTED, **given: Any) -> dict[str, Any]:
    answer = issue(world, body, **given)
    assert answer["statusCode"] == 201, answer["body"]
    return dict(said(answer)["data"])


def rotate(world: World, key_id: str, body: Any = None, **given: Any) -> dict[str, Any]:
    return ask(world, "POST", f"/{key_id}/rotate", body, **given)


def revoke(world: World, key_id: str, **given: Any) -> dict[str, Any]:
    return ask(world, "DELETE", f"/{key_id}", **given)


def opens(world: World, token: str) -> bool:
    """Whether the authorizer lets it in."""
    engine = world.engine
    env = Env(engine.config, now=engine.now, DB=engine.DB, PEPPER=b"cayenne")
    event = read_event("authorize/known_key") | {"identitySource": [f"Bearer {token}"]}
    return bool(authorize(event, Context(), env=env)["isAuthorized"])


def row_of(world: World, key_id: str) -> dict[str, Any]:
    return dict(world.owner.prepare("SELECT * FROM api_keys WHERE id = ?1").bind(key_id).first())


def code_of(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["statusCode"], said(answer)["error"]
