"""The words, amounts and dates in a text, read in time that only grows with its bounded length."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

MOST_LINES = 4_000
LONGEST_LINE = 400

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# Every repetition is bounded and no two neighbours match the same sign, so nothing here can backtrack far.
AMOUNT = re.compile(
    r"(?:(?<![\w.,/#*-])|(?<=\.)(?=\$))(?P<minus>[-(]?)(?P<mark>(?:US|C)?\$ ?|USD ?)?(?P<minus_after>-?)"
    r"(?P<whole>\d{1,3}(?:,\d{3}){1,2}|\d{1,9})(?P<cents>\.\d{2})?(?![\w*]|[.,/-]\d)(?P<percent> ?%)?"
)
YEAR_FIRST = re.compile(r"\b(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b")
SLASHED = re.compile(r"\b(?P<first>\d{1,2})[/.](?P<second>\d{1,2})[/.](?P<year>(?:19|20)\d\d)\b")
MONTH_NAME = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
MONTH_FIRST = re.compile(
    rf"\b{MONTH_NAME} (?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? )?(?P<year>(?:19|20)\d\d)\b", re.I
)
DAY_FIRST = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ -]{MONTH_NAME}[ -](?P<year>(?:19|20)\d\d)\b", re.I
)
DATE_FORMS = (YEAR_FIRST, SLASHED, DAY_FIRST, MONTH_FIRST)


def lines_of(text: str) -> list[str]:
    """Lines with one space between words, full-width and other look-alike signs made plain."""
    lines = (
        " ".join(unicodedata.normalize("NFKC", line[:LONGEST_LINE]).split())[:LONGEST_LINE]
        for line in text.splitlines()[:MOST_LINES]
    )
    return [line for line in lines if line]


def amounts_in(text: str) -> Iterator[tuple[int, Decimal]]:
    """Each amount of money with its place: numbers that have a currency sign, a thousands comma or cents."""
    for found in AMOUNT.finditer(text):
        if found["percent"] or not (found["mark"] or found["cents"] or "," in found["whole"]):
            continue
        size = Decimal(found["whole"].replace(",", "") + (found["cents"] or ""))
        yield found.start(), -size if found["minus"] or found["minus_after"] else size


def dates_in(text: str) -> Iterator[tuple[int, date]]:
    """Each date with its place, in order. A month alone means its first day; 12/11/2025 is American."""
    matches = [match for form in DATE_FORMS for match in form.finditer(text)]
    done = 0
    for match in sorted(matches, key=lambda match: match.start()):
        value = as_date(match.groupdict())
        if match.start() >= done:
            done = match.end()
            if value:
                yield match.start(), value


def as_date(parts: dict[str, str | None]) -> date | None:
    """None for a date that is in no calendar."""
    month, day = parts.get("month"), parts.get("day") or "1"
    if "first" in parts:
        month, day = parts["first"], parts["second"] or "1"
        if int(month or 0) > 12:
            month, day = day, month or "1"
    try:
        return date(int(parts["year"] or 0), month_number(month or ""), int(day))
    except ValueError:
        return None


def month_number(month: str) -> int:
    return int(month) if month.isdigit() else MONTHS.index(month.lower()[:3]) + 1


def months_between(earlier: date, later: date) -> int:
    """Whole months; below zero when they are the wrong way round."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)
