"""Requests and answers about leads: the people who ask for a home. Money is in dollars here."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from millrace.domain.evaluations import Model
from millrace.domain.money import from_dollars, to_dollars

AMOUNTS = ("monthly_income", "monthly_rent")
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

PLAIN = r"^[^\x00-\x1f\x7f]+$"
EMAIL = r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+$"
PHONE = r"^\+?[(0-9][0-9 ()./-]{3,30}$"


def check_day(value: Any) -> Any:
    """A day as people write it. Pydantic would take a number of seconds too."""
    if value is None or (isinstance(value, str) and DAY.fullmatch(value)):
        return value
    raise PydanticCustomError("date_type", "not a day")


Name = Annotated[str, Field(max_length=100, pattern=PLAIN)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000_000)]
Day = Annotated[date, Field(strict=False)]


class PutLead(Model):
    """What is known of a lead. What is left out stays as it is, and null takes away what was there."""

    model_config = ConfigDict(extra="forbid", strict=True)

    first_name: Name | None = Field(default=None, description="Never shown to a model.")
    last_name: Name | None = Field(default=None, description="Never shown to a model.")
    email: Annotated[str, Field(max_length=254, pattern=EMAIL)] | None = Field(
        default=None, description="Never shown to a model."
    )
    phone: Annotated[str, Field(pattern=PHONE)] | None = Field(
        default=None, description="Digits with the usual signs between them. Never shown to a model."
    )
    employment_status: Name | None = Field(default=None, description="In your own words, such as `employed`.")
    monthly_income: Dollars | None = Field(
        default=None, description="What the lead says to earn, in dollars a month. Kept to a millionth."
    )
    monthly_rent: Dollars | None = Field(
        default=None, description="The rent of the home asked for, in dollars a month. Kept to a millionth."
    )
    move_in_date: Annotated[Day | None, BeforeValidator(check_day)] = Field(
        default=None, description="A day, as 2026-02-01."
    )
    status: Literal["new", "approved", "rejected", "withdrawn"] = Field(
        default="new",
        description="A person's decision, or `new` to take it back: then the lead is `ai_evaluated` if it "
        "ever was, else `new`. With none to take back, nothing changes. Other states are the system's.",
    )

    def columns(self) -> dict[str, Any]:
        """What was said, by the columns of its row: money in whole micro-dollars."""
        said = {name: getattr(self, name) for name in sorted(self.model_fields_set)}
        for name in AMOUNTS:
            if name in said:
                said[f"{name}_microusd"] = to_microusd(said.pop(name))
        return said


class LeadView(Model):
    """A lead as it is kept."""

    lead_id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    employment_status: str | None = None
    monthly_income: float | None = Field(default=None, description="In dollars, as the lead says.")
    monthly_rent: float | None = Field(default=None, description="In dollars.")
    move_in_date: date | None = None
    status: Literal["new", "ai_evaluated", "manual_review", "approved", "rejected", "withdrawn"]
    decided_at: datetime | None = Field(default=None, description="When a person decided.")
    ai_score: int | None = None
    ai_label: Literal["A", "B", "C"] | None = None
    latest_evaluation_id: str | None = None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "LeadView":
        dollars = {name: in_dollars(row[f"{name}_microusd"]) for name in AMOUNTS}
        return cls.model_validate({**row, "lead_id": row["id"], **dollars})


class LeadAnswer(Model):
    data: LeadView


class DeletedLead(Model):
    """What is left of a lead: that there was one."""

    lead_id: str
    status: Literal["deleted"] = "deleted"
    deleted_at: datetime


class LeadDeletedAnswer(Model):
    data: DeletedLead


def to_microusd(dollars: float | None) -> int | None:
    """By the digits that the number was written with, and not by the binary fraction nearest to it."""
    return None if dollars is None else from_dollars(Decimal(str(dollars)))


def in_dollars(microusd: int | None) -> float | None:
    """Exact for as many digits as the amounts may have here."""
    return None if microusd is None else float(to_dollars(microusd))
