"""`@cf/…`: Cloudflare Workers AI, over its REST API."""

import json
from collections.abc import Mapping
from typing import Any

from millrace.bindings.ai.calls import Api, error_code
from millrace.bindings.ai.intake import Files, Intake, take
from millrace.bindings.ai.openai import answer_of, messages_of, tokens_in
from millrace.bindings.ai.prompts import compose
from millrace.bindings.stopwatch import Deadline
from millrace.domain.model_access import CLOUDFLARE, MOST_WRITTEN
from millrace.domain.questions import TIME_LIMIT_SECONDS, ModelAnswer, Question
from millrace.errors import ModelUnavailable

# Those said to have vision at developers.cloudflare.com/workers-ai/models. They take an image as a data URL
# in a message ("HTTP URL will not be accepted"), and Llama 3.2 was made to look at one. None takes a PDF.
ONE_IMAGE = Intake(images=Files(1, 5_000_000, frozenset({"image/png", "image/jpeg", "image/webp"})))
INTAKE: Mapping[str, Intake] = {
    "@cf/meta/llama-3.2-11b-vision-instruct": ONE_IMAGE,
    "@cf/meta/llama-4-scout-17b-16e-instruct": ONE_IMAGE,
    "@cf/google/gemma-3-12b-it": ONE_IMAGE,
    "@cf/mistralai/mistral-small-3.1-24b-instruct": ONE_IMAGE,
}
TEXT_ONLY = Intake()


class Cloudflare:
    """A provider of `env.AI`. `api` is that of an account."""

    def __init__(self, api: Api, *, time_limit_seconds: float = TIME_LIMIT_SECONDS):
        self._api = api
        self._time_limit_seconds = time_limit_seconds

    def run(self, model: str, question: Question) -> ModelAnswer:
        deadline = Deadline(self._time_limit_seconds)
        given, warnings = take(question.documents, intake=intake_of(model))
        body = {
            "messages": messages_of(compose(question, given=given)),
            # Without it the answer is cut after 256 tokens.
            "max_tokens": MOST_WRITTEN[CLOUDFLARE],
            "temperature": 0,
        }
        result = result_in(self._api.post(f"/ai/run/{model}", body, deadline=deadline))
        return read_result(result, model=model, warnings=warnings)


def intake_of(model: str) -> Intake:
    return INTAKE.get(model, TEXT_ONLY)


def result_in(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    match envelope:
        case {"success": True, "result": dict(result)}:
            return result
    code = error_code(envelope)
    raise ModelUnavailable(f"Workers AI answered without a result{f' ({code})' if code else ''}.")


def read_result(result: Mapping[str, Any], *, model: str, warnings: tuple[str, ...]) -> ModelAnswer:
    """`response` is a text, or JSON already read where the model was bound to a form. Newer models answer as
    OpenAI's do.
    """
    match result:
        case {"response": str(text)}:
            pass
        case {"response": dict() | list() as read}:
            text = json.dumps(read)
        case _:
            return answer_of(result, model=model, warnings=warnings)
    input_tokens, output_tokens = tokens_in(result)
    return ModelAnswer(
        text, model_version=model, warnings=warnings, input_tokens=input_tokens, output_tokens=output_tokens
    )
