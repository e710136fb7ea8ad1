"""What is sold and how much of it each tier has. The one place where the numbers are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any, Literal

from millrace.errors import JobFailure, RateLimited


@dataclass(frozen=True, slots=True)
class Meter:
    """Something sold by the period: the counter's table, and that table's own words.

    `shares_counter`: the table counts other meters too, each in rows that have its name as their `meter`.
    """

    name: str
    counter: str
    subject: str
    period: str
    used: str
    limit: str
    tiers: Mapping[str, int]
    shares_counter: bool = False

    def its_rows(self, alias: str) -> str:
        """A further condition on the counter's rows under this name, as SQL."""
        return f" AND {alias}.meter = '{self.name}'" if self.shares_counter else ""


EVALUATIONS = Meter(
    name="evaluations",
    counter="ai_evaluation_usage",
    subject="site_id",
    period="month",
    used="evaluation_count",
    limit="quota_limit",
    tiers={"free": 20, "pro": 100, "enterprise": 1_000},
)
GPU_SECONDS = Meter(
    name="gpu_seconds",
    counter="monthly_usage",
    subject="tenant_id",
    period="month",
    used="used",
    limit="quota_limit",
    tiers={"free": 600, "pro": 18_000, "enterprise": 180_000},
    shares_counter=True,
)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a key's user may ask for, by the key's tier. A tenant's column of this name goes before the tier.

    It begins anew with each UTC minute or day. `window` None: it is about what is there at the moment.
    """

    name: str
    window: Literal["minute", "day"] | None
    tiers: Mapping[str, int]

    @property
    def words(self) -> str:
        return self.name.replace("_", " ")

    def period_of(self, moment: datetime) -> str:
        """As 2025-12-17T10:00 or 2025-12-17: text that sorts as time does. Empty without a window."""
        shapes = {"minute": "%Y-%m-%dT%H:%M", "day": "%Y-%m-%d"}
        return moment.astimezone(UTC).strftime(shapes[self.window]) if self.window else ""

    def resets_at(self, moment: datetime) -> datetime | None:
        """The first moment of the next minute or day."""
        if self.window is None:
            return None
        begun = moment.astimezone(UTC).replace(second=0, microsecond=0)
        if self.window == "minute":
            return begun + timedelta(minutes=1)
        return begun.replace(hour=0, minute=0) + timedelta(days=1)


REQUESTS_A_MINUTE = Limit("requests_a_minute", "minute", {"free": 5, "pro": 20, "enterprise": 60})
REQUESTS_A_DAY = Limit("requests_a_day", "day", {"free": 50, "pro": 500, "enterprise": 5_000})
TOKENS_A_DAY = Limit("tokens_a_day", "day", {"free": 100_000, "pro": 1_000_000, "enterprise": 10_000_000})
LIVE_JOBS = Limit("live_jobs", None, {"free": 1, "pro": 3, "enterprise": 10})
# Of several that are reached the first is named: what takes longest to come back.
USER_LIMITS = (REQUESTS_A_DAY, TOKENS_A_DAY, REQUESTS_A_MINUTE, LIVE_JOBS)
LIMITS: Mapping[str, Limit] = {limit.name: limit for limit in USER_LIMITS}
WINDOW_SECONDS: Mapping[str, int] = {
    limit.name: 60 if limit.window == "minute" else 86_400 for limit in USER_LIMITS if limit.window
}
# When it is worth asking again whether one of one's jobs has ended.
LIVE_JOBS_AGAIN_SECONDS = 5


def charged_failures(failure: type[JobFailure] = JobFailure) -> Iterator[str]:
    """The names of those of its kinds, and of their kinds, that are paid for."""
    return (kind.__name__ for kind in _kinds(failure) if kind.keeps_charge)


def failures_of_unknown_cost() -> Iterator[str]:
    """The names of those after which nobody may know yet what the attempt has cost."""
    return (kind.__name__ for kind in _kinds(JobFailure) if kind.cost_unknown)


def _kinds(failure: type[JobFailure]) -> Iterator[type[JobFailure]]:
    for kind in failure.__subclasses__():
        yield kind
        yield from _kinds(kind)


# From so much on, answers say how much of a limit is used.
WARNING_PERCENT = 80


def percentage_of(used: int, *, limit: int) -> int:
    """Whole percent, rounded down. Of nothing, all is used."""
    return used * 100 // limit if limit else 100


def warn(meter: Meter | Limit, *, used: int, limit: int, period: str) -> str | None:
    """A sentence for who has used most or all of a limit, or more: it may have been lowered meanwhile."""
    if percentage_of(used, limit=limit) < WARNING_PERCENT:
        return None
    sold = meter.name.replace("_", " ")
    return f"{used} of {limit} {sold}{f' of {period}' if period else ''} are used."


def refuse_more(limit: Limit, used: int, most: int, *, now: datetime) -> RateLimited | None:
    """Whoever has used that much may ask for no more now, and when they may again. None: they may."""
    if used < most:
        return None
    told: dict[str, Any] = {"name": limit.name, "used": used, "limit": most}
    again, seconds = "Repeat the request when one of them has ended.", LIVE_JOBS_AGAIN_SECONDS
    if resets_at := limit.resets_at(now):
        told |= {"resets_at": resets_at}
        again = f"It begins anew at {resets_at:%Y-%m-%dT%H:%MZ}."
        seconds = ceil((resets_at - now).total_seconds())
    message = f"The limit of {most:,} {limit.words} is reached. {again}"
    return RateLimited(message, headers={"Retry-After": str(seconds)}, usage=told)


def day_of(moment: datetime) -> date:
    """The UTC day."""
    return moment.astimezone(UTC).date()


def month_of(moment: datetime) -> str:
    """The UTC month, as `2025-12`."""
    return moment.astimezone(UTC).strftime("%Y-%m")


def bounds_of(month: str) -> tuple[datetime, datetime]:
    """`2025-12` as its first moment and the next month's."""
    begins = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return begins, (begins + timedelta(days=31)).replace(day=1)
