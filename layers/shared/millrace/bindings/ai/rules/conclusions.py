"""From what each document says to what they say together: facts, risks, signals of fraud, a summary."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from millrace.bindings.ai.rules.findings import Findings, in_cents, months_employed
from millrace.bindings.ai.rules.wording import Kind
from millrace.domain.scoring import FraudSignal, Quality, ReportedRisk

FLAWED, POOR = 0.004, 0.03
AS_GOOD_AS_EQUAL = Decimal("0.15")
OVERSTATED = Decimal("1.25")
UNUSUAL_MONTHLY_INCOME = Decimal(40_000)
EVEN_AMOUNTS = 8
COMPANY_FORMS = frozenset(
    {"inc", "llc", "ltd", "limited", "corp", "corporation", "company", "co", "plc", "the", "and", "of"}
)
KIND_NAMES: Mapping[Kind, str] = {
    "pay_slip": "pay slip",
    "employment_letter": "employment letter",
    "bank_statement": "bank statement",
}


def conclude(
    read: Sequence[Findings], *, stated_income: Decimal | None, today: date | None
) -> dict[str, Any]:
    slips, letters, statements = (of_kind(read, kind) for kind in KIND_NAMES)
    earned, promised = earnings(slips), first(letter.monthly_income for letter in letters)
    paid_in = first(statement.monthly_income for statement in statements)
    income = first((earned, promised, paid_in))
    employer = first(found.employer for found in (*slips, *letters))
    newest = newest_day(read, today=today)
    months = first(months_of(found, newest=newest) for found in (*letters, *slips))
    balance = first(statement.balance for statement in latest_first(statements))
    contradiction = (
        differ(earned, promised)
        or employers_differ(slips, letters)
        or (income is not None and stated_income is not None and stated_income > income * OVERSTATED)
    )
    return {
        "extracted_data": {
            "monthly_income": None if income is None else str(income),
            "employer": employer,
            "employment_duration_months": months,
            "bank_balance": None if balance is None else str(balance),
            "document_quality": quality_of(read),
        },
        "risk_flags": risks_in(read, contradiction=contradiction, months=months),
        "fraud_signals": signals_in(read, income=income),
        "summary": summarise(read, income=income, employer=employer, months=months, balance=balance),
    }


def of_kind(read: Iterable[Findings], kind: Kind) -> list[Findings]:
    return [found for found in read if found.kind == kind]


def earnings(slips: Sequence[Findings]) -> Decimal | None:
    """The mean of an employer's slips, added up over employers: some people have two jobs."""
    by_employer: dict[frozenset[str], list[Decimal]] = {}
    for slip in slips:
        if slip.monthly_income is not None:
            by_employer.setdefault(words_of(slip.employer), []).append(slip.monthly_income)
    means = [sum(incomes, Decimal(0)) / len(incomes) for incomes in by_employer.values()]
    return in_cents(sum(means, Decimal(0))) if means else None


def newest_day(read: Iterable[Findings], *, today: date | None) -> date | None:
    """Of the newest document, but for those dated in the future; today when not one has a date."""
    days = (found.dated for found in read if found.dated)
    return max((day for day in days if today is None or day <= today), default=today)


def months_of(found: Findings, *, newest: date | None) -> int | None:
    """As the document says; where it has no date of its own, up to the newest day that is known."""
    if found.employed_months is not None:
        return found.employed_months
    return months_employed(found.employed_since, until=newest)


def latest_first(statements: Sequence[Findings]) -> list[Findings]:
    return sorted(statements, key=lambda statement: str(statement.dated or ""), reverse=True)


def employers_differ(slips: Sequence[Findings], letters: Sequence[Findings]) -> bool:
    on_slips = [words_of(slip.employer) for slip in slips if slip.employer]
    in_letters = [words_of(letter.employer) for letter in letters if letter.employer]
    return bool(on_slips and in_letters) and not any(
        slip & letter for slip in on_slips for letter in in_letters
    )


def words_of(employer: str | None) -> frozenset[str]:
    plain = "".join(sign if sign.isalnum() else " " for sign in (employer or "").lower())
    return frozenset(plain.split()) - COMPANY_FORMS


def differ(one: Decimal | None, other: Decimal | None) -> bool:
    if one is None or other is None:
        return False
    return abs(one - other) > max(one, other) * AS_GOOD_AS_EQUAL


def quality_of(read: Iterable[Findings]) -> Quality:
    worst = max(found.illegible for found in read)
    if worst > POOR:
        return "poor"
    return "good" if worst > FLAWED else "excellent"


def risks_in(read: Sequence[Findings], *, contradiction: bool, months: int | None) -> list[ReportedRisk]:
    kinds = {found.kind for found in read} - {"other"}
    found: dict[ReportedRisk, bool] = {
        "employment_duration_short": months is not None and months < 12,
        "inconsistent_information": contradiction,
        "documents_incomplete": len(kinds) < 2 or any(one.pages_missing for one in read),
        "documents_illegible": quality_of(read) == "poor",
        "financial_health_poor": sum(one.bounced for one in read) >= 2
        or any(one.balance is not None and one.balance < 0 for one in read),
    }
    return [risk for risk, present in found.items() if present]


def signals_in(read: Sequence[Findings], *, income: Decimal | None) -> list[FraudSignal]:
    signals = {signal for found in read for signal in found.signals}
    amounts = [amount for found in read for amount in found.amounts if amount]
    if len(amounts) >= EVEN_AMOUNTS and all(amount % 100 == 0 for amount in amounts):
        signals.add("too_perfect_documents")
    if income is not None and income >= UNUSUAL_MONTHLY_INCOME:
        signals.add("unusually_high_income")
    return sorted(signals)


def summarise(
    read: Sequence[Findings],
    *,
    income: Decimal | None,
    employer: str | None,
    months: int | None,
    balance: Decimal | None,
) -> str:
    counts = {name: len(of_kind(read, kind)) for kind, name in KIND_NAMES.items()}
    seen = ", ".join(f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items() if count)
    sentences = [
        f"Read by rules: {seen}.",
        f"Monthly income of ${income:,.2f}." if income is not None else "No monthly income could be found.",
        f"Employed by {employer}." if employer else "No employer could be found.",
        f"Employed for {months} months." if months is not None else "No length of employment could be found.",
    ]
    if balance is not None:
        sentences.append(f"Account balance of ${balance:,.2f}.")
    return " ".join(sentences)


def first(values: Iterable[Any]) -> Any:
    """The first that is known; None when none is."""
    return next((value for value in values if value is not None), None)
