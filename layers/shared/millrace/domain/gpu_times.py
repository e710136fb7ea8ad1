"""How long a render may wait for a GPU and take on it, and when nobody will hear of it any more."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Self

# Of what it is expected to take, as much as it may: an estimate is a guess.
PATIENCE = 4
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
    def of(cls, *, expected_seconds: int, now: datetime) -> Self:
        execution = min(max(PATIENCE * expected_seconds, LEAST_SECONDS), MOST_SECONDS)
        ttl = QUEUE_SECONDS + execution
        return cls(execution, ttl, now + timedelta(seconds=ttl + GRACE_SECONDS))


@dataclass(frozen=True, slots=True)
class GpuUse:
    """What a job has used of GPUs in the round it is charged for, and what that cost in all rounds."""

    seconds: int
    cost_microusd: int

    def plus(self, seconds: float, *, second_microusd: int) -> Self:
        """Begun seconds count, but no more than a render may take: the number comes from outside."""
        more = min(max(0, ceil(seconds)), MOST_SECONDS)
        return type(self)(self.seconds + more, self.cost_microusd + more * second_microusd)
