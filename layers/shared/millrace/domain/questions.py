"""What a model is asked and what it answers, the same for every provider."""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, Self, TypeVar

TIME_LIMIT_SECONDS = 30
MOST_REASON_CHARACTERS = 500

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it lies in the bucket. Its name is ours: a file's own often holds a person's."""

    name: str
    mime_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """`instructions` come from us, `given` are facts we vouch for, `documents` are never to be trusted.

    `wants_json`: the instructions ask for a JSON object, so a provider that can bind its model to JSON does.
    When it is asked again, `answered` is what the model said and `complaint` what was wrong with it.
    """

    instructions: str
    given: Mapping[str, str] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    wants_json: bool = False
    answered: str | None = field(default=None, repr=False)
    complaint: str | None = None

    def again(self, *, answered: str, complaint: str) -> Self:
        return replace(self, answered=answered, complaint=complaint)


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What the model said, unread; `model_version` is who said it, `warnings` what it could not take."""

    text: str = field(repr=False)
    model_version: str
    warnings: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cost_microusd: int = 0
    # How long the call took, as `env.AI` has measured it.
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class PaidCall:
    """One call of a model that was answered, and so is to be paid for. The id is made once, with the call.

    An attempt on a GPU is one too: its `answer` then says only whose GPU it was and what it cost.
    """

    id: str
    answer: ModelAnswer
    ended_at: datetime
    gpu_seconds: int = 0
    # What the provider calls it. None: the worker that has made the call is named instead.
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reply(Generic[Value]):
    """An answer that was understood: its meaning, and every call that was paid for on the way."""

    value: Value
    answers: tuple[ModelAnswer, ...]


def saying_why(message: str, *, warnings: Iterable[str]) -> str:
    """Why there is nothing to read, with what was wrong with each document, as far as that fits."""
    return textwrap.shorten(" ".join((message, *warnings)), MOST_REASON_CHARACTERS, placeholder=" …")
