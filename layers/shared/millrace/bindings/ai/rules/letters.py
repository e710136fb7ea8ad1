"""Employment letters: the salary, how long they have been employed, and whether that can be."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from millrace.bindings.ai.rules import wording
from millrace.bindings.ai.rules.findings import Findings, monthly, months_employed, unless_it_is
from millrace.bindings.ai.rules.lines import LONGEST_TEXT, employer_of, first_date_at
from millrace.bindings.ai.rules.text import amounts_in, dates_in, months_between

SENTENCE = 48
A_CONTRADICTION_MONTHS = 12


def read_letter(findings: Findings, lines: Sequence[str]) -> Findings:
    text = " ".join(lines)[:LONGEST_TEXT]
    began, lasted = beginning_of_employment(lines, text=text), duration_said(text)
    dated = unless_it_is(began, day=findings.dated)
    months = months_employed(began, until=dated)
    if months is None:
        months = lasted
    believable = (
        began is None or dated is None or is_believable(text, began=began, dated=dated, lasted=lasted)
    )
    return replace(
        findings,
        employer=employer_of(lines),
        monthly_income=salary_in(text),
        employed_months=0 if has_ended(text) else months,
        employed_since=None if dated or wording.OFFERED.search(text) else began,
        dated=dated,
        signals=findings.signals | (set() if believable else {"fake_employment_letter"}),
    )


def has_ended(text: str) -> bool:
    """Whether a sentence ends this employment, and not a predecessor's or an earlier one."""
    return any(
        wording.ENDED.search(sentence) and not wording.OF_OTHERS.search(sentence)
        for sentence in text.split(". ")
    )


def is_believable(text: str, *, began: date, dated: date, lasted: int | None) -> bool:
    """Not when an employment under way begins after the letter, or when its length and its beginning are more
    than a year apart. Someone who is only offered a place begins later, and nothing is wrong with that.
    """
    months = months_between(began, dated)
    if months < 0:
        return wording.OFFERED.search(text) is not None
    return lasted is None or abs(months - lasted) <= A_CONTRADICTION_MONTHS


def salary_in(text: str) -> Decimal | None:
    """The first amount that is said to be paid by the year, month, week or hour."""
    hours = hours_a_week(text)
    for place, amount in amounts_in(text):
        before = text[max(0, place - SENTENCE) : place].rpartition(". ")[2]
        after = text[place : place + SENTENCE].partition(". ")[0]
        unit = (
            wording.PAID_EACH.search(after)
            or wording.PAID_BY_THE.search(after)
            or wording.PAID_BY_THE.search(before)
        )
        if unit is None or wording.NOT_WAGES.search(before):
            continue
        span = unit["unit"].lower()
        if span != "hour":
            return monthly(amount, each=span)
        if hours:
            return monthly(amount * hours, each="week")
    return None


def hours_a_week(text: str) -> Decimal | None:
    said = wording.HOURS_A_WEEK.search(text)
    if said:
        return Decimal(said["hours"])
    return Decimal(40) if wording.FULL_TIME.search(text) else None


def beginning_of_employment(lines: Sequence[str], *, text: str) -> date | None:
    if labelled := first_date_at(lines, wording.HIRED):
        return labelled
    for place, day in dates_in(text):
        if wording.BEGAN.search(text[max(0, place - SENTENCE) : place]):
            return day
    return None


def duration_said(text: str) -> int | None:
    for said in wording.LASTED.finditer(text):
        count, months = wording.number(said["count"]), wording.number(said["months"] or "zero")
        if count is not None:
            return count * 12 + (months or 0) if said["unit"].lower() == "year" else count
    return None
