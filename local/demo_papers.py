"""The papers that the demo's leads hand in: pay slips and statements as PDFs, letters as plain text."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from local.demo_pdf import write_pdf

DOCUMENTS = Path(__file__).parent / "demo_documents"

CENT = Decimal("0.01")
TAX = Decimal("0.2237")
LIVING = Decimal("0.71")


@dataclass(frozen=True, slots=True)
class Person:
    """What the papers say of somebody. `net_error` makes the pay slip one that somebody has tampered with."""

    name: str
    employer: str
    monthly_income: Decimal
    employed_since: str
    returned_payments: int = 0
    net_error: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Paper:
    document_type: str
    file_name: str
    mime_type: str
    content: bytes


def papers_of(person: Person) -> Iterator[Paper]:
    yield make_paper("pay_slip", "pay-slip-november", text=write_pay_slip(person))
    yield make_paper("employment_letter", "employment-letter", text=write_letter(person))
    yield make_paper("bank_statement", "bank-statement-november", text=write_statement(person))


def make_paper(document_type: str, name: str, *, text: str) -> Paper:
    if document_type == "employment_letter":
        return Paper(document_type, f"{name}.txt", "text/plain", text.encode())
    return Paper(document_type, f"{name}.pdf", "application/pdf", write_pdf(text))


def read_cases() -> list[dict[str, Any]]:
    """The leads whose papers lie in demo_documents/, and what is to come of each."""
    cases: list[dict[str, Any]] = json.loads((DOCUMENTS / "cases.json").read_text(encoding="utf-8"))
    return cases


def papers_in(case: dict[str, Any]) -> Iterator[Paper]:
    for file_name, document_type in case["documents"].items():
        path = DOCUMENTS / case["case"] / file_name
        yield make_paper(document_type, path.stem, text=path.read_text(encoding="utf-8"))


def write_pay_slip(person: Person) -> str:
    gross = person.monthly_income
    deductions = (gross * TAX).quantize(CENT)
    return f"""{person.employer}
PAY SLIP

Employee: {person.name}
Pay period: 2025-11-01 to 2025-11-30 (monthly)
Pay date: 2025-11-28

Gross pay            ${gross:,.2f}
Total deductions     ${deductions:,.2f}
Net pay              ${gross - deductions + person.net_error:,.2f}
"""


def write_letter(person: Person) -> str:
    return f"""{person.employer}
Human Resources

Date: 2025-12-01

To whom it may concern,

we confirm that {person.name} is employed by {person.employer}.
Start date: {person.employed_since}
The base salary is ${person.monthly_income:,.2f} per month.

Sincerely,
Human Resources
"""


def write_statement(person: Person) -> str:
    opening = Decimal("2148.36")
    wages = (person.monthly_income * (1 - TAX)).quantize(CENT)
    spent = (wages * LIVING).quantize(CENT)
    days = range(12, 12 + person.returned_payments)
    returned = "".join(f"2025-11-{day} Returned payment     $35.00\n" for day in days)
    return f"""First Example Bank
ACCOUNT STATEMENT

Account holder: {person.name}
Account number: ending in 4417
Statement period: 2025-11-01 to 2025-11-30

Opening balance      ${opening:,.2f}
Total deposits       ${wages:,.2f}
Total withdrawals    ${spent:,.2f}
Closing balance      ${opening + wages - spent:,.2f}

2025-11-28 Payroll   ${wages:,.2f}
{returned}"""
