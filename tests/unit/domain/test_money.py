"""Dollars and micro-dollars: nothing is lost between them."""

from decimal import Decimal

import pytest

from millrace.domain.money import from_dollars, in_words, to_dollars


@pytest.mark.parametrize(
    ("dollars", "microusd"),
    [("0", 0), ("0.000001", 1), ("0.1", 100_000), ("1234.56", 1_234_560_000), ("-12.5", -12_500_000)],
)
def test_dollars_and_whole_micro_dollars_turn_into_each_other_exactly(dollars, microusd):
    assert from_dollars(Decimal(dollars)) == microusd
    assert to_dollars(microusd) == Decimal(dollars)


def test_what_is_finer_than_a_millionth_is_rounded_half_to_even():
    assert [from_dollars(Decimal(text)) for text in ("0.0000005", "0.0000015", "0.00000251")] == [0, 2, 3]


def test_a_sum_of_many_small_amounts_is_exact():
    assert sum(from_dollars(Decimal("0.1")) for _ in range(1_000_000)) == from_dollars(Decimal(100_000))


def test_people_read_dollars_and_cents():
    assert [in_words(microusd) for microusd in (4_250_000_000, -35_000_000)] == ["$4,250.00", "-$35.00"]
