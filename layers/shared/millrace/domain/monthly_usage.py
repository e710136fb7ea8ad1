"""The answer about a site's month: how much of what it may have is used, and when it begins anew."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from millrace.domain.evaluations import Model
from millrace.domain.quota import EVALUATIONS, bounds_of, percentage_of, warn

Month = Annotated[
    str | None,
    Field(
        pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$",
        description="A month such as `2025-12`, by the clock in UTC. Without it the one that it is now.",
    ),
]


class SiteUsage(Model):
    site_id: str
    month: str
    tier: str
    used: int
    limit: int
    remaining: int
    percentage: int = Field(description="Whole percent of the limit, rounded down.")
    resets_at: datetime = Field(description="The first moment of the next month.")
    warning: str | None = Field(default=None, description="A sentence, from 80 percent on.")

    @classmethod
    def of(cls, row: Mapping[str, Any], *, month: str) -> "SiteUsage":
        used, limit = row["used"], row["quota_limit"]
        return cls(
            site_id=row["site_id"],
            month=month,
            tier=row["tier"],
            used=used,
            limit=limit,
            remaining=max(limit - used, 0),
            percentage=percentage_of(used, limit=limit),
            resets_at=bounds_of(month)[1],
            warning=warn(EVALUATIONS, used=used, limit=limit, period=month),
        )


class SiteUsageAnswer(Model):
    data: SiteUsage
