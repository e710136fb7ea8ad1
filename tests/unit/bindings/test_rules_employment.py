"""The model `local/rules`: how long somebody has been employed, and when that is not known."""

import pytest

from tests.papers import found, letter, read, slip, statement

UNDATED = (
    "This letter confirms that Bob Hart has been employed by Acme Ltd as a clerk since 1 January 2020 "
    "with a gross monthly salary of $6,000."
)


def months_in(*texts, **given):
    return read(*texts, **given).extracted_data.employment_duration_months


def test_the_day_on_which_an_employment_began_is_not_taken_for_the_day_of_the_letter():
    assert months_in(UNDATED) is None
    assert months_in(UNDATED.replace("since 1", "since\n1").replace("2020 ", "2020\n")) is None


def test_a_letter_without_a_date_counts_to_the_newest_document():
    older = statement() + "Statement date: 09/30/2025\n"

    assert months_in(UNDATED, older, slip(), today="2026-03-01") == 70


def test_a_letter_without_a_date_and_alone_counts_to_today():
    assert months_in(UNDATED, today="2026-03-01") == 74
    assert months_in(UNDATED, today="no day") is None
    assert months_in(UNDATED, today="2019-12-31") is None


def test_a_document_dated_in_the_future_is_not_counted_to():
    ahead = statement() + "Statement date: 09/30/2035\n"

    assert months_in(UNDATED, ahead, today="2026-03-01") == 74


def test_another_day_in_a_letter_without_a_date_is_not_its_own():
    assert months_in(f"{UNDATED} His probation ended on 1 March 2020.", today="2026-03-01") == 74


def test_an_offer_without_a_date_does_not_show_that_the_work_began():
    offer = letter("We offer her the position; her start date is December 1, 2025.")

    assert months_in(offer.replace("November 3, 2025\n", ""), today="2026-03-01") is None


def test_a_letter_without_a_date_that_names_a_length_is_believed():
    said = letter("She has worked here for three years, since March 2022.")

    facts = read(said.replace("November 3, 2025\n", ""), today="2026-03-01")

    assert facts.extracted_data.employment_duration_months == 36
    assert facts.fraud_signals == ()


def test_a_slip_that_names_no_other_day_counts_to_the_newest_document():
    dateless = slip(period="November").replace("Pay date: 11/14/2025", "Hire date: 10/01/2024")

    assert months_in(dateless) is None
    assert months_in(dateless, slip()) == 13


@pytest.mark.parametrize(
    "said",
    [
        "Until his predecessor left the company he was a trainee.",
        "When the director had left the company she took over.",
        "A colleague of hers is no longer with us.",
        "Her previous employment ended in 2019.",
        "She was employed on probation until 1 June 2022 and has been permanent since.",
    ],
)
def test_that_somebody_or_something_else_ended_does_not_end_an_employment(said):
    assert found(letter(f"She has worked here since March 2022. {said}")).employment_duration_months == 44


@pytest.mark.parametrize(
    "said",
    [
        "She left the company on 1 October 2025.",
        "Our employee has left the company.",
        "Bob Hart is no longer employed here.",
        "His last day of work was 1 October 2025.",
        "She was employed by us from May 2020 to June 2025.",
        "She was employed at Harbour Bakery as a baker until 1 October 2025.",
    ],
)
def test_an_employment_that_ended_lasts_no_longer(said):
    assert found(letter(f"She was hired in March 2022. {said}")).employment_duration_months == 0
