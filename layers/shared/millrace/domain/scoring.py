"""From facts to a score, a label and a recommendation: ours, deterministic, and able to say why.

A model says what the documents hold; it never says how a person scores.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from millrace.domain.money import in_words

Label = Literal["A", "B", "C"]
Recommendation = Literal["approve", "approve_with_verification", "approve_with_conditions", "reject"]
Quality = Literal["excellent", "good", "poor"]
ReportedRisk = Literal[
    "income_below_requirement",
    "employment_duration_short",
    "inconsistent_information",
    "documents_incomplete",
    "documents_illegible",
    "financial_health_poor",
]
FraudSignal = Literal[
    "forged_document",
    "altered_paystub",
    "fake_employment_letter",
    "suspicious_bank_statement",
    "inconsistent_lifestyle",
    "too_perfect_documents",
    "perfect_score_red_flag",
    "unusually_high_income",
]
# The last two are what the scoring itself finds missing; a model does not report them.
RiskFlag = ReportedRisk | Literal["income_unverified", "employment_unverified"]

REPORTED_RISKS: tuple[ReportedRisk, ...] = get_args(ReportedRisk)
FRAUD_SIGNALS: tuple[FraudSignal, ...] = get_args(FraudSignal)

HIGHEST, LOWEST = 100, 0
LEAST_FOR_A, LEAST_FOR_B = 80, 50


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a lead. None means unknown, which is never the same as nothing."""

    monthly_income_microusd: int | None
    monthly_rent_microusd: int | None
    employment_months: int | None
    document_quality: Quality
    risk_flags: tuple[ReportedRisk, ...] = ()
    fraud_signals: tuple[FraudSignal, ...] = ()


@dataclass(frozen=True, slots=True)
class Deduction:
    """`reason` for programs, `points` below zero, `explanation` for people."""

    reason: str
    points: int
    explanation: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """`breakdown` holds every deduction: 100 and its points make the score, or 0 where they go below."""

    score: int
    label: Label
    recommendation: Recommendation
    risk_flags: tuple[RiskFlag, ...]
    fraud_signals: tuple[FraudSignal, ...]
    breakdown: tuple[Deduction, ...]


# Each list is walked from the worst; the first that holds is deducted.
FOR_INCOME: Sequence[tuple[int, str, int]] = (
    (20, "income_under_2_times_rent", -30),
    (25, "income_under_2_5_times_rent", -20),
    (30, "income_under_3_times_rent", -10),
)
FOR_EMPLOYMENT: Sequence[tuple[int, str, int, str]] = (
    (1, "not_employed", -20, "The documents show no current employment of a month or more."),
    (12, "employed_under_12_months", -15, "They have been employed there for less than a year."),
    (24, "employed_under_24_months", -5, "They have been employed there for less than two years."),
)
FOR_QUALITY: Mapping[Quality, tuple[str, int, str]] = {
    "good": ("documents_of_good_quality", -5, "The documents are readable but not flawless."),
    "poor": ("documents_of_poor_quality", -15, "The documents are hard to read."),
}
FOR_RISKS: Mapping[ReportedRisk, tuple[int, str]] = {
    "income_below_requirement": (-20, "By the documents the income does not meet the requirement."),
    "inconsistent_information": (-15, "The documents contradict each other or what was stated."),
    "documents_incomplete": (-10, "Documents or pages are missing."),
    "financial_health_poor": (-10, "The bank statements show overdrafts or returned payments."),
}
FOR_SIGNALS: Mapping[FraudSignal, tuple[int, str]] = {
    "forged_document": (-50, "A document appears to be forged."),
    "altered_paystub": (-50, "A pay slip appears to be altered."),
    "fake_employment_letter": (-40, "An employment letter appears not to be genuine."),
    "suspicious_bank_statement": (-30, "A bank statement does not add up."),
    "too_perfect_documents": (-10, "The documents are more even than real ones are."),
    "unusually_high_income": (-10, "The income is unusually high and should be verified."),
}
UNVERIFIED: Sequence[Literal["income_unverified", "employment_unverified"]] = (
    "income_unverified",
    "employment_unverified",
)
FORGERIES = frozenset[FraudSignal]({"forged_document", "altered_paystub"})
TO_BE_VERIFIED = frozenset[FraudSignal]({"too_perfect_documents", "unusually_high_income"})


def judge(evidence: Evidence) -> Judgement:
    risks = tuple(dict.fromkeys(evidence.risk_flags))
    signals = tuple(dict.fromkeys(evidence.fraud_signals))
    breakdown = (
        *_for_income(evidence),
        *_for_employment(evidence.employment_months),
        *_for_quality(evidence.document_quality),
        *(Deduction(risk, *FOR_RISKS[risk]) for risk in risks if risk in FOR_RISKS),
        *(Deduction(signal, *FOR_SIGNALS[signal]) for signal in signals if signal in FOR_SIGNALS),
    )
    found = {deduction.reason for deduction in breakdown}
    score = max(LOWEST, min(HIGHEST, HIGHEST + sum(deduction.points for deduction in breakdown)))
    return Judgement(
        score=score,
        label=label_of(score),
        recommendation=recommend(score, fraud_signals=signals),
        risk_flags=(*risks, *(flag for flag in UNVERIFIED if flag in found)),
        fraud_signals=signals,
        breakdown=breakdown,
    )


def label_of(score: int) -> Label:
    if score >= LEAST_FOR_A:
        return "A"
    return "B" if score >= LEAST_FOR_B else "C"


def recommend(score: int, *, fraud_signals: Iterable[FraudSignal]) -> Recommendation:
    signals = frozenset(fraud_signals)
    if signals & FORGERIES:
        return "reject"
    if score >= LEAST_FOR_A:
        return "approve_with_verification" if signals & TO_BE_VERIFIED else "approve"
    return "approve_with_conditions" if score >= LEAST_FOR_B else "reject"


def _for_income(evidence: Evidence) -> Iterator[Deduction]:
    income, rent = evidence.monthly_income_microusd, evidence.monthly_rent_microusd
    if income is None:
        yield Deduction("income_unverified", -20, "The documents do not show what the monthly income is.")
    elif not rent:
        yield Deduction(
            "income_unverified", -20, "The rent is unknown, so the income cannot be compared with it."
        )
    else:
        for times_ten, reason, points in FOR_INCOME:
            if income * 10 < rent * times_ten:
                shown = f"The documents show {in_words(income)} a month for a rent of {in_words(rent)}"
                yield Deduction(reason, points, f"{shown}: less than {times_ten / 10:g} times the rent.")
                return


def _for_employment(months: int | None) -> Iterator[Deduction]:
    if months is None:
        yield Deduction(
            "employment_unverified", -15, "The documents do not show for how long they have been employed."
        )
    else:
        for below, reason, points, explanation in FOR_EMPLOYMENT:
            if months < below:
                yield Deduction(reason, points, explanation)
                return


def _for_quality(quality: Quality) -> Iterator[Deduction]:
    if quality in FOR_QUALITY:
        yield Deduction(*FOR_QUALITY[quality])
