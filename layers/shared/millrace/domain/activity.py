"""Answers about a lead: how it was judged, by whom else, and all that was done about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from millrace.domain.evaluations import EvaluationView, Model, Recommendation

# What a move, or a person's own decision, is called here.
WORDS = {
    "create": "requested",
    "retry": "retried",
    "complete": "completed",
    "fail": "failed",
    "cancel": "cancelled",
    "override": "overridden",
}


class ExtractedView(Model):
    """What the documents say, as far as they say it. Money is in millionths of a dollar."""

    monthly_income_microusd: int | None = None
    employer: str | None = None
    employment_duration_months: int | None = None
    bank_balance_microusd: int | None = None
    document_quality: Literal["excellent", "good", "poor"] | None = None


class NewestOverride(Model):
    """What a person decided instead."""

    new_recommendation: Recommendation
    reason: str
    overridden_by: str
    overridden_at: datetime


class LeadEvaluation(EvaluationView):
    """A judgement of a lead, and beside it what a person decided instead."""

    job_id: str
    lead_id: str
    extracted_data: ExtractedView
    override: NewestOverride | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "LeadEvaluation":
        """From the evaluation's row and its newest override's."""
        return cls.model_validate({**row, "override": dict(row) if row["override_id"] else None})


class LeadEvaluationAnswer(Model):
    data: LeadEvaluation


class LeadEvaluationList(Model):
    """The newest first."""

    data: list[LeadEvaluation]
    next_cursor: str | None = None

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], *, next_cursor: str | None) -> "LeadEvaluationList":
        return cls(data=[LeadEvaluation.of(row) for row in rows], next_cursor=next_cursor)


class Activity(Model):
    """One thing that was done about a lead, with what is known of it."""

    at: datetime
    what: Literal["requested", "retried", "completed", "failed", "cancelled", "overridden"]
    job_id: str
    evaluation_id: str | None = None
    by: str | None = Field(default=None, description="The person, as the calling system knows them.")
    score: int | None = None
    label: Literal["A", "B", "C"] | None = None
    error_code: str | None = None
    new_recommendation: Recommendation | None = None
    reason: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Activity":
        return cls.model_validate({**row, "what": WORDS[row["move"]], "by": row["person"]})


class ActivityList(Model):
    """The newest first."""

    data: list[Activity]
    next_cursor: str | None = None

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], *, next_cursor: str | None) -> "ActivityList":
        return cls(data=[Activity.of(row) for row in rows], next_cursor=next_cursor)
