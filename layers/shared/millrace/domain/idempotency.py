"""A request that may be sent twice and is done once."""

from dataclasses import dataclass
from datetime import timedelta

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The caller's key, and a fingerprint of the request it came with."""

    key: str
    fingerprint: str
