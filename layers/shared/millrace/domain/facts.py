"""What a model may say of a lead's documents: facts from closed lists, bounded, and no verdict."""

import unicodedata
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from millrace.domain.money import from_dollars
from millrace.domain.scoring import Evidence, FraudSignal, Quality, ReportedRisk

MOST_CHARACTERS = 100_000


def without_controls(value: Any) -> Any:
    """A database cannot keep U+0000, and nobody needs the others in one line of text."""
    if not isinstance(value, str):
        return value
    return " ".join("".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in value).split())


def cut_to(length: int) -> BeforeValidator:
    return BeforeValidator(lambda value: value[:length] if isinstance(value, str) else value)


def no_truth(value: Any) -> Any:
    """JSON's true and false would be counted as 1 and 0, which nobody wrote."""
    if isinstance(value, bool):
        raise ValueError("Input should be a number")  # noqa: TRY004 - pydantic makes complaints of these only
    return value


Dollars = Annotated[
    Decimal, Field(ge=-1_000_000_000, le=1_000_000_000, allow_inf_nan=False), BeforeValidator(no_truth)
]
Employer = Annotated[str, cut_to(200), BeforeValidator(without_controls)]
Summary = Annotated[str, Field(min_length=1), cut_to(1_000), BeforeValidator(without_controls)]


class Answered(BaseModel):
    """Unknown fields are left out, not refused: a model that also names a score changes nothing by it."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class ExtractedData(Answered):
    """null means that the documents do not say. Money is in dollars, as documents and models write it."""

    monthly_income: Annotated[Dollars, Field(ge=0)] | None
    employer: Employer | None
    employment_duration_months: Annotated[int, Field(ge=0, le=1_200), BeforeValidator(no_truth)] | None
    bank_balance: Dollars | None
    document_quality: Quality

    def stored(self) -> dict[str, Any]:
        """As rows keep it: money in whole micro-dollars."""
        return {
            "monthly_income_microusd": microusd(self.monthly_income),
            "employer": self.employer,
            "employment_duration_months": self.employment_duration_months,
            "bank_balance_microusd": microusd(self.bank_balance),
            "document_quality": self.document_quality,
        }


class Facts(Answered):
    extracted_data: ExtractedData
    risk_flags: Annotated[tuple[ReportedRisk, ...], Field(max_length=20)]
    fraud_signals: Annotated[tuple[FraudSignal, ...], Field(max_length=20)]
    summary: Summary

    def evidence(self, *, monthly_rent_microusd: int | None) -> Evidence:
        return Evidence(
            monthly_income_microusd=microusd(self.extracted_data.monthly_income),
            monthly_rent_microusd=monthly_rent_microusd,
            employment_months=self.extracted_data.employment_duration_months,
            document_quality=self.extracted_data.document_quality,
            risk_flags=self.risk_flags,
            fraud_signals=self.fraud_signals,
        )


def microusd(dollars: Decimal | None) -> int | None:
    return None if dollars is None else from_dollars(dollars)


def read_facts(text: str) -> Facts:
    """The facts in a model's answer, whatever it wrote around them.

    Raises ValueError, which says what is wrong so that a model can act on it, and quotes nothing of the
    answer: the message may be logged, what documents hold may not.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"The answer is longer than {MOST_CHARACTERS} characters.")
    start, end = text.find("{"), text.rfind("}") + 1
    if start < 0 or end <= start:
        raise ValueError("The answer holds no JSON object.")
    try:
        return Facts.model_validate_json(text[start:end])
    except ValidationError as error:
        raise ValueError(complaint(error)) from None


def complaint(error: ValidationError) -> str:
    faults = error.errors(include_input=False, include_context=False, include_url=False)
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'the answer'}: {fault['msg']}" for fault in faults[:20]
    )
