"""`env.AI`: one question to one model, whoever provides it.

    env.AI.run(model, question)                                         # a ModelAnswer: text, tokens, cost
    env.AI.ask(model, question, read=…, seconds_left=…, on_answer=…)    # a Reply: the text understood

A model's id says who provides it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from millrace.bindings import stopwatch
from millrace.domain.model_access import BEDROCK, CLOUDFLARE, OPENAI, Account, ModelAccess
from millrace.domain.pricing import MILLION
from millrace.domain.questions import TIME_LIMIT_SECONDS, ModelAnswer, Question, Reply
from millrace.errors import (
    ConfigurationInvalid,
    JobFailure,
    ModelAnswerInvalid,
    ModelNotConfigured,
    ModelTimeout,
)

if TYPE_CHECKING:
    from millrace.bindings.ai.calls import Api

Value = TypeVar("Value")

AUTOMATIC = "auto"


class Provider(Protocol):
    """What stands behind the face. It says what a call has used, and the face what that costs.

    It answers within `questions.TIME_LIMIT_SECONDS`, or raises
    ModelTimeout             when it cannot,
    ModelUnavailable         when overloaded or out of reach, with `retry_after_seconds` where it was told,
    ModelAnswerInvalid       when the model refuses, with `answers` where that was paid for,
    InsufficientDocuments    when none of the documents can be read,
    ProcessingError          when the question itself is not taken, a fault of ours.
    """

    def run(self, model: str, question: Question) -> ModelAnswer: ...


# By model id, or by how it begins where the key ends in a slash. A provider is made, and imported, when it is
# first asked: most functions only need the names of the models.
Providers = Mapping[str, Callable[[], Provider]]


def providers_of(access: ModelAccess) -> Providers:
    return {
        "local/rules": _rules,
        CLOUDFLARE: lambda: _cloudflare(access),
        BEDROCK: lambda: _bedrock(access),
        OPENAI: lambda: _openai(access),
    }


def _rules() -> Provider:
    from millrace.bindings.ai.rules import Rules

    return Rules()


def _cloudflare(access: ModelAccess) -> Provider:
    from millrace.bindings.ai.cloudflare import Cloudflare

    return Cloudflare(_api(access.cloudflare, variable="CLOUDFLARE_ACCOUNT_ID"))


def _bedrock(access: ModelAccess) -> Provider:
    from millrace.bindings.ai.bedrock import Bedrock

    return Bedrock(region=access.bedrock_region)


def _openai(access: ModelAccess) -> Provider:
    from millrace.bindings.ai.openai import OpenAi

    return OpenAi(_api(access.openai, variable="OPENAI_BASE_URL"), most_images=access.openai_most_images)


def _api(account: Account | None, *, variable: str) -> "Api":
    from millrace.bindings.ai.calls import Api
    from millrace.bindings.secrets import ApiKey

    if account is None:
        raise ConfigurationInvalid(f"{variable} is missing")
    return Api(account.url, key=ApiKey(account.key) if account.key else None)


class AI:
    """The models of this deployment. `models` are those configured, `default` is what `auto` means."""

    def __init__(
        self,
        models: Sequence[str],
        *,
        default: str | None = None,
        access: ModelAccess | None = None,
        providers: Providers | None = None,
        seconds: Callable[[], float] = stopwatch.seconds,
    ):
        self.models = tuple(models)
        self.default = default or next(iter(self.models), "")
        self._access = access or ModelAccess()
        self._providers = providers or providers_of(self._access)
        self._keys = {model: _key_of(model, self._providers) for model in self.models}
        self._built: dict[str, Provider] = {}
        self._seconds = seconds
        if self.default not in self.models:
            raise ConfigurationInvalid(
                f"AI_DEFAULT_MODEL: {self.default or 'nothing'} is not one of AI_MODELS"
            )

    def resolve(self, model: str) -> str:
        """`auto` becomes the default. ModelNotConfigured when it is not, or no longer."""
        wanted = self.default if model == AUTOMATIC else model
        if wanted not in self.models:
            raise ModelNotConfigured(
                f"The model {wanted} is not configured here. Ask again with one of {', '.join(self.models)}."
            )
        return wanted

    def most_cost(self, model: str, question: Question) -> int:
        """The most that `ask` may cost, in micro-dollars: with the second time, when there is more to read.

        InsufficientDocuments when it can read none of them, as far as that can be told without asking.
        """
        if not self._access.most_cost(model, read=MILLION):
            return 0
        from millrace.bindings.ai import bounds

        first = bounds.most_read(model, question, access=self._access)
        again = first + bounds.most_reread(model)
        return sum(self._access.most_cost(model, read=read) for read in (first, again))

    def run(self, model: str, question: Question) -> ModelAnswer:
        """The answer with its duration and its cost. So are those in the `answers` of a failure."""
        wanted = self.resolve(model)
        provider = self._provider(wanted)
        began = self._seconds()
        try:
            answer = provider.run(wanted, question)
        except JobFailure as failure:
            if failure.answers:
                took = self._seconds() - began
                failure.answers = tuple(self._measured(wanted, one, took=took) for one in failure.answers)
            raise
        return self._measured(wanted, answer, took=self._seconds() - began)

    def ask(
        self,
        model: str,
        question: Question,
        *,
        read: Callable[[str], Value],
        seconds_left: Callable[[], float],
        on_answer: Callable[[ModelAnswer], None],
    ) -> Reply[Value]:
        """Let `read` understand the answer. When it raises ValueError, the model is asked once more.

        ModelTimeout when less is left than an answer may take: then the model is not asked. `on_answer` is
        told of each answer that was paid for, as it comes, whatever happens then.
        """
        first = self._run_in_time(model, question, seconds_left=seconds_left, on_answer=on_answer)
        try:
            return Reply(read(first.text), answers=(first,))
        except ValueError as misunderstanding:
            again = question.again(answered=first.text, complaint=str(misunderstanding))
        second = self._run_in_time(model, again, seconds_left=seconds_left, on_answer=on_answer)
        try:
            return Reply(read(second.text), answers=(first, second))
        except ValueError as misunderstanding:
            raise ModelAnswerInvalid(
                "The model's answer could not be read, also when asked again. A person has to look at this."
            ) from misunderstanding

    def _run_in_time(
        self,
        model: str,
        question: Question,
        *,
        seconds_left: Callable[[], float],
        on_answer: Callable[[ModelAnswer], None],
    ) -> ModelAnswer:
        if seconds_left() < TIME_LIMIT_SECONDS:
            raise ModelTimeout("There was not enough time left to ask the model.")
        try:
            answer = self.run(model, question)
        except JobFailure as failure:
            for paid in failure.answers:
                on_answer(paid)
            raise
        on_answer(answer)
        return answer

    def _provider(self, model: str) -> Provider:
        key = self._keys[model]
        if key not in self._built:
            self._built[key] = self._providers[key]()
        return self._built[key]

    def _measured(self, model: str, answer: ModelAnswer, *, took: float) -> ModelAnswer:
        """Without a price of the model the cost is what its provider says: nothing, for the rules."""
        cost, price = answer.cost_microusd, self._access.prices.get(model)
        if price is not None:
            cost = price.cost(input_tokens=answer.input_tokens, output_tokens=answer.output_tokens)
        return replace(answer, duration_ms=round(took * 1000), cost_microusd=cost)


def _key_of(model: str, providers: Providers) -> str:
    for key in providers:
        if model == key or (key.endswith("/") and model.startswith(key)):
            return key
    raise ConfigurationInvalid(f"AI_MODELS: nobody provides {model}; there is {', '.join(providers)}")
