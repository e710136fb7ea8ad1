"""One request on its way through: the gate before the handler, and what is said of it at the end."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from aws_lambda_powertools.event_handler import Response

from millrace.domain.callers import Caller
from millrace.entry.body import MOST_BYTES, check_size
from millrace.entry.envelope import Rendered
from millrace.entry.invocation import LambdaContext
from millrace.entry.logs import log
from millrace.entry.metrics import count
from millrace.entry.query import check_query
from millrace.entry.request import (
    REQUEST_ID,
    Request,
    check_headers,
    check_path,
    check_path_value,
    check_scope,
    read_caller,
    read_headers,
    read_request_id,
)
from millrace.entry.resolver import HttpEvent
from millrace.env import Env
from millrace.errors import Refusal

PLACEHOLDER = re.compile(r"<(\w+)>")
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True)
class Route:
    """One method of one path: all that is needed to serve it and to document it.

    `scope` is what a key needs; only a `public` route has none. `headers` are those that must be sent. What
    has a default in the handler's signature is a parameter of the query.
    `creates` names the kind of job that a request makes, to be counted; `once` is for what creates another
    thing. Either takes an Idempotency-Key. `also` are statuses of success beside `status`, and `refuses` what
    the handler itself may refuse with: both for the API's description alone. `most_bytes` is for bodies.
    """

    method: str
    rule: str
    handler: Callable[..., Any]
    status: int = 200
    scope: str | None = None
    public: bool = False
    headers: tuple[str, ...] = ()
    creates: str | None = None
    once: bool = False
    also: tuple[int, ...] = ()
    refuses: tuple[type[Refusal], ...] = ()
    most_bytes: int = MOST_BYTES

    def __post_init__(self) -> None:
        if (self.scope is None) != self.public:
            raise TypeError(f"{self.method} {self.rule} needs either scope= or public=True")
        first, second, *others = inspect.signature(self.handler).parameters
        if (first, second) != ("request", "env") or not set(PLACEHOLDER.findall(self.rule)) <= set(others):
            raise TypeError(f"{self.handler.__name__} must take request, env and each part of {self.rule}")

    @property
    def takes_key(self) -> bool:
        """Whether a repeat with the same Idempotency-Key is done once."""
        return self.once or self.creates is not None

    @cached_property
    def queries(self) -> frozenset[str]:
        """The names that may stand in the query. A word that is Python's own has a `_` behind it there."""
        parameters = inspect.signature(self.handler).parameters.values()
        return frozenset(one.name.rstrip("_") for one in parameters if one.default is not one.empty)

    def values_in(self, path: str) -> dict[str, str] | None:
        """The path's values by their names, or None when the route does not take it."""
        found = re.fullmatch(PLACEHOLDER.sub(r"(?P<\1>[^/]+)", re.escape(self.rule)), path)
        return found.groupdict() if found else None


@dataclass
class Exchange:
    """What is known of a request while it is being answered."""

    env: Env
    context: LambdaContext
    request_id: str
    headers: dict[str, str]
    started_at: datetime
    method: str
    route: Route | None = None
    caller: Caller | None = None
    request: Request | None = None
    refusal: Refusal | None = None
    replayed: bool = False

    @classmethod
    def begin(cls, event: Mapping[str, Any], *, context: LambdaContext, env: Env) -> Self:
        return cls(
            env,
            context,
            read_request_id(event, otherwise=context.aws_request_id),
            read_headers(event),
            started_at=env.now(),
            method=event["requestContext"]["http"]["method"],
        )

    def admit(self, route: Route, *, event: HttpEvent, path_values: Mapping[str, str]) -> None:
        """Check all but what fields hold, in a fixed order: headers, path, rights, query, body."""
        self.route = route
        check_path(event.path)
        check_headers(self.headers, required=route.headers)
        for name, value in path_values.items():
            check_path_value(value, name=name)
        self.caller = read_caller(event)
        if route.scope is not None:
            check_scope(self.caller, scope=route.scope)
        check_query(event.raw_query_string, known=route.queries)
        check_size(event, most_bytes=route.most_bytes)
        self.request = Request(
            method=route.method,
            path=event.path,
            headers=self.headers,
            known_caller=self.caller,
            request_id=self.request_id,
            source_ip=event["requestContext"]["http"]["sourceIp"],
            body=event.json_body if route.method in WITH_BODY else {},
            context=self.context,
        )

    def send(self, rendered: Rendered) -> Response[str]:
        ours = {REQUEST_ID: self.request_id, "Cache-Control": "no-store"}
        return Response(rendered.status, "application/json", rendered.body, {**ours, **rendered.headers})

    def finish(self, *, status: int) -> None:
        """Log and count. By the route and never by the path, since a path may hold a callback's token."""
        log(
            "request_answered",
            method=self.method,
            route=self.route.rule if self.route else None,
            status=status,
            code=self.refusal.code if self.refusal else None,
            cause=self.refusal.cause if self.refusal else None,
            duration_ms=round((self.env.now() - self.started_at).total_seconds() * 1000),
            tenant_id=self.caller.tenant_id if self.caller else None,
            key_id=self.caller.key_id if self.caller else None,
        )
        if self.route and self.route.creates and not self.replayed and status < 500:
            count("JobsRefused" if self.refusal else "JobsCreated", kind=self.route.creates)
        if status >= 500:
            count("Faults")
