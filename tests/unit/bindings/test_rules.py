"""The model `local/rules`: what it finds in documents, and what in them it does not believe."""

from decimal import Decimal

import pytest

from local.demo_papers import DOCUMENTS, papers_in, read_cases
from local.demo_pdf import write_pdf
from millrace.bindings.ai.rules import Rules
from millrace.domain.facts import read_facts
from millrace.domain.money import from_dollars
from millrace.domain.questions import Document, Question
from millrace.domain.scoring import judge
from tests.papers import found, letter, read, slip, statement

CASES = {case["case"]: case for case in read_cases()}
TEXT, PDF = "text/plain", "application/pdf"


def texts_of(case):
    return [(DOCUMENTS / case["case"] / file).read_text() for file in case["documents"]]


def documents_of(case, *, forms):
    """As they were written, all as PDFs, or each in the form in which the demo's leads hand it in."""
    if forms == "as handed in":
        return [(paper.mime_type, paper.content) for paper in papers_in(case)]
    return [(forms, write_pdf(text) if forms == PDF else text.encode()) for text in texts_of(case)]


@pytest.mark.parametrize("forms", [TEXT, PDF, "as handed in"])
@pytest.mark.parametrize("name", CASES)
def test_the_demo_documents_are_judged_as_they_were_made_to_be(name, forms):
    case = CASES[name]
    stated = {"stated_monthly_income": case["stated_monthly_income"]} if case["stated_monthly_income"] else {}
    documents = tuple(
        Document(f"Document {place}", mime_type, content)
        for place, (mime_type, content) in enumerate(documents_of(case, forms=forms), start=1)
    )

    answer = Rules().run("local/rules", Question("Read.", given=stated, documents=documents))

    facts = read_facts(answer.text)
    assert answer.warnings == ()
    judgement = judge(facts.evidence(monthly_rent_microusd=from_dollars(Decimal(case["monthly_rent"]))))
    assert judgement.score == case["score"]
    assert (judgement.label, judgement.recommendation) == (case["label"], case["recommendation"])


def test_no_summary_names_the_person():
    people = ("Lindqvist", "Okonjo", "Whitcombe", "Pell", "Harrow", "Vance")
    for case in CASES.values():
        summary = read(*texts_of(case)).summary

        assert not any(person in summary for person in people)


@pytest.mark.parametrize(
    ("period", "income"),
    [
        ("11/03/2025 - 11/09/2025", "8666.67"),
        ("11/03/2025 - 11/16/2025", "4333.33"),
        ("11/01/2025 - 11/15/2025", "4000.00"),
        ("02/16/2025 - 02/28/2025", "4000.00"),
        ("2025-10-01 - 2025-10-31", "2000.00"),
        ("1 February 2024 to 29 February 2024", "2000.00"),
        ("11/14/2025 (bi-weekly)", "4333.33"),
        ("November, paid twice a month", "4000.00"),
        ("of five days", None),
    ],
)
def test_pay_becomes_monthly_by_how_often_it_is_paid(period, income):
    data = found(slip(period=period))

    assert data.monthly_income == (None if income is None else Decimal(income))


@pytest.mark.parametrize(
    ("said", "income"),
    [
        ("Her annual salary is $52,000.", "4333.33"),
        ("She earns $52,000 per annum.", "4333.33"),
        ("A gross monthly salary of $4,420.50 is paid.", "4420.50"),
        ("Her wage is $25.00 an hour for 30 hours per week.", "3250.00"),
        ("Her wage is $25.00/hour; the position is full-time.", "4333.33"),
        ("Her wage is $25.00 per hour.", None),
        ("An annual bonus of $9,000 is possible. She is paid $1,000.00 each week.", "4333.33"),
        ("She has a parking place worth $100.00.", None),
    ],
)
def test_a_letter_s_salary_is_found_in_its_sentences(said, income):
    data = found(letter(said))

    assert data.monthly_income == (None if income is None else Decimal(income))


@pytest.mark.parametrize(
    ("said", "months"),
    [
        ("She has worked here since March 2022.", 44),
        ("She joined us on 4 November 2024.", 11),
        ("Date of hire: 2025-10-03.", 1),
        ("She has been with us for the past three years.", 36),
        ("She has been with us for 2 years and 4 months.", 28),
        ("Length of service: eighteen months.", 18),
        ("Her employment ended on 1 October 2025, after she was hired in May 2020.", 0),
        ("We offer her the position; her start date is December 1, 2025.", None),
        ("She has worked here since 1 January 1901.", None),
        ("She is a good colleague.", None),
    ],
)
def test_a_letter_s_length_of_employment_is_counted_to_its_date(said, months):
    assert found(letter(said)).employment_duration_months == months


def test_slips_of_one_employer_are_averaged_and_those_of_two_are_added():
    ours = slip(gross="$2,000.00", deducted="$420.55", net="$1,579.45")
    more = slip(gross="$2,200.00", deducted="$520.55", net="$1,679.45")
    other = slip(gross="$501.00", deducted="$1.00", net="$500.00").replace(
        "Harbour Bakery", "Quay Street School"
    )

    assert found(ours, more).monthly_income == Decimal("4200.00")
    assert found(ours, more, other).monthly_income == Decimal("5202.00")


def test_without_a_slip_or_a_letter_the_wages_paid_in_count():
    paid = (
        statement()
        + "Statement period 10/01/2025 - 10/31/2025\n10/15 PAYROLL 1,000.25\n10/31 PAYROLL 1,000.25\n"
    )

    assert found(paid).monthly_income == Decimal("2000.50")


def test_the_latest_statement_gives_the_balance():
    older = statement(closing="1,500.25") + "Statement date: 09/30/2025\n"
    newer = statement(paid_out="1,900.25", closing="1,100.25") + "Statement date: 10/31/2025\n"

    assert found(newer, older).bank_balance == found(older, newer).bank_balance == Decimal("1100.25")


@pytest.mark.parametrize(
    ("document", "signal"),
    [
        (slip(net="$1,979.45"), "altered_paystub"),
        (slip(gross="$2,000.00   YTD $1,400.00"), "altered_paystub"),
        (letter("She has worked here since March 2026."), "fake_employment_letter"),
        (letter("She has worked here for nine years, since March 2024."), "fake_employment_letter"),
        (statement(closing="9,500.25"), "suspicious_bank_statement"),
        (slip() + "Made with PayStub Generator\n", "forged_document"),
        (slip().replace("Harbour Bakery LLC", "[Company Name]"), "forged_document"),
    ],
)
def test_what_does_not_add_up_is_signalled(document, signal):
    assert read(document).fraud_signals == (signal,)


@pytest.mark.parametrize(
    "document",
    [
        slip(),
        slip(gross="$2,000.00   YTD $44,000.00"),
        slip(net="$1,500.45") + "Total taxes   $79.00\n",
        slip(deducted="see reverse"),
        letter("She has worked here for three years, since March 2022."),
        letter("We are happy to offer her work. She will start on December 1, 2025."),
        statement(),
        statement(closing="1,488.25", fees="Service fees 12.00"),
        statement(fees="Service fees 12.00 (of the withdrawals)"),
        statement(closing="not yet known"),
    ],
)
def test_an_honest_document_is_given_the_benefit_of_the_doubt(document):
    assert read(document).fraud_signals == ()


def test_even_amounts_alone_are_too_perfect():
    even = slip(gross="$8,000.00", deducted="$2,000.00", net="$6,000.00")

    assert read(even, even, even).fraud_signals == ("too_perfect_documents",)
    assert read(even, even, even, statement()).fraud_signals == ()


def test_an_income_of_40_000_a_month_is_unusual():
    usual, unusual = letter("She is paid $479,999 per year."), letter("She is paid $480,000 per year.")

    assert read(usual).fraud_signals == ()
    assert read(unusual).fraud_signals == ("unusually_high_income",)


@pytest.mark.parametrize(
    "contradicting",
    [
        letter("She is paid $82,000 per year."),
        letter().replace("Harbour Bakery", "Northgate Logistics"),
    ],
)
def test_documents_that_contradict_each_other_are_flagged(contradicting):
    assert "inconsistent_information" not in read(slip(), letter()).risk_flags
    assert "inconsistent_information" in read(slip(), contradicting).risk_flags


def test_an_income_stated_far_above_the_documents_is_flagged():
    assert "inconsistent_information" not in read(slip(), stated_monthly_income="5000.00").risk_flags
    assert "inconsistent_information" in read(slip(), stated_monthly_income="5000.01").risk_flags


def test_missing_pages_or_one_kind_of_evidence_alone_are_incomplete():
    assert "documents_incomplete" in read(slip()).risk_flags
    assert "documents_incomplete" not in read(slip(), statement()).risk_flags
    assert "documents_incomplete" in read(slip(), statement() + "page 1 of 2\n").risk_flags
    assert "documents_incomplete" not in read(slip(), statement() + "page 1 of 2\npage 2 of 2\n").risk_flags


def test_overdrafts_and_a_balance_below_nothing_are_poor_financial_health():
    bounced = "10/02 NSF fee 35.00\n10/09 Returned item 35.00\n"

    assert read(statement() + bounced).risk_flags == ("documents_incomplete", "financial_health_poor")
    assert "financial_health_poor" in read(statement(paid_out="3,100.50", closing="-100.00")).risk_flags
    assert "financial_health_poor" not in read(statement() + "Overdraft protection: on\n" * 3).risk_flags


def test_a_bad_scan_is_of_poor_quality():
    scanned = slip().replace("a", "\ufffd")

    assert found(scanned).document_quality == "poor"
    assert "documents_illegible" in read(scanned).risk_flags
    assert found(slip()).document_quality == "excellent"
