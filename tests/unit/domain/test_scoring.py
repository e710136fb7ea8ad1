"""The score: every deduction, every boundary, and what is recommended."""

from dataclasses import replace
from itertools import product

import pytest

from millrace.domain.scoring import (
    FRAUD_SIGNALS,
    REPORTED_RISKS,
    Evidence,
    judge,
    label_of,
    recommend,
)

DOLLAR = 1_000_000
FLAWLESS = Evidence(
    monthly_income_microusd=6_000 * DOLLAR,
    monthly_rent_microusd=2_000 * DOLLAR,
    employment_months=24,
    document_quality="excellent",
)


def deductions(evidence):
    return {deduction.reason: deduction.points for deduction in judge(evidence).breakdown}


def test_flawless_evidence_scores_100_and_is_approved():
    judgement = judge(FLAWLESS)

    assert (judgement.score, judgement.label, judgement.recommendation) == (100, "A", "approve")
    assert judgement.breakdown == judgement.risk_flags == judgement.fraud_signals == ()


@pytest.mark.parametrize(
    ("income", "expected"),
    [
        (0, {"income_under_2_times_rent": -30}),
        (4_000 * DOLLAR - 1, {"income_under_2_times_rent": -30}),
        (4_000 * DOLLAR, {"income_under_2_5_times_rent": -20}),
        (5_000 * DOLLAR - 1, {"income_under_2_5_times_rent": -20}),
        (5_000 * DOLLAR, {"income_under_3_times_rent": -10}),
        (6_000 * DOLLAR - 1, {"income_under_3_times_rent": -10}),
        (6_000 * DOLLAR, {}),
        (10**15, {}),
    ],
)
def test_income_is_compared_with_the_rent_to_the_millionth_of_a_dollar(income, expected):
    assert deductions(replace(FLAWLESS, monthly_income_microusd=income)) == expected


@pytest.mark.parametrize(
    "unknown",
    [
        {"monthly_income_microusd": None},
        {"monthly_rent_microusd": None},
        {"monthly_rent_microusd": 0},
        {"monthly_income_microusd": None, "monthly_rent_microusd": None},
    ],
)
def test_an_unknown_income_or_rent_is_flagged_and_never_taken_for_nothing(unknown):
    judgement = judge(replace(FLAWLESS, **unknown))

    assert judgement.score == 80
    assert judgement.risk_flags == ("income_unverified",)
    assert [deduction.reason for deduction in judgement.breakdown] == ["income_unverified"]


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        (0, {"not_employed": -20}),
        (1, {"employed_under_12_months": -15}),
        (11, {"employed_under_12_months": -15}),
        (12, {"employed_under_24_months": -5}),
        (23, {"employed_under_24_months": -5}),
        (24, {}),
        (480, {}),
    ],
)
def test_employment_counts_by_its_length(months, expected):
    assert deductions(replace(FLAWLESS, employment_months=months)) == expected


def test_an_unknown_employment_is_flagged():
    judgement = judge(replace(FLAWLESS, employment_months=None))

    assert judgement.score == 85
    assert judgement.risk_flags == ("employment_unverified",)


@pytest.mark.parametrize(("quality", "score"), [("excellent", 100), ("good", 95), ("poor", 85)])
def test_documents_that_are_harder_to_read_score_less(quality, score):
    assert judge(replace(FLAWLESS, document_quality=quality)).score == score


@pytest.mark.parametrize(
    ("flag", "points"),
    [
        ("income_below_requirement", -20),
        ("inconsistent_information", -15),
        ("documents_incomplete", -10),
        ("financial_health_poor", -10),
        ("employment_duration_short", 0),
        ("documents_illegible", 0),
    ],
)
def test_each_risk_flag_has_its_price_and_is_kept(flag, points):
    judgement = judge(replace(FLAWLESS, risk_flags=(flag,)))

    assert judgement.score == 100 + points
    assert judgement.risk_flags == (flag,)


@pytest.mark.parametrize(
    ("signal", "points"),
    [
        ("forged_document", -50),
        ("altered_paystub", -50),
        ("fake_employment_letter", -40),
        ("suspicious_bank_statement", -30),
        ("too_perfect_documents", -10),
        ("unusually_high_income", -10),
        ("perfect_score_red_flag", 0),
        ("inconsistent_lifestyle", 0),
    ],
)
def test_each_fraud_signal_has_its_price_and_is_kept(signal, points):
    judgement = judge(replace(FLAWLESS, fraud_signals=(signal,)))

    assert judgement.score == 100 + points
    assert judgement.fraud_signals == (signal,)


def test_the_lists_of_what_a_model_may_report_are_closed():
    assert set(REPORTED_RISKS) == {
        "income_below_requirement",
        "inconsistent_information",
        "documents_incomplete",
        "financial_health_poor",
        "employment_duration_short",
        "documents_illegible",
    }
    assert set(FRAUD_SIGNALS) == {
        "forged_document",
        "altered_paystub",
        "fake_employment_letter",
        "suspicious_bank_statement",
        "too_perfect_documents",
        "unusually_high_income",
        "perfect_score_red_flag",
        "inconsistent_lifestyle",
    }


def test_a_flag_said_twice_counts_once():
    judgement = judge(
        replace(
            FLAWLESS,
            risk_flags=("documents_incomplete", "documents_incomplete"),
            fraud_signals=("altered_paystub", "altered_paystub"),
        )
    )

    assert judgement.score == 40
    assert judgement.risk_flags == ("documents_incomplete",)
    assert judgement.fraud_signals == ("altered_paystub",)


def test_the_score_never_falls_below_0():
    worst = Evidence(0, 2_000 * DOLLAR, 0, "poor", REPORTED_RISKS, FRAUD_SIGNALS)

    judgement = judge(worst)

    assert (judgement.score, judgement.label, judgement.recommendation) == (0, "C", "reject")
    assert sum(deduction.points for deduction in judgement.breakdown) == -310


def test_the_breakdown_adds_up_to_the_score_and_gives_a_reason_for_every_point():
    incomes, months = (None, 0, 4_500 * DOLLAR, 9_000 * DOLLAR), (None, 0, 6, 18, 60)
    risks = ((), ("documents_incomplete", "inconsistent_information"))
    for income, employed, quality, flags in product(incomes, months, ("excellent", "good", "poor"), risks):
        judgement = judge(Evidence(income, 2_000 * DOLLAR, employed, quality, flags))

        assert judgement.score == max(0, 100 + sum(deduction.points for deduction in judgement.breakdown))
        assert all(deduction.points < 0 and deduction.explanation for deduction in judgement.breakdown)


def test_the_same_evidence_always_gives_the_same_judgement():
    evidence = replace(FLAWLESS, employment_months=3, fraud_signals=("unusually_high_income",))

    assert judge(evidence) == judge(evidence)


@pytest.mark.parametrize(
    ("score", "label"), [(100, "A"), (80, "A"), (79, "B"), (50, "B"), (49, "C"), (0, "C")]
)
def test_the_label_follows_the_score(score, label):
    assert label_of(score) == label


@pytest.mark.parametrize(
    ("score", "signals", "expected"),
    [
        (100, (), "approve"),
        (80, (), "approve"),
        (79, (), "approve_with_conditions"),
        (50, (), "approve_with_conditions"),
        (49, (), "reject"),
        (80, ("too_perfect_documents",), "approve_with_verification"),
        (80, ("unusually_high_income",), "approve_with_verification"),
        (79, ("unusually_high_income",), "approve_with_conditions"),
        (49, ("too_perfect_documents",), "reject"),
        (100, ("forged_document",), "reject"),
        (100, ("altered_paystub", "too_perfect_documents"), "reject"),
        (60, ("fake_employment_letter",), "approve_with_conditions"),
    ],
)
def test_what_is_recommended_follows_the_score_and_the_signals(score, signals, expected):
    assert recommend(score, fraud_signals=signals) == expected


def test_an_explanation_names_the_amounts_it_compares():
    judgement = judge(replace(FLAWLESS, monthly_income_microusd=4_250_500_000))

    assert judgement.breakdown[0].explanation == (
        "The documents show $4,250.50 a month for a rent of $2,000.00: less than 2.5 times the rent."
    )
