"""What a handler sees of a request: who asks, for which site, and how long there is to answer."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from millrace.domain.audit import Author
from millrace.domain.callers import Caller
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.keys import NO_KEY, holds_key
from millrace.entry.invocation import Invocation
from millrace.errors import InvalidRequest, MissingHeaders, MissingScope

LONGEST_VALUE = 128
# Clients take them for folders, and drop them before they ask.
DOTS = (".", "..")
SANE = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_VALUE}}}")
# What RFC 3986 lets stand in a path as it is. Powertools' patterns take some other characters and not all.
IN_PATH = re.compile(rf"[A-Za-z0-9._~:@!$&'()*+,;=-]{{1,{LONGEST_VALUE}}}")
SITE, PERSON, IDEMPOTENCY_KEY, REQUEST_ID = "X-Site-Id", "X-User-Id", "Idempotency-Key", "X-Request-Id"


@dataclass(frozen=True)
class Request(Invocation):
    """One HTTP request, checked. `headers` go by lower-case names; a public route has no `known_caller`."""

    method: str
    path: str
    headers: Mapping[str, str]
    known_caller: Caller | None
    request_id: str
    source_ip: str
    body: Mapping[str, Any] = field(repr=False)

    @property
    def caller(self) -> Caller:
        if self.known_caller is None:
            raise MissingScope("This request needs a key.")
        return self.known_caller

    @property
    def site_id(self) -> str:
        return self._required(SITE)

    @property
    def person_id(self) -> str:
        """Who pressed the button, as the calling system knows them."""
        return self._required(PERSON)

    def author(self, new_id: Callable[[], str]) -> Author:
        """Who is told of in the audit log, whose entries get these ids."""
        return Author(self.person_id, self.caller.key_id, self.source_ip, new_id)

    @property
    def idempotency_key(self) -> IdempotencyKey | None:
        given = self.headers.get(IDEMPOTENCY_KEY.lower())
        return IdempotencyKey(given, self.fingerprint) if given else None

    @cached_property
    def fingerprint(self) -> str:
        """Two requests that ask for the same have the same: SHA-256 over method, path, site and body."""
        asked = [self.method, self.path, self.headers.get(SITE.lower()), self.body]
        return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def _required(self, name: str) -> str:
        check_headers(self.headers, required=(name,))
        return self.headers[name.lower()]


def read_headers(event: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): value.strip() for name, value in (event.get("headers") or {}).items()}


def read_request_id(event: Mapping[str, Any], *, otherwise: str) -> str:
    """The caller's own id when it is fit to be logged and echoed, or else API Gateway's, if it made one."""
    given = read_headers(event).get(REQUEST_ID.lower(), "")
    if SANE.fullmatch(given) and not holds_key(given):
        return given
    return (event.get("requestContext") or {}).get("requestId") or otherwise


def check_headers(headers: Mapping[str, str], *, required: tuple[str, ...]) -> None:
    """Refuse what is missing, naming all of it, and what is empty, endless, a key or not plain text."""
    if missing := [name for name in required if not headers.get(name.lower())]:
        raise MissingHeaders(f"Missing required headers: {', '.join(missing)}.", missing=missing)
    for name in (SITE, PERSON, IDEMPOTENCY_KEY):
        if name.lower() in headers:
            check_value(headers[name.lower()], name=name)


def check_path(path: str) -> None:
    """For paths with a route too, since Powertools' patterns let a last line feed pass."""
    if not path.isprintable():
        raise InvalidRequest("The path holds characters that cannot be printed.")


def check_path_value(value: str, *, name: str) -> None:
    """An id in the path. It has no character that would have to be escaped there."""
    if value in DOTS or not IN_PATH.fullmatch(value):
        rule = f"must be 1 to {LONGEST_VALUE} characters that need no escape in a path, and not . or .."
        raise refuse_value(name, rule=rule)


def check_value(value: str, *, name: str) -> None:
    """A value of a header that goes to the database or into a log line. A key there is a slip."""
    if not SANE.fullmatch(value):
        rule = f"must be 1 to {LONGEST_VALUE} printable ASCII characters without spaces"
        raise refuse_value(name, rule=rule)
    if holds_key(value):
        raise refuse_value(name, rule=NO_KEY)


def refuse_value(name: str, *, rule: str) -> InvalidRequest:
    return InvalidRequest(f"{name} {rule}.", fields=[{"field": name, "message": rule}])


def read_caller(event: Mapping[str, Any]) -> Caller | None:
    """Who asks, from nowhere but what the authorizer said. None when no authorizer was asked."""
    context = (event["requestContext"].get("authorizer") or {}).get("lambda")
    return Caller.of_context(context) if context else None


def check_scope(caller: Caller | None, *, scope: str) -> None:
    if caller is None or scope not in caller.scopes:
        raise MissingScope(f"The key lacks the scope {scope}.", scope=scope)
