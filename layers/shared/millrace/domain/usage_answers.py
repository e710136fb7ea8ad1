"""The answer about what a tenant's jobs have used: of which days, grouped by what, and what that cost."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from millrace.domain.evaluations import Model
from millrace.domain.money import to_dollars
from millrace.errors import InvalidRequest

MOST_DAYS = 366
DAY = r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"

GroupBy = Annotated[
    Literal["day", "model", "kind", "site", "user"], Field(description="What each row is about.")
]
FirstDay = Annotated[
    str | None,
    Field(pattern=DAY, description="The first day, by the clock in UTC. Without it that of the month."),
]
LastDay = Annotated[
    str | None,
    Field(pattern=DAY, description="The last day, which counts too. Without it today."),
]


class Used(Model):
    """Of models and GPUs."""

    calls: int = Field(description="Calls of a model that were answered, and attempts on a GPU.")
    input_tokens: int
    output_tokens: int
    gpu_seconds: int
    cost_microusd: int = Field(description="Millionths of a dollar.")
    cost_usd: float

    @classmethod
    def of(cls, row: Mapping[str, Any], **more: Any) -> Self:
        return cls(**row, cost_usd=float(to_dollars(row["cost_microusd"])), **more)


class UsedByGroup(Used):
    group: str | None = Field(
        default=None,
        description="The day, the model, the kind of job, the site or the key's user. A job without a site "
        "has none.",
    )


class Usage(Model):
    """Whatever became of the jobs."""

    from_: date = Field(serialization_alias="from")
    to: date
    group_by: GroupBy
    rows: list[UsedByGroup] = Field(
        description="Days in their order, and all else by what it cost: a thousand at most."
    )
    totals: Used = Field(description="Of all rows, also of those that are not shown.")

    @classmethod
    def of(
        cls, rows: Iterable[Mapping[str, Any]], *, totals: Mapping[str, Any], days: "Days", group_by: str
    ) -> Self:
        shown = [UsedByGroup.of(row) for row in rows]
        told = {"from_": days.first, "to": days.last, "group_by": group_by}
        return cls(**told, rows=shown, totals=Used.of(totals))


class UsageAnswer(Model):
    data: Usage


class Days(Model):
    """Which days are asked about, both ends with them."""

    first: date
    last: date

    @classmethod
    def of(cls, first: str | None, last: str | None, *, today: date) -> Self:
        """By default this month, or that of the last day. InvalidRequest says what to change."""
        until = today if last is None else read_day(last, name="to")
        since = until.replace(day=1) if first is None else read_day(first, name="from")
        if since > until:
            raise refuse("from", f"must not be after {until}")
        if until - since >= timedelta(days=MOST_DAYS):
            raise refuse("from", f"must not be before {until - timedelta(days=MOST_DAYS - 1)}")
        return cls(first=since, last=until)


def read_day(text: str, *, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise refuse(name, "must be a day that there is, such as 2025-12-17") from None


def refuse(name: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"{name} {why}.", fields=[{"field": name, "message": why}])
