"""`env.AI`: one question to one model, whoever provides it.

    env.AI.run(model, question)                            # a ModelAnswer: text, tokens, cost
    env.AI.ask(model, question, read=…, seconds_left=…)    # a Reply: the text understood

A model's id says who provides it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from millrace.domain.questions import TIME_LIMIT_SECONDS, ModelAnswer, Question, Reply
from millrace.errors import ConfigurationInvalid, ModelAnswerInvalid, ModelTimeout, ModelUnavailable

Value = TypeVar("Value")

AUTOMATIC = "auto"


class Provider(Protocol):
    """What stands behind the face.

    It answers within `questions.TIME_LIMIT_SECONDS`, or raises
    ModelTimeout             when it cannot,
    ModelUnavailable         when overloaded or out of reach, with `retry_after_seconds` where it was told,
    ModelAnswerInvalid       when the model refuses,
    InsufficientDocuments    when none of the documents can be read.
    """

    def run(self, model: str, question: Question) -> ModelAnswer: ...


def _rules() -> Provider:
    from millrace.bindings.ai.rules import Rules

    return Rules()


# By model id, or by how it begins where the key ends in a slash. A provider is imported when it is first
# asked: most functions only need the names of the models.
PROVIDERS: Mapping[str, Callable[[], Provider]] = {"local/rules": _rules}


class AI:
    """The models of this deployment. `models` are those configured, `default` is what `auto` means."""

    def __init__(
        self,
        models: Sequence[str],
        *,
        default: str | None = None,
        providers: Mapping[str, Callable[[], Provider]] = PROVIDERS,
    ):
        self.models = tuple(models)
        self.default = default or next(iter(self.models), "")
        self._keys = {model: _key_of(model, providers) for model in self.models}
        self._providers = providers
        self._built: dict[str, Provider] = {}
        if self.default not in self.models:
            raise ConfigurationInvalid(
                f"AI_DEFAULT_MODEL: {self.default or 'nothing'} is not one of AI_MODELS"
            )

    def resolve(self, model: str) -> str:
        """`auto` becomes the default. ModelUnavailable when the model is not (or no longer) configured."""
        wanted = self.default if model == AUTOMATIC else model
        if wanted not in self.models:
            raise ModelUnavailable(
                f"The model {wanted} is not configured here; there is {', '.join(self.models)}."
            )
        return wanted

    def run(self, model: str, question: Question) -> ModelAnswer:
        wanted = self.resolve(model)
        key = self._keys[wanted]
        if key not in self._built:
            self._built[key] = self._providers[key]()
        return self._built[key].run(wanted, question)

    def ask(
        self,
        model: str,
        question: Question,
        *,
        read: Callable[[str], Value],
        seconds_left: Callable[[], float],
    ) -> Reply[Value]:
        """Let `read` understand the answer. When it raises ValueError, the model is asked once more.

        ModelTimeout when less is left than an answer may take: then the model is not asked.
        """
        check_time(seconds_left)
        first = self.run(model, question)
        try:
            return Reply(read(first.text), answers=(first,))
        except ValueError as misunderstanding:
            complaint = str(misunderstanding)
        check_time(seconds_left)
        second = self.run(model, question.again(answered=first.text, complaint=complaint))
        try:
            return Reply(read(second.text), answers=(first, second))
        except ValueError as misunderstanding:
            raise ModelAnswerInvalid(
                "The model's answer could not be read, also when asked again. A person has to look at this."
            ) from misunderstanding


def check_time(seconds_left: Callable[[], float]) -> None:
    if seconds_left() < TIME_LIMIT_SECONDS:
        raise ModelTimeout("There was not enough time left to ask the model.")


def _key_of(model: str, providers: Mapping[str, Callable[[], Provider]]) -> str:
    for key in providers:
        if model == key or (key.endswith("/") and model.startswith(key)):
            return key
    raise ConfigurationInvalid(f"AI_MODELS: nobody provides {model}; there is {', '.join(providers)}")
