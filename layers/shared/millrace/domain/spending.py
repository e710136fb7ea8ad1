"""The money that a tenant's paid calls may cost in a day."""

from datetime import UTC, datetime, timedelta
from typing import Any

from millrace.domain.money import in_words, to_dollars
from millrace.domain.quota import Meter, day_of
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
# It is looked at again so often: what others had reserved may come back, and an operator may raise the limit.
LOOK_AGAIN = timedelta(minutes=15)
# Not all of them at once.
SPREAD = timedelta(minutes=1)


def next_day(moment: datetime) -> datetime:
    """The first moment of the UTC day after."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def look_again_at(now: datetime, *, jitter: float) -> datetime:
    """When a job that had to wait is tried again: soon, and with the new day at the latest."""
    return min(now + LOOK_AGAIN, next_day(now)) + SPREAD * jitter


def refusal(*, used: int, limit: int, now: datetime) -> SpendLimitReached:
    """Why no more may be spent, and when there will be a day to spend anew."""
    renewed = next_day(now)
    left = max(limit - used, 0)
    message = f"The spend limit of the day ({in_words(limit)}) is reached: {in_words(left)} are left."
    usage: dict[str, Any] = {
        "used_usd": float(to_dollars(used)),
        "limit_usd": float(to_dollars(limit)),
        "day": day_of(now).isoformat(),
        "resets_at": renewed,
    }
    seconds = int((renewed - now).total_seconds()) + 1
    return SpendLimitReached(message, headers={"Retry-After": str(seconds)}, usage=usage)
