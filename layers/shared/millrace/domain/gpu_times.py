"""How long a render may wait for a GPU and take on it, and when nobody will hear of it any more."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Self

# Of what it is expected to take, as much as it may: an estimate is a guess.
PATIENCE = 4
# A video of which only the size is known may have an eighth of the bits a second, and last as much longer.
PATIENCE_BY_SIZE = 8 * PATIENCE
LEAST_SECONDS = 600
MOST_SECONDS = 10_800
QUEUE_SECONDS = 1_800
# Between our clock and the provider's lie the way there and the tries of its last word.
GRACE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class GpuTimes:
    """`ttl_seconds` after it was taken the provider deletes a job; at `deadline_at` it is certainly gone."""

    execution_seconds: int
    ttl_seconds: int
    deadline_at: datetime

    @classmethod
    def of(cls, *, expected_seconds: int, now: datetime, by_size: bool = False) -> Self:
        patience = PATIENCE_BY_SIZE if by_size else PATIENCE
        execution = min(max(patience * expected_seconds, LEAST_SECONDS), MOST_SECONDS)
        ttl = QUEUE_SECONDS + execution
        return cls(execution, ttl, now + timedelta(seconds=ttl + GRACE_SECONDS))


@dataclass(frozen=True, slots=True)
class GpuUse:
    """What an attempt has used of a GPU; or a job in the round it is charged for, and what all have cost.

    `is_known`: the provider has said so. By our own watch we sell, but it does not say what we pay. It begins
    with the worker's first call, and a worker may work on and not be heard.
    """

    seconds: int
    cost_microusd: int
    is_known: bool = True

    @classmethod
    def of(cls, seconds: float, *, second_microusd: int) -> Self:
        """Begun seconds count, but no more than a render may take: the number comes from outside."""
        begun = min(max(0, ceil(seconds)), MOST_SECONDS)
        return cls(begun, begun * second_microusd)

    def plus(self, other: Self) -> Self:
        return type(self)(self.seconds + other.seconds, self.cost_microusd + other.cost_microusd)
