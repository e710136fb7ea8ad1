"""What is found in one document, in the units in which leads are compared."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from millrace.bindings.ai.rules.text import months_between
from millrace.bindings.ai.rules.wording import Kind
from millrace.domain.scoring import FraudSignal

CENT = Decimal("0.01")
A_MONTH = {
    "week": Decimal(52) / 12,
    "fortnight": Decimal(26) / 12,
    "semi-monthly": Decimal(2),
    "month": Decimal(1),
    "year": Decimal(1) / 12,
    "annum": Decimal(1) / 12,
    "annual": Decimal(1) / 12,
}
# Beyond these a number is misread, or nonsense: as good as not said.
LARGEST_MONTHLY_INCOME = Decimal(10_000_000)
LONGEST_EMPLOYMENT_MONTHS = 70 * 12


@dataclass(frozen=True, slots=True)
class Findings:
    """None means that the document does not say."""

    kind: Kind
    illegible: float
    amounts: tuple[Decimal, ...]
    pages_missing: bool
    employer: str | None = None
    monthly_income: Decimal | None = None
    employed_months: int | None = None
    # Only where the document has no date of its own to count to.
    employed_since: date | None = None
    balance: Decimal | None = None
    dated: date | None = None
    bounced: int = 0
    signals: frozenset[FraudSignal] = frozenset()


def monthly(amount: Decimal, *, each: str) -> Decimal | None:
    """Pay by the week, month or year as pay by the month. None for nothing: 0 was not found."""
    income = in_cents(amount * A_MONTH[each])
    return income if 0 < income <= LARGEST_MONTHLY_INCOME else None


def months_employed(began: date | None, *, until: date | None) -> int | None:
    """None too when the dates are the wrong way round, or a lifetime apart."""
    if began is None or until is None:
        return None
    months = months_between(began, until)
    return months if 0 <= months <= LONGEST_EMPLOYMENT_MONTHS else None


def unless_it_is(began: date | None, *, day: date | None) -> date | None:
    """None when it is: as far as anyone can tell, that is not the day on which a document says so."""
    return None if day == began else day


def in_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT)
