"""The money that a tenant's paid calls may cost in a day."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from millrace.domain.money import in_words, to_dollars
from millrace.domain.quota import WARNING_PERCENT, Meter, day_of, percentage_of
from millrace.errors import SpendLimitReached

# In millionths of a dollar.
SPEND = Meter(
    name="spend",
    counter="daily_spend",
    subject="tenant_id",
    period="day",
    used="used",
    limit="quota_limit",
    tiers={},
)
LIMIT_SETTING = "daily_spend_limit"

# What a client reads of a job that was given back because of it.
WAITING = "Waiting: today's spend limit is reached."
WAITING_FOR_OTHERS = "Waiting: what is left of today's spend limit is set aside for jobs that run."
# It is looked at again so often: an operator may raise the limit.
LOOK_AGAIN = timedelta(minutes=15)
# Likewise while there is enough but for what is set aside: most of that comes back when those jobs end.
LOOK_AGAIN_SOON = timedelta(minutes=1)
# Not all of them at once.
SPREAD = timedelta(minutes=1)


def next_day(moment: datetime) -> datetime:
    """The first moment of the UTC day after."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def look_again_at(now: datetime, *, passes: bool, jitter: float) -> datetime:
    """When a job that had to wait is tried again: soon, and with the new day at the latest."""
    return min(now + (LOOK_AGAIN_SOON if passes else LOOK_AGAIN), next_day(now)) + SPREAD * jitter


def say_waiting(*, passes: bool) -> str:
    return WAITING_FOR_OTHERS if passes else WAITING


def refusal(*, cost: int, used: int, set_aside: int, limit: int, now: datetime) -> SpendLimitReached:
    """Why no more may be spent, and when to ask again.

    That is soon when there was enough for the `cost` but for what is set aside, a part of what is `used`.
    """
    passes, renewed = used - set_aside + cost <= limit, next_day(now)
    left = max(limit - used, 0)
    message = f"The spend limit of the day ({in_words(limit)}) is reached: {in_words(left)} are left."
    if passes:
        message += f" {in_words(set_aside)} are set aside for jobs that run. Ask again when they have ended."
    usage: dict[str, Any] = {
        "used_usd": float(to_dollars(used)),
        "set_aside_usd": float(to_dollars(set_aside)),
        "limit_usd": float(to_dollars(limit)),
        "day": day_of(now).isoformat(),
        "resets_at": renewed,
    }
    again = min(now + LOOK_AGAIN_SOON, renewed) if passes else renewed
    headers = {"Retry-After": str(ceil((again - now).total_seconds()))}
    return SpendLimitReached(message, headers=headers, passes=passes, usage=usage)


def warn_of_spending(facts: Mapping[str, Any], *, at: datetime) -> str | None:
    """A sentence for whose job costs money, once most of the day's is spent or set aside."""
    used, limit = facts.get("spent"), facts.get("spend_limit")
    if used is None or limit is None or percentage_of(used, limit=limit) < WARNING_PERCENT:
        return None
    return f"{in_words(used)} of the {in_words(limit)} of {day_of(at)} are spent or set aside."
