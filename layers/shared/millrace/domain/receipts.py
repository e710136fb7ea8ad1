"""The answer about what a job was charged, and what it has used of models and GPUs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from millrace.domain.evaluations import Model


class LedgerEntry(Model):
    """`reserve` charges, and `settle` keeps the charge or `release` gives it back: one of them, once."""

    at: datetime
    meter: str = Field(description="What is sold; and `spend`, the day's money, in millionths of a dollar.")
    period: str = Field(description="What it was charged to, such as the month `2025-12`.")
    kind: Literal["reserve", "settle", "release"]
    amount: int = Field(description="By how much it changed what is used of the meter.")
    used_after: int = Field(description="What was used in the period then, of all jobs.")
    limit: int = Field(description="The limit as it was then.")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "LedgerEntry":
        return cls.model_validate({**row, "at": row["created_at"], "limit": row["limit_then"]})


class MeteredCall(Model):
    """A call of a model that was answered, or an attempt on a GPU."""

    at: datetime
    attempt: int
    model: str = Field(description="Or `runpod`, whose GPU it was.")
    input_tokens: int
    output_tokens: int
    gpu_seconds: int
    cost_microusd: int = Field(description="Millionths of a dollar.")
    duration_ms: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "MeteredCall":
        return cls.model_validate({**row, "at": row["timestamp"]})


class Totals(Model):
    charged: dict[str, int] = Field(description="By meter, what the entries come to.")
    calls: int
    input_tokens: int
    output_tokens: int
    gpu_seconds: int
    cost_microusd: int
    duration_ms: int


class Receipt(Model):
    job_id: str
    kind: str
    entries: list[LedgerEntry] = Field(description="The oldest first.")
    calls: list[MeteredCall] = Field(description="The oldest first, a thousand at most. The totals have all.")
    totals: Totals


class ReceiptAnswer(Model):
    data: Receipt


def charged_of(entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    charged: dict[str, int] = {}
    for entry in entries:
        charged[entry["meter"]] = charged.get(entry["meter"], 0) + entry["amount"]
    return charged
