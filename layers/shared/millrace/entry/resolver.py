"""Powertools' resolver, fitted to run in many threads and to read bodies by our rules."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from millrace.entry.body import read_body


class HttpEvent(APIGatewayProxyEventV2):
    """An event whose body is read strictly, whatever JSON type it came as."""

    @property
    def headers(self) -> dict[str, str]:
        """Powertools takes forms too and knows no `+json`; which types we take, `json_body` decides."""
        headers = super().headers
        headers["content-type"] = "application/json"
        return headers

    @cached_property
    def json_body(self) -> dict[str, Any]:
        return read_body(self, content_type=super().headers.get("content-type"))


class Resolver(APIGatewayHttpResolver):
    """One thread's resolver.

    Powertools keeps the current event on a class that all resolvers share, which is right in Lambda, where
    requests come one at a time. The local cloud serves many at once, so here every resolver has its own.
    """

    _event: HttpEvent

    @property
    def current_event(self) -> HttpEvent:  # type: ignore[override]  # a class attribute there
        return self._event

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        self._event = HttpEvent(dict(event))
        return super().resolve(event, context)
