"""What a request to run must say, and what it may."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# Milliseconds.
DEFAULT_EXECUTION, DEFAULT_TTL = 600_000, 86_400_000
LEAST_EXECUTION, LEAST_TTL, MOST = 5_000, 10_000, 7 * 86_400_000


class OrderInvalid(Exception):
    """A request to run what cannot be run: 400."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked to be run; times in seconds."""

    input: Mapping[str, Any]
    webhook: str | None
    execution_seconds: float
    ttl_seconds: float


def read_order(request: Any) -> Order:
    match request:
        case {"input": dict() as given}:
            pass
        case _:
            raise OrderInvalid("the body must be a JSON object with an object `input`")
    webhook, policy = request.get("webhook"), request.get("policy", {})
    if not (webhook is None or is_address(webhook)) or not isinstance(policy, dict):
        raise OrderInvalid("webhook must be an http:// or https:// address, and policy an object")
    return Order(
        input=given,
        webhook=webhook,
        execution_seconds=read_time(
            policy, "executionTimeout", least=LEAST_EXECUTION, default=DEFAULT_EXECUTION
        ),
        ttl_seconds=read_time(policy, "ttl", least=LEAST_TTL, default=DEFAULT_TTL),
    )


def is_address(value: Any) -> bool:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and port != 0


def read_time(policy: Mapping[str, Any], name: str, *, least: int, default: int) -> float:
    value = policy.get(name, default)
    if type(value) is not int or not least <= value <= MOST:
        raise OrderInvalid(f"policy.{name} must be milliseconds, from {least} to {MOST}")
    return value / 1000
