"""From the text of one document to what it says."""

from collections.abc import Callable, Sequence

from millrace.bindings.ai.rules import wording
from millrace.bindings.ai.rules.findings import Findings
from millrace.bindings.ai.rules.letters import read_letter
from millrace.bindings.ai.rules.lines import date_of, pages_missing
from millrace.bindings.ai.rules.pay_slips import read_pay_slip
from millrace.bindings.ai.rules.statements import read_statement
from millrace.bindings.ai.rules.text import amounts_in, lines_of
from millrace.bindings.ai.rules.wording import Kind
from millrace.bindings.ai.texts import illegible_share

READERS: dict[Kind, Callable[[Findings, Sequence[str]], Findings]] = {
    "pay_slip": read_pay_slip,
    "employment_letter": read_letter,
    "bank_statement": read_statement,
}


def read_document(text: str) -> Findings:
    lines = lines_of(text)
    whole = " ".join(lines)
    findings = Findings(
        kind=kind_of(whole),
        illegible=illegible_share(text),
        amounts=tuple(amount for _, amount in amounts_in(whole)),
        pages_missing=pages_missing(whole),
        dated=date_of(lines),
        signals=frozenset({"forged_document"}) if wording.FORGED.search(whole) else frozenset(),
    )
    reader = READERS.get(findings.kind)
    return reader(findings, lines) if reader else findings


def kind_of(text: str) -> Kind:
    said = text.lower()
    counts = {kind: sum(sign in said for sign in signs) for kind, signs in wording.SIGNS.items()}
    likeliest = max(counts, key=lambda kind: counts[kind])
    return likeliest if counts[likeliest] >= 2 else "other"
