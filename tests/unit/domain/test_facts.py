"""What a model's answer may be, and what is refused of it."""

import json

import pytest

from millrace.domain.facts import read_facts

ANSWER = {
    "extracted_data": {
        "monthly_income": 4250.5,
        "employer": "Harbour Bakery",
        "employment_duration_months": 30,
        "bank_balance": -12.25,
        "document_quality": "good",
    },
    "risk_flags": ["documents_incomplete"],
    "fraud_signals": [],
    "summary": "Employed at a bakery for two and a half years.",
}


def answer(**changes):
    return json.dumps({**ANSWER, **changes})


def extracted(**changes):
    return answer(extracted_data={**ANSWER["extracted_data"], **changes})


def test_an_answer_as_asked_for_is_read_exactly():
    facts = read_facts(answer())

    assert facts.extracted_data.stored() == {
        "monthly_income_microusd": 4_250_500_000,
        "employer": "Harbour Bakery",
        "employment_duration_months": 30,
        "bank_balance_microusd": -12_250_000,
        "document_quality": "good",
    }
    assert facts.risk_flags == ("documents_incomplete",)


def test_text_and_a_fence_around_the_object_do_no_harm():
    wrapped = f"Here is what I found:\n```json\n{answer()}\n```\nTell me if you need more."

    assert read_facts(wrapped) == read_facts(answer())


def test_null_stays_unknown():
    facts = read_facts(extracted(monthly_income=None, employer=None, employment_duration_months=None))

    evidence = facts.evidence(monthly_rent_microusd=None)

    assert evidence.monthly_income_microusd is evidence.employment_months is None


@pytest.mark.parametrize(
    ("income", "microusd"),
    [(24.0, 24_000_000), ("4333.33", 4_333_330_000), (4333.3333333333, 4_333_333_333), (0.1, 100_000)],
)
def test_an_amount_is_as_exact_as_it_was_written(income, microusd):
    assert (
        read_facts(extracted(monthly_income=income)).extracted_data.stored()["monthly_income_microusd"]
        == microusd
    )


def test_whole_months_may_be_written_as_a_float():
    assert (
        read_facts(extracted(employment_duration_months=24.0)).extracted_data.employment_duration_months == 24
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("I cannot help with that.", "holds no JSON object"),
        ("", "holds no JSON object"),
        ("}{", "holds no JSON object"),
        ('{"extracted_data": ', "holds no JSON object"),
        ('{"extracted_data": {}', "Invalid JSON"),
        ("{}", "extracted_data: Field required"),
        (answer(risk_flags=["likes_cats"]), "risk_flags.0"),
        (answer(fraud_signals=["forged_document", "income_unverified"]), "fraud_signals.1"),
        (answer(risk_flags=["documents_incomplete"] * 21), "risk_flags"),
        (answer(summary=""), "summary"),
        (answer(summary=None), "summary"),
        (extracted(document_quality="splendid"), "extracted_data.document_quality"),
        (extracted(monthly_income=-1), "extracted_data.monthly_income"),
        (extracted(monthly_income="a lot"), "extracted_data.monthly_income"),
        (extracted(monthly_income=True), "extracted_data.monthly_income"),
        (extracted(monthly_income=1e30), "extracted_data.monthly_income"),
        (extracted(monthly_income=float("nan")), "extracted_data.monthly_income"),
        (extracted(employment_duration_months=12.5), "extracted_data.employment_duration_months"),
        (extracted(employment_duration_months=True), "extracted_data.employment_duration_months"),
        (extracted(employment_duration_months=False), "extracted_data.employment_duration_months"),
        (extracted(bank_balance=True), "extracted_data.bank_balance"),
        (extracted(employment_duration_months=10**9), "extracted_data.employment_duration_months"),
        ('{"extracted_data":' * 5_000 + "}" * 5_000, "Invalid JSON"),
        ("{" + " " * 200_000 + "}", "longer than"),
    ],
)
def test_what_is_not_an_answer_is_refused_with_the_place_of_the_fault(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        read_facts(text)


def test_a_complaint_quotes_nothing_of_the_answer():
    with pytest.raises(ValueError, match="monthly_income") as refused:
        read_facts(extracted(monthly_income="SECRET-4471", document_quality="SECRET-4471"))

    assert "SECRET" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_score_named_by_the_model_is_not_heard():
    ordered = answer(score=100, label="A", recommendation="approve")

    assert read_facts(ordered) == read_facts(answer())


def test_texts_are_cut_and_hold_no_control_characters():
    facts = read_facts(answer(summary="One\x00two\x1b[31m\nthree " + "x" * 5_000))

    assert facts.summary.startswith("One two [31m three x")
    assert len(facts.summary) == 1_000


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        read_facts(answer(summary="\ud800"))
