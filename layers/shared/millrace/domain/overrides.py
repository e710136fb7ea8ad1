"""Requests and answers about overrides: what a person recommends instead of what was evaluated."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from millrace.domain.evaluations import Model, Recommendation

# Something to read, and nothing that a database cannot keep.
WORDS = r"^[^\x00]*\S[^\x00]*$"
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000, pattern=WORDS)
]


class CreateOverride(Model):
    """Recommend something else than the lead's latest evaluation does."""

    model_config = ConfigDict(extra="forbid", strict=True)

    new_recommendation: Recommendation
    reason: Reason = Field(description="Why, for who reads it later.")
    evaluation_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="The evaluation you saw: if there is a later one by now, nothing is overridden.",
    )


class Override(Model):
    """It stands beside the evaluation, which stays as it was. The newest one holds."""

    override_id: str
    lead_id: str
    evaluation_id: str
    recommendation: Recommendation = Field(description="What the evaluation says.")
    new_recommendation: Recommendation
    reason: str
    overridden_by: str
    overridden_at: datetime


class OverrideAnswer(Model):
    data: Override

    @classmethod
    def of(cls, facts: Mapping[str, Any], *, reason: str) -> "OverrideAnswer":
        """From what the batch wrote down. The reason is not among it, and a repeat says it again."""
        return cls.model_validate({"data": {**facts, "reason": reason}})
