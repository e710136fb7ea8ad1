"""What is answered when a request is refused: our errors with their facts, and API Gateway's own words."""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from local.gateway import FORBIDDEN, INTERNAL_ERROR, TOO_LARGE, UNAUTHORIZED, UNAVAILABLE
from millrace import errors
from millrace.domain.quota import LIMITS
from millrace.entry.exchange import WITH_BODY, Route
from millrace.errors import Refusal

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
MOMENT: Schema = {"type": "string", "format": "date-time"}
FAULT: Schema = {
    "type": "object",
    "properties": {"field": TEXT, "message": TEXT},
    "required": ["field", "message"],
}
USED: Schema = {
    "type": "object",
    "properties": {
        "used": WHOLE,
        "limit": WHOLE,
        "month": TEXT,
        "tier": TEXT,
        "resets_at": MOMENT,
        "warning": TEXT,
    },
    "required": ["used", "limit", "month", "tier", "resets_at", "warning"],
}
WANTED: Schema = {
    "type": "object",
    "properties": {**USED["properties"], "wanted": WHOLE},
    "required": ["used", "limit", "month", "tier", "wanted", "resets_at"],
}

LIMITED: Schema = {
    "type": "object",
    "properties": {
        "name": {"enum": list(LIMITS)},
        "used": WHOLE,
        "limit": WHOLE,
        "resets_at": MOMENT,
    },
    "required": ["name", "used", "limit"],
}

SPENT: Schema = {
    "type": "object",
    "properties": {
        "used_usd": {"type": "number"},
        "set_aside_usd": {"type": "number"},
        "limit_usd": {"type": "number"},
        "day": TEXT,
        "resets_at": MOMENT,
    },
    "required": ["used_usd", "set_aside_usd", "limit_usd", "day", "resets_at"],
}

# The facts beside `error` and `message`, each with an example. Those with a `?` are not always there.
FACTS: dict[type[Refusal], dict[str, tuple[Schema, Any]]] = {
    errors.InvalidRequest: {
        "fields?": (
            {"type": "array", "items": FAULT},
            [{"field": "force_refresh", "message": "must be true or false"}],
        )
    },
    errors.MissingHeaders: {"missing": ({"type": "array", "items": TEXT}, ["X-Site-Id"])},
    errors.MissingScope: {"scope?": (TEXT, "evaluations:write")},
    errors.JobAlreadyPending: {"job_id": (TEXT, "job_01a1faf4d5e272b4b7309f099c0d9852")},
    errors.AlreadyEvaluated: {"evaluation_id": (TEXT, "01a1faf4-d5e2-72b4-b730-9f099c0d9852")},
    errors.DocumentInvalid: {"problem": ({"enum": ["size", "type", "checksum"]}, "type")},
    errors.JobEnded: {"status": (TEXT, "completed")},
    errors.JobNotFailed: {"status": (TEXT, "completed")},
    errors.QuotaExceeded: {
        "usage": (
            USED,
            {
                "used": 20,
                "limit": 20,
                "month": "2025-12",
                "tier": "free",
                "resets_at": "2026-01-01T00:00:00Z",
                "warning": "20 of 20 evaluations of 2025-12 are used.",
            },
        )
    },
    errors.VideoInvalid: {"problem": ({"enum": ["size", "type"]}, "type")},
    errors.ExportAlreadyRunning: {"job_id": (TEXT, "job_01a1faf4d5e272b4b7309f099c0d9852")},
    errors.GpuQuotaExceeded: {
        "usage": (
            WANTED,
            {
                "used": 590,
                "limit": 600,
                "month": "2025-12",
                "tier": "free",
                "wanted": 24,
                "resets_at": "2026-01-01T00:00:00Z",
                "warning": "590 of 600 gpu seconds of 2025-12 are used.",
            },
        )
    },
    errors.SpendLimitReached: {
        "usage": (
            SPENT,
            {
                "used_usd": 99.998,
                "set_aside_usd": 0.0,
                "limit_usd": 100.0,
                "day": "2025-12-17",
                "resets_at": "2025-12-18T00:00:00Z",
            },
        )
    },
    errors.RateLimited: {
        "usage": (
            LIMITED,
            {"name": "requests_a_minute", "used": 5, "limit": 5, "resets_at": "2025-12-17T10:01:00Z"},
        )
    },
    errors.RightsExceeded: {
        "scopes?": ({"type": "array", "items": TEXT}, ["settings:admin"]),
        "tier?": (TEXT, "enterprise"),
    },
    errors.KeyEnded: {"replaced_by?": (TEXT, "key_01a1faf4d5e272b4b7309f099c0d9852")},
    errors.KeyShownAlready: {"key_id": (TEXT, "key_01a1faf4d5e272b4b7309f099c0d9852")},
    errors.InternalError: {"request_id": (TEXT, "JKJaXmPLvHcESHA=")},
}

# What API Gateway answers itself, in these words. The second list is for routes that need a key.
GATEWAY = (TOO_LARGE, (429, "Too Many Requests"), INTERNAL_ERROR, UNAVAILABLE)
GATEWAY_WITH_KEY = (UNAUTHORIZED, FORBIDDEN)

# Python renamed these in 3.13, and the document must be the same whoever writes it.
PHRASES = {413: "Request Entity Too Large", 422: "Unprocessable Entity"}


def refusals_of(route: Route) -> set[type[Refusal]]:
    """All that a route may refuse with: what it is guarded by, and what its handler says."""
    found: set[type[Refusal]] = {errors.InvalidRequest, errors.InternalError, *route.refuses}
    if route.scope:
        found |= {errors.MissingScope, errors.DatabaseUnavailable}
    if route.headers:
        found.add(errors.MissingHeaders)
    if route.method in WITH_BODY:
        found |= {errors.BodyTooLarge, errors.UnsupportedMediaType}
    if route.takes_key:
        found.add(errors.IdempotencyKeyReused)
    return found


def responses_of(route: Route) -> dict[str, Schema]:
    """By status, all that may be answered with it, ours and API Gateway's."""
    examples: dict[int, dict[str, Any]] = defaultdict(dict)
    for refusal in sorted(refusals_of(route), key=lambda one: one.__name__):
        examples[refusal.status][refusal.__name__] = example_of(refusal)
    for status, message in GATEWAY + (GATEWAY_WITH_KEY if route.scope else ()):
        examples[status][gateway_name(message)] = {"message": message}
    return {str(status): response_of(status, examples=examples[status]) for status in sorted(examples)}


def response_of(status: int, *, examples: dict[str, Any]) -> Schema:
    choices = [{"$ref": f"#/components/schemas/{name}"} for name in examples]
    return {
        "description": PHRASES.get(status) or HTTPStatus(status).phrase,
        "headers": headers_of(status),
        "content": {
            "application/json": {
                "schema": choices[0] if len(choices) == 1 else {"oneOf": choices},
                "examples": {name: {"value": value} for name, value in examples.items()},
            }
        },
    }


def headers_of(status: int) -> Schema:
    names = ["X-Request-Id"]
    names += ["Retry-After"] if status in (429, 503) else []
    names += ["RateLimit", "RateLimit-Policy"] if status == 429 else []
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def schemas_of(routes: Iterable[Route]) -> dict[str, Schema]:
    """A schema for each error and for each of API Gateway's sentences."""
    ours = {refusal for route in routes for refusal in refusals_of(route)}
    sentences = [message for _, message in GATEWAY + GATEWAY_WITH_KEY]
    return {refusal.__name__: schema_of(refusal) for refusal in ours} | {
        gateway_name(message): gateway_schema(message) for message in sentences
    }


def schema_of(refusal: type[Refusal]) -> Schema:
    facts = FACTS.get(refusal, {})
    always = [name for name in facts if not name.endswith("?")]
    return {
        "type": "object",
        "description": refusal.message,
        "properties": {
            "success": {"const": False},
            "error": {"const": refusal.__name__},
            "message": {"type": "string", "description": "A sentence a person can act on."},
            **{name.rstrip("?"): schema for name, (schema, _) in facts.items()},
        },
        "required": ["success", "error", "message", *always],
        "additionalProperties": False,
    }


def example_of(refusal: type[Refusal]) -> dict[str, Any]:
    facts = {name.rstrip("?"): example for name, (_, example) in FACTS.get(refusal, {}).items()}
    return {"success": False, "error": refusal.__name__, "message": refusal.message, **facts}


def gateway_name(message: str) -> str:
    return f"Gateway{message.title().replace(' ', '')}"


def gateway_schema(message: str) -> Schema:
    return {
        "type": "object",
        "description": "Said by API Gateway, before or instead of the API.",
        "properties": {"message": {"const": message}},
        "required": ["message"],
        "additionalProperties": False,
    }
