"""API Gateway's question who holds a key, and the simple answer it takes."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from millrace.domain.callers import Caller
from millrace.entry.logs import log
from millrace.entry.metrics import count
from millrace.env import Env

# The characters that RFC 6750 gives a bearer token, and an end: nothing else reaches the database.
BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/-]{1,256}=*)", re.IGNORECASE)
LONGEST_HEADER = 300
REFUSED: dict[str, Any] = {"isAuthorized": False}

Authorize = Callable[[str, Env], Caller | None]


def answer_authorizer(event: Mapping[str, Any], *, env: Env, authorize: Authorize) -> dict[str, Any]:
    """Yes with the caller as context, or no. `authorize` sees only tokens that could be one of ours."""
    token = read_token(event)
    caller = authorize(token, env) if token else None
    if caller is None:
        reason = "unknown key" if token else "not a bearer token"
        log("caller_refused", reason=reason, route=event.get("routeKey"))
        count("CallersRefused")
        return REFUSED
    return {"isAuthorized": True, "context": caller.to_context()}


def read_token(event: Mapping[str, Any]) -> str | None:
    """The bearer token of the only identity source, the Authorization header. None when it is not one."""
    header = next(iter(event.get("identitySource") or []), "")
    found = BEARER.fullmatch(header) if len(header) <= LONGEST_HEADER else None
    return found[1] if found else None
