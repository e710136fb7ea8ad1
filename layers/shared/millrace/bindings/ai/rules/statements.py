"""Bank statements: the balance, the wages paid in, what bounced, and whether the sums add up."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from millrace.bindings.ai.rules import wording
from millrace.bindings.ai.rules.findings import CENT, Findings, monthly
from millrace.bindings.ai.rules.lines import first_at, latest_date_in, period_of
from millrace.bindings.ai.rules.text import amounts_in


def read_statement(findings: Findings, lines: Sequence[str]) -> Findings:
    return replace(
        findings,
        monthly_income=wages_paid_in(lines),
        balance=first_at(lines, wording.CLOSING),
        dated=findings.dated or latest_date_in(lines),
        bounced=sum(1 for line in lines if wording.BOUNCED.search(line) and charges_something(line)),
        signals=findings.signals | (set() if balances_add_up(lines) else {"suspicious_bank_statement"}),
    )


def charges_something(line: str) -> bool:
    return any(amount for _, amount in amounts_in(line))


def balances_add_up(lines: Sequence[str]) -> bool:
    """However fees are meant; and where one of the four sums is not given, the benefit of the doubt."""
    opening, closing, paid_in, paid_out = (
        first_at(lines, labels)
        for labels in (wording.OPENING, wording.CLOSING, wording.PAID_IN, wording.PAID_OUT)
    )
    if opening is None or closing is None or paid_in is None or paid_out is None:
        return True
    fees = abs(first_at(lines, wording.CHARGED) or Decimal(0))
    expected = opening + abs(paid_in) - abs(paid_out)
    return abs(closing - expected) <= CENT or abs(closing - expected + fees) <= CENT


def wages_paid_in(lines: Sequence[str]) -> Decimal | None:
    """What employers paid in, by the month; net, so less than they earn."""
    paid = [next(amounts_in(line), None) for line in lines if wording.PAYROLL.search(line)]
    total = sum((abs(amount[1]) for amount in paid if amount), Decimal(0))
    period = period_of(lines)
    months = max(1, round(((period[1] - period[0]).days + 1) / 30)) if period else 1
    return monthly(total / months, each="month")
