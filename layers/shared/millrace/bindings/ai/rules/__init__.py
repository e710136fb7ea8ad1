"""The model `local/rules`: it reads plain-text documents by rules, costs nothing and needs no network.

It finds what a careful person would look for first. What a document tells its reader to do, it does not hear.
"""

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from millrace.bindings.ai.rules.conclusions import conclude
from millrace.bindings.ai.rules.findings import Findings
from millrace.bindings.ai.rules.reading import read_document
from millrace.bindings.ai.rules.text import decode, illegible_share
from millrace.domain.questions import Document, ModelAnswer, Question
from millrace.errors import InsufficientDocuments

VERSION = 1
PLAIN_TEXT = "text/plain"
NOISE = 0.25


class Rules:
    """A provider of `env.AI`. Its answer has the form that `domain.facts` reads, like any other model's."""

    def run(self, model: str, question: Question) -> ModelAnswer:
        """InsufficientDocuments when not one of the documents could be read or had anything to say."""
        warnings: list[str] = []
        read = [found for document in question.documents for found in take(document, warnings=warnings)]
        if not any(found.kind != "other" for found in read):
            raise InsufficientDocuments(
                "None of the documents could be read as a pay slip, an employment letter or a bank statement."
            )
        facts = conclude(read, stated_income=dollars(question.given.get("stated_monthly_income")))
        return ModelAnswer(json.dumps(facts), model_version=f"{model}@{VERSION}", warnings=tuple(warnings))


def take(document: Document, *, warnings: list[str]) -> Iterable[Findings]:
    """One document's findings, or none and a warning that names it."""
    if document.mime_type.partition(";")[0].strip().lower() != PLAIN_TEXT:
        warnings.append(f"{document.name} was not read: the rules read plain text only.")
        return
    text = decode(document.content)
    if illegible_share(text) > NOISE:
        warnings.append(f"{document.name} was not read: it holds no readable text.")
        return
    findings = read_document(text)
    if findings.kind == "other":
        warnings.append(
            f"{document.name} is neither a pay slip nor an employment letter nor a bank statement."
        )
    yield findings


def dollars(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None
