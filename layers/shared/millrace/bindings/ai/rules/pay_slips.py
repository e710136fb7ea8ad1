"""Pay slips: what is earned, how often, and whether the slip adds up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from millrace.bindings.ai.rules import wording
from millrace.bindings.ai.rules.findings import CENT, Findings, monthly, months_employed, unless_it_is
from millrace.bindings.ai.rules.lines import (
    amounts_at,
    employer_of,
    first_at,
    first_date_at,
    latest_date_in,
    period_of,
)


def read_pay_slip(findings: Findings, lines: Sequence[str]) -> Findings:
    gross = amounts_at(lines, wording.GROSS)
    unit = pay_frequency(lines)
    hired = first_date_at(lines, wording.HIRED)
    dated = unless_it_is(hired, day=findings.dated or latest_date_in(lines))
    return replace(
        findings,
        employer=employer_of(lines),
        monthly_income=monthly(gross[0], each=unit) if gross and unit else None,
        employed_months=months_employed(hired, until=dated),
        employed_since=None if dated else hired,
        dated=dated,
        signals=findings.signals | ({"altered_paystub"} if pay_is_wrong(lines, gross=gross) else set()),
    )


def pay_is_wrong(lines: Sequence[str], *, gross: Sequence[Decimal]) -> bool:
    """Whether gross, deductions and net contradict each other in every way they may be meant."""
    if not gross:
        return False
    so_far = (*amounts_at(lines, wording.GROSS_SO_FAR), *gross[1:])
    if so_far and so_far[0] < gross[0]:
        return True
    net, deducted = first_at(lines, wording.NET), first_at(lines, wording.DEDUCTED)
    taxed = first_at(lines, wording.TAXED) or Decimal(0)
    if net is None or deducted is None:
        return False
    meant = (gross[0] - abs(deducted), gross[0] - abs(deducted) - abs(taxed))
    return all(abs(net - expected) > CENT for expected in meant)


def pay_frequency(lines: Sequence[str]) -> str | None:
    """How often they are paid: as the days of the pay period show, else as a line about pay says."""
    period = period_of(lines)
    if period and (unit := unit_of(*period)):
        return unit
    said = " / ".join(line for line in lines if wording.OF_PAY.search(line)).lower()
    return next((unit for phrase, unit in wording.FREQUENCIES.items() if phrase in said), None)


def unit_of(first: date, last: date) -> str | None:
    days = (last - first).days + 1
    ends_month = (last + timedelta(days=1)).day == 1
    if (first.day == 1 and last.day == 15) or (first.day == 16 and ends_month):
        return "semi-monthly"
    if 28 <= days <= 31:
        return "month"
    return {7: "week", 14: "fortnight"}.get(days)
