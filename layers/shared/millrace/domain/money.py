"""Money: whole micro-dollars, so that sums are exact on both databases; dollars where people write them."""

from decimal import ROUND_HALF_EVEN, Decimal

MICROUSD_PER_DOLLAR = 1_000_000


def from_dollars(dollars: Decimal) -> int:
    """Exact down to a millionth of a dollar; what is finer is rounded half to even."""
    return int((dollars * MICROUSD_PER_DOLLAR).to_integral_value(rounding=ROUND_HALF_EVEN))


def to_dollars(microusd: int) -> Decimal:
    return Decimal(microusd) / MICROUSD_PER_DOLLAR


def in_words(microusd: int) -> str:
    """For people: `$4,250.00`."""
    return f"{'-' if microusd < 0 else ''}${to_dollars(abs(microusd)):,.2f}"
