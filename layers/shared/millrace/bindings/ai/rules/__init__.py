"""The model `local/rules`: it reads text and PDF documents by rules, costs nothing and needs no network.

It finds what a careful person would look for first. What a document tells its reader to do, it does not hear.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation

from millrace.bindings.ai.pdf import Unreadable
from millrace.bindings.ai.rules.conclusions import conclude
from millrace.bindings.ai.rules.findings import Findings
from millrace.bindings.ai.rules.reading import read_document
from millrace.bindings.ai.texts import PDF_SECONDS, text_of
from millrace.bindings.stopwatch import Deadline
from millrace.domain.questions import Document, ModelAnswer, Question, saying_why
from millrace.errors import InsufficientDocuments

VERSION = 3
NOTHING_FOUND = "None of the documents could be read as a pay slip, an employment letter or a bank statement."


class Rules:
    """A provider of `env.AI`. Its answer has the form that `domain.facts` reads, like any other model's."""

    def run(self, model: str, question: Question) -> ModelAnswer:
        """InsufficientDocuments when not one of the documents could be read or had anything to say."""
        warnings: list[str] = []
        read = list(take(question.documents, warnings=warnings))
        if not any(found.kind != "other" for found in read):
            raise InsufficientDocuments(saying_why(NOTHING_FOUND, warnings=warnings))
        facts = conclude(
            read,
            stated_income=dollars(question.given.get("stated_monthly_income")),
            today=day(question.given.get("today")),
        )
        return ModelAnswer(json.dumps(facts), model_version=f"{model}@{VERSION}", warnings=tuple(warnings))


def take(documents: Iterable[Document], *, warnings: list[str]) -> Iterator[Findings]:
    """What each document says. Of one that says nothing, a warning that names it."""
    deadline = Deadline(PDF_SECONDS)
    for document in documents:
        try:
            findings = read_document(text_of(document, deadline=deadline, warn=warnings.append))
        except Unreadable as fault:
            warnings.append(f"{document.name} was not read: {fault}.")
            continue
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


def day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        return None
