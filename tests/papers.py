"""Pay slips, letters and statements of an imaginary bakery, and what the rules read in them."""

from millrace.bindings.ai.rules import Rules
from millrace.domain.facts import ExtractedData, Facts, read_facts
from millrace.domain.questions import Document, ModelAnswer, Question

SLIP = """\
Harbour Bakery LLC
EARNINGS STATEMENT
Pay period: {period}   Pay date: 11/14/2025
Gross pay           {gross}
Total deductions    {deducted}
Net pay             {net}
"""
LETTER = """\
Harbour Bakery LLC
November 3, 2025
To whom it may concern: we confirm that our employee has the position of Baker.
{said}
Sincerely, Human Resources
"""
STATEMENT = """\
BANK STATEMENT   Account number ****1
Opening balance     1,000.00
Total deposits      {paid_in}
Total withdrawals   {paid_out}
{fees}
Closing balance     {closing}
"""


def slip(
    *,
    gross: str = "$2,000.00",
    deducted: str = "$420.55",
    net: str = "$1,579.45",
    period: str = "11/01/2025 - 11/15/2025",
) -> str:
    return SLIP.format(gross=gross, deducted=deducted, net=net, period=period)


def letter(said: str = "She is paid $52,000 per year and has worked here since March 2022.") -> str:
    return LETTER.format(said=said)


def statement(
    *, paid_in: str = "2,000.50", paid_out: str = "1,500.25", closing: str = "1,500.25", fees: str = ""
) -> str:
    return STATEMENT.format(paid_in=paid_in, paid_out=paid_out, closing=closing, fees=fees)


def ask(*texts: str | bytes, mime_type: str = "text/plain", **given: str) -> ModelAnswer:
    """What the rules answer; `given` are the facts beside the documents."""
    documents = tuple(
        Document(f"Document {place}", mime_type, text if isinstance(text, bytes) else text.encode())
        for place, text in enumerate(texts, start=1)
    )
    return Rules().run("local/rules", Question("Read.", given=given, documents=documents))


def read(*texts: str | bytes, **given: str) -> Facts:
    return read_facts(ask(*texts, **given).text)


def found(*texts: str | bytes) -> ExtractedData:
    return read(*texts).extracted_data
