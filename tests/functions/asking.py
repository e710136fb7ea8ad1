"""Requests as a person makes them, for tests of functions with many routes."""

import json
from typing import Any

from functions.manage.app import handler
from tests.events import Context, http_event
from tests.functions.conftest import World

SCOPES = "evaluations:read evaluations:write settings:admin usage:read"
CALLER = {
    "tenant_id": "tenant_demo",
    "user_id": "user_demo",
    "key_id": "key_demo",
    "scopes": SCOPES,
    "tier": "pro",
}
HEADERS = {"x-site-id": "site_abc", "x-user-id": "user_xyz"}


def asked(
    method: str, path: str, body: Any = None, *, scopes: str = SCOPES, tenant_id: str = "tenant_demo",
    **headers: str,
) -> dict[str, Any]:  # fmt: skip
    """The event of a request under /api/ops. A header that is empty is not sent."""
    named = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return http_event(
        method,
        f"/api/ops/{path}",
        body=None if body is None else json.dumps(body),
        headers={name: value for name, value in named.items() if value},
        caller=CALLER | {"scopes": scopes, "tenant_id": tenant_id},
    )


def manage(world: World, method: str, path: str, body: Any = None, **given: Any) -> dict[str, Any]:
    """What `manage` answers to it."""
    return handler(asked(method, path, body, **given), Context(), env=world.api)


def post(world: World, path: str, body: Any = None, **given: Any) -> dict[str, Any]:
    return manage(world, "POST", path, body, **given)
