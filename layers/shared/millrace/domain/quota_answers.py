"""The answer about all limits of a caller: how much of each is used, and when it begins anew."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import Field

from millrace.domain.evaluations import Model
from millrace.domain.money import in_words
from millrace.domain.quota import (
    EVALUATIONS,
    GPU_SECONDS,
    LIMITS,
    REQUESTS_A_DAY,
    WARNING_PERCENT,
    bounds_of,
    month_of,
    percentage_of,
    warn,
)


class Quota(Model):
    name: str = Field(
        description="`evaluations` (of a site) and `gpu_seconds` a month, `spend_microusd` a day (millionths "
        "of a dollar); of the key's user `requests_a_day`, `tokens_a_day`, `requests_a_minute`, `live_jobs`."
    )
    site_id: str | None = None
    kinds: list[str] | None = Field(
        default=None, description="Of a limit of the key's user: the kinds of job that count."
    )
    period: str | None = Field(
        default=None, description="By the clock in UTC: `2025-12`, `2025-12-17` or `2025-12-17T10:00`."
    )
    limit: int
    used: int
    remaining: int
    percentage: int = Field(description="Whole percent of the limit, rounded down.")
    resets_at: datetime | None = Field(default=None, description="The first moment of the next period.")
    warning: str | None = Field(default=None, description="A sentence, from 80 percent on.")

    @classmethod
    def of(cls, row: Mapping[str, Any], **more: Any) -> Self:
        used, limit = row["used"], row["most"]
        percentage = percentage_of(used, limit=limit)
        return cls(limit=limit, used=used, remaining=max(limit - used, 0), percentage=percentage, **more)


class Quotas(Model):
    user_id: str = Field(description="The key's user, whom the limits by user are of.")
    limits: list[Quota] = Field(
        description="Those that hold: limits by user only where they are switched on. Of more than a "
        "thousand sites, the first by their ids."
    )


class QuotasAnswer(Model):
    data: Quotas


def of_month(rows: Iterable[Mapping[str, Any]], *, now: datetime) -> Iterable[Quota]:
    """Evaluations of sites, and GPU seconds."""
    month = month_of(now)
    for row in rows:
        meter = EVALUATIONS if "site_id" in row else GPU_SECONDS
        warning = warn(meter, used=row["used"], limit=row["most"], period=month)
        where = {"site_id": row["site_id"]} if "site_id" in row else {}
        yield Quota.of(
            row, name=meter.name, period=month, resets_at=bounds_of(month)[1], warning=warning, **where
        )


def of_spend(row: Mapping[str, Any], *, now: datetime) -> Quota:
    used, limit, day = row["used"], row["most"], REQUESTS_A_DAY.period_of(now)
    said = f"{in_words(used)} of {in_words(limit)} of {day} are spent or set aside."
    warning = said if percentage_of(used, limit=limit) >= WARNING_PERCENT else None
    resets_at = REQUESTS_A_DAY.resets_at(now)
    return Quota.of(row, name="spend_microusd", period=day, resets_at=resets_at, warning=warning)


def of_user(rows: Iterable[Mapping[str, Any]], *, kinds: Sequence[str], now: datetime) -> Iterable[Quota]:
    for row in rows:
        limit = LIMITS[row["name"]]
        period = limit.period_of(now)
        warning = warn(limit, used=row["used"], limit=row["most"], period=period)
        yield Quota.of(
            row,
            name=limit.name,
            kinds=list(kinds),
            period=period or None,
            resets_at=limit.resets_at(now),
            warning=warning,
        )
