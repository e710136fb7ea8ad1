"""What stands where in a document of lines: labelled amounts and dates, periods, employers, pages."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from millrace.bindings.ai.rules import wording
from millrace.bindings.ai.rules.text import amounts_in, dates_in

LETTERHEAD_LINES = 5
LONGEST_DATE = 24
LONGEST_NAME = 8
LONGEST_ABBREVIATION = 4
LONGEST_TEXT = 20_000
JOINING_WORDS = ("&", "of", "the", "and", "for")


def amounts_at(lines: Sequence[str], labels: Sequence[str]) -> list[Decimal]:
    """The amounts of the first line that begins with one of the labels and holds any."""
    for rest in rests_of(lines, labels):
        if amounts := [amount for _, amount in amounts_in(rest)]:
            return amounts
    return []


def first_at(lines: Sequence[str], labels: Sequence[str]) -> Decimal | None:
    return next(iter(amounts_at(lines, labels)), None)


def rests_of(lines: Sequence[str], labels: Sequence[str]) -> list[str]:
    """What follows the labels where they begin a line, the surest label first."""
    patterns = [wording.at_the_start(label) for label in labels]
    return [line[label.end() :] for pattern in patterns for line in lines if (label := pattern.match(line))]


def first_date_at(lines: Sequence[str], labels: Sequence[str]) -> date | None:
    """The date that directly follows one of the labels, the surest first, wherever in a line that is."""
    for label in map(wording.anywhere, labels):
        for line in lines:
            for found in label.finditer(line):
                if day := date_at_the_start(line[found.end() :]):
                    return day
    return None


def date_at_the_start(text: str) -> date | None:
    return next((day for place, day in dates_in(text[:LONGEST_DATE]) if place <= 1), None)


def date_of(lines: Sequence[str]) -> date | None:
    """When it was written: as labelled, or the line that is only a date. None when it does not say."""
    if labelled := first_date_at(lines, wording.DATED):
        return labelled
    for line in (*rests_of(lines, wording.PLAINLY_DATED), *lines):
        if len(line) <= LONGEST_DATE and (day := date_at_the_start(line)):
            return day
    return None


def latest_date_in(lines: Sequence[str]) -> date | None:
    return max((day for line in lines for _, day in dates_in(line)), default=None)


def period_of(lines: Sequence[str]) -> tuple[date, date] | None:
    for rest in rests_of(lines, wording.PERIOD):
        days = [day for _, day in dates_in(rest)]
        if len(days) >= 2 and days[0] < days[1]:
            return days[0], days[1]
    first, last = first_date_at(lines, wording.PERIOD_BEGINS), first_date_at(lines, wording.PERIOD_ENDS)
    return (first, last) if first and last and first < last else None


def employer_of(lines: Sequence[str]) -> str | None:
    """As labelled; else a letterhead that reads like a company; else by whom they say they are employed."""
    for rest in rests_of(lines, wording.EMPLOYER):
        if name := name_at_the_start(rest):
            return name
    for line in lines[:LETTERHEAD_LINES]:
        if wording.COMPANY.search(line) and len(line.split()) <= LONGEST_NAME:
            return name_at_the_start(line)
    text = " ".join(lines)[:LONGEST_TEXT]
    said = wording.EMPLOYED_BY.search(text)
    return name_at_the_start(text[said.end() :]) if said else None


def name_at_the_start(text: str) -> str | None:
    """The words with capitals that the text begins with."""
    words: list[str] = []
    for word in text.split(maxsplit=LONGEST_NAME)[:LONGEST_NAME]:
        begins_a_name = word[0].isupper() or word[0].isdigit() or word in JOINING_WORDS
        if not begins_a_name or word.rstrip(":").lower() in wording.NOT_NAMES:
            break
        words.append(word.rstrip(",;:|"))
        if word[-1] in ",;:|" or (word[-1] == "." and len(word) > LONGEST_ABBREVIATION):
            break
    while words and words[-1] in JOINING_WORDS:
        words.pop()
    return " ".join(words).removesuffix(".") or None


def pages_missing(text: str) -> bool:
    """Whether "page 1 of 3" is there and one of its fellows is not."""
    said = [(int(page["page"]), int(page["pages"])) for page in wording.PAGE.finditer(text)]
    return bool(said) and len({page for page, _ in said}) < max(pages for _, pages in said)
