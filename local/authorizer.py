"""Runs a Lambda authorizer as API Gateway does: payload 2.0, simple responses, remembered by identity."""

import threading
import time
from dataclasses import dataclass
from typing import Any

from local.intrinsics import ACCOUNT_ID, REGION
from local.payload import API_ID, STAGE, HttpRequest
from local.runtime import Clock
from local.template import Authorizer


class IdentityMissing(Exception):
    """A header that says who is calling was not sent, or is empty. The function is not asked."""


class VerdictInvalid(Exception):
    """The function's answer is not a simple response."""


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    context: dict[str, Any]


class VerdictCache:
    """What an authorizer said of an identity, for as long as the template lets it be remembered."""

    def __init__(self, authorizer: Authorizer, *, clock: Clock = time.monotonic):
        self._authorizer = authorizer
        self._clock = clock
        self._verdicts: dict[tuple[str, ...], tuple[float, Verdict]] = {}
        self._guard = threading.Lock()

    def recall(self, identity: tuple[str, ...]) -> Verdict | None:
        with self._guard:
            until, verdict = self._verdicts.get(identity, (0.0, None))
            if verdict is not None and self._clock() >= until:
                del self._verdicts[identity]
                return None
            return verdict

    def remember(self, identity: tuple[str, ...], verdict: Verdict) -> None:
        """Refusals are remembered too; nothing is when there is no identity to tell callers apart."""
        if identity and self._authorizer.ttl_seconds > 0:
            with self._guard:
                self._verdicts[identity] = (self._clock() + self._authorizer.ttl_seconds, verdict)


def read_identity(authorizer: Authorizer, request: HttpRequest) -> tuple[str, ...]:
    """The values of the identity sources. Raises IdentityMissing."""
    values = [(request.header(name) or "").strip() for name in authorizer.identity_headers]
    if not all(values):
        raise IdentityMissing
    return tuple(values)


def to_authorizer_event(event: dict[str, Any], *, identity: tuple[str, ...]) -> dict[str, Any]:
    """The route's event without its body, and with who is asking for what."""
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    kept = {name: value for name, value in event.items() if name not in {"body", "isBase64Encoded"}}
    return kept | {
        "type": "REQUEST",
        "routeArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{API_ID}/{STAGE}/{method}{path}",
        "identitySource": list(identity),
    }


def read_verdict(answer: Any) -> Verdict:
    """A real true or false, as API Gateway insists. Raises VerdictInvalid."""
    if not isinstance(answer, dict) or not isinstance(answer.get("isAuthorized"), bool):
        raise VerdictInvalid(f"isAuthorized must be true or false in {answer!r}")
    context = answer.get("context") or {}
    if not isinstance(context, dict):
        raise VerdictInvalid("context must be an object")
    return Verdict(answer["isAuthorized"], context)
