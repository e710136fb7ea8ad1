"""Amounts, dates and lines in plain text."""

from datetime import date
from decimal import Decimal

import pytest

from millrace.bindings.ai.rules.text import (
    LONGEST_LINE,
    MOST_LINES,
    amounts_in,
    dates_in,
    lines_of,
    months_between,
)
from millrace.bindings.ai.texts import MOST_BYTES, decode, illegible_share


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("Gross pay ..... $2,450.00   51,450.00", ["2450.00", "51450.00"]),
        ("$78,000 per year", ["78000"]),
        ("a salary of $4420, paid monthly.", ["4420"]),
        ("USD 5,000 and $ 1,200", ["5000", "1200"]),
        ("(1,200.50) -$5.00 $-4.10", ["-1200.50", "-5.00", "-4.10"]),
        ("$1,000-$2,000", ["1000", "2000"]),
        ("401(k) 5.00% of 80 hours in 2025", []),
        ("account 000123456, phone (555) 201-0199, #4,500.00", []),
        ("12/11/2025 and 2025-11-12", []),
        ("1.2.3.4 5.000,00", []),
    ],
)
def test_money_is_told_from_other_numbers(text, amounts):
    assert [amount for _, amount in amounts_in(text)] == [Decimal(amount) for amount in amounts]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2025-11-12", [date(2025, 11, 12)]),
        ("11/12/2025 and 31/12/2024", [date(2025, 11, 12), date(2024, 12, 31)]),
        ("March 8, 2021", [date(2021, 3, 8)]),
        ("8 March 2021 - Sept 5th, 2024", [date(2021, 3, 8), date(2024, 9, 5)]),
        ("3rd Mar. 2021, 15-Oct-2025", [date(2021, 3, 3), date(2025, 10, 15)]),
        ("since May 2022", [date(2022, 5, 1)]),
        ("Maybe 2025, 30 February 2025, 2025-13-01, 99/99/2025", []),
    ],
)
def test_dates_are_read_in_the_ways_people_write_them(text, days):
    assert [day for _, day in dates_in(text)] == days


def test_months_are_whole_months():
    assert months_between(date(2024, 1, 31), date(2024, 2, 29)) == 0
    assert months_between(date(2021, 3, 8), date(2025, 11, 12)) == 56
    assert months_between(date(2025, 6, 1), date(2025, 5, 1)) == -1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_decoded_by_its_byte_order_mark(encoding):
    assert decode("Net pay £1".encode(encoding)) == "Net pay £1"
    assert decode(b"\xfe\xff" + "Net pay £1".encode("utf-16-be")) == "Net pay £1"


def test_accents_of_older_programs_are_read():
    text = "Employé de la Boulangerie du Port, salaire brut 2 300 euros"

    assert decode(text.encode("cp1252")) == text


def test_a_sign_cut_in_two_by_the_limit_is_not_taken_for_an_older_program():
    text = "é" * MOST_BYTES

    assert decode(b"x" + text.encode()).startswith("xéé")


def test_bytes_that_are_no_text_are_illegible():
    clean, noise = illegible_share("Net pay 3,474.22"), illegible_share(decode(bytes(range(128, 256)) * 10))

    assert clean == 0
    assert noise > 0.9
    assert illegible_share("") == 1


def test_lines_are_plain_and_bounded():
    lines = lines_of("\uff2eet\u00a0 pay\t 5\n\n" + "x" * 9_999 + "\n" + "y\n" * 9_999)

    assert lines[0] == "Net pay 5"
    assert len(lines[1]) == LONGEST_LINE
    assert len(lines) < MOST_LINES
