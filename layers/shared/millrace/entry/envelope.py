"""The one envelope that every answer of ours comes in, and the headers around it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from math import ceil
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from millrace.domain.quota import WINDOW_SECONDS, bounds_of
from millrace.errors import (
    DatabaseUnavailable,
    GpuQuotaExceeded,
    QuotaExceeded,
    Refusal,
    StorageUnavailable,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)
else:
    Model = TypeVar("Model")


@dataclass(frozen=True)
class Answer(Generic[Model]):
    """What a handler returns when its route's status, or no further headers, will not do.

    `replayed`: the same answer as to an earlier request with the same Idempotency-Key.
    """

    model: Model
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    replayed: bool = False


@dataclass(frozen=True)
class Rendered:
    """An answer ready to be sent."""

    status: int
    body: str
    headers: dict[str, str]


def render_success(answer: Answer[Any], *, status: int, now: datetime) -> Rendered:
    """The model's fields (`data`, perhaps `usage`) beside `success`. What is None is left out.

    A replayed answer tells what was left of the quota then, so no header says that it is so now.
    """
    said = answer.model.model_dump(by_alias=True, exclude_none=True)
    about = {"Idempotent-Replayed": "true"} if answer.replayed else rate_headers(said.get("usage"), now=now)
    return Rendered(answer.status or status, to_json({"success": True, **said}), {**about, **answer.headers})


def render_refusal(refusal: Refusal, *, now: datetime, takes_key: bool = False) -> Rendered:
    """`takes_key`: whether a repeat of the request with the same Idempotency-Key is done once."""
    headers = rate_headers(refusal.facts.get("usage"), now=now)
    if isinstance(refusal, (QuotaExceeded, GpuQuotaExceeded)) and headers:
        headers["Retry-After"] = str(seconds_until_renewal(refusal.facts["usage"]["month"], now=now))
    message = refusal.message
    if isinstance(refusal, (DatabaseUnavailable, StorageUnavailable)):
        headers["Retry-After"] = "1"
        message += " With the same Idempotency-Key it is done once." if takes_key else ""
    said = {"success": False, "error": refusal.code, "message": message, **refusal.facts}
    return Rendered(refusal.status, to_json(said), {**headers, **refusal.headers})


def rate_headers(usage: Mapping[str, Any] | None, *, now: datetime) -> dict[str, str]:
    """The limits in the words of the IETF's draft: how much in what time, how much is left until when."""
    told = [*limits_in(usage or {}, now=now)]
    if not told:
        return {}
    policies, left = zip(*told, strict=True)
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(left)}


def limits_in(usage: Mapping[str, Any], *, now: datetime) -> Iterator[tuple[str, str]]:
    """Each limit that is told of: the month's, the one that is reached, and the others of the key's user."""
    if "month" in usage:
        begins, ends = bounds_of(usage["month"])
        window, until = int((ends - begins).total_seconds()), seconds_until_renewal(usage["month"], now=now)
        yield f'"month";q={usage["limit"]};w={window}', f'"month";r={left_of(usage)};t={until}'
    for one in [usage] if "name" in usage else usage.get("limits", []):
        policy, left = f'"{one["name"]}";q={one["limit"]}', f'"{one["name"]}";r={left_of(one)}'
        if seconds := WINDOW_SECONDS.get(one["name"]):
            until = max(0, ceil((one["resets_at"] - now).total_seconds()))
            policy, left = f"{policy};w={seconds}", f"{left};t={until}"
        yield policy, left


def left_of(usage: Mapping[str, Any]) -> int:
    left: int = usage["remaining"] if "remaining" in usage else max(0, usage["limit"] - usage["used"])
    return left


def seconds_until_renewal(month: str, *, now: datetime) -> int:
    return max(0, int((bounds_of(month)[1] - now).total_seconds()))


def to_json(value: Any) -> str:
    return json.dumps(value, default=_render, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _render(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"a {type(value).__name__} cannot be answered")
