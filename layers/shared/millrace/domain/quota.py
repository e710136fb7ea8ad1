"""What is sold and how much of it each tier has. The one place where the numbers are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from millrace.errors import JobFailure


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


def charged_failures(failure: type[JobFailure] = JobFailure) -> Iterator[str]:
    """The names of those of its kinds, and of their kinds, that are paid for."""
    for kind in failure.__subclasses__():
        if kind.keeps_charge:
            yield kind.__name__
        yield from charged_failures(kind)


# From so much on, answers say how much of a limit is used.
WARNING_PERCENT = 80


def percentage_of(used: int, *, limit: int) -> int:
    """Whole percent, rounded down. Of nothing, all is used."""
    return used * 100 // limit if limit else 100


def warn(meter: Meter, *, used: int, limit: int, period: str) -> str | None:
    """A sentence for who has used most or all of a limit, or more: it may have been lowered meanwhile."""
    if percentage_of(used, limit=limit) < WARNING_PERCENT:
        return None
    sold = meter.name.replace("_", " ")
    return f"{used} of {limit} {sold} of {period} are used."


def month_of(moment: datetime) -> str:
    """The UTC month, as `2025-12`."""
    return moment.astimezone(UTC).strftime("%Y-%m")


def bounds_of(month: str) -> tuple[datetime, datetime]:
    """`2025-12` as its first moment and the next month's."""
    begins = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return begins, (begins + timedelta(days=31)).replace(day=1)
