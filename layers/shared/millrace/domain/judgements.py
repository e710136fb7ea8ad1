"""What an evaluation ends with: the judgement of one lead, as its row keeps it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from millrace.domain.questions import ModelAnswer
from millrace.domain.scoring import Judgement


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every list and dict is JSON as it is."""

    id: str
    score: int
    label: str
    recommendation: str
    summary: str
    risk_flags: list[str]
    fraud_signals: list[str]
    extracted_data: dict[str, Any]
    score_breakdown: list[dict[str, Any]]
    warnings: list[str]
    model_version: str
    evaluated_at: datetime

    @classmethod
    def of(
        cls, judgement: Judgement, *, answers: Sequence[ModelAnswer], evaluation_id: str, summary: str,
        extracted_data: dict[str, Any], warnings: Sequence[str], evaluated_at: datetime,
    ) -> Self:  # fmt: skip
        return cls(
            id=evaluation_id,
            score=judgement.score,
            label=judgement.label,
            recommendation=judgement.recommendation,
            summary=summary,
            risk_flags=list(judgement.risk_flags),
            fraud_signals=list(judgement.fraud_signals),
            extracted_data=extracted_data,
            score_breakdown=[asdict(deduction) for deduction in judgement.breakdown],
            warnings=[*warnings, *answers[-1].warnings],
            model_version=answers[-1].model_version,
            evaluated_at=evaluated_at,
        )
