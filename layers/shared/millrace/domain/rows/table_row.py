"""What every row model has in common, and the words that more than one table uses."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Tier = Literal["free", "pro", "enterprise"]
Label = Literal["A", "B", "C"]
Facts = dict[str, Any]


class TableRow(BaseModel):
    """A row as the database gives it: every column, no other, nothing converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
