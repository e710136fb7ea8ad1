"""What answers say of the limits of a key's user: how much there may be, and how much is left."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from millrace.domain.quota import USER_LIMITS, warn

LimitName = Literal["requests_a_day", "tokens_a_day", "requests_a_minute", "live_jobs"]


class LimitLeft(BaseModel, defer_build=True):
    name: LimitName
    limit: int
    remaining: int
    resets_at: datetime | None = Field(
        default=None, description="The first moment of the next minute or day. Not of live jobs."
    )
    warning: str | None = Field(default=None, description="A sentence, from 80 percent on.")


def limits_left(facts: Mapping[str, Any], *, at: datetime) -> list[LimitLeft] | None:
    """What was left when a job was accepted. None where nothing is limited by user."""
    left = []
    for limit in USER_LIMITS:
        if limit.name in facts:
            used, most = facts[limit.name], facts[f"{limit.name}_limit"]
            warning = warn(limit, used=used, limit=most, period=limit.period_of(at))
            left.append(
                LimitLeft(
                    name=limit.name,
                    limit=most,
                    remaining=max(most - used, 0),
                    resets_at=limit.resets_at(at),
                    warning=warning,
                )
            )
    return left or None
