"""`openai/…`: any server that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from millrace.bindings.ai.calls import Api
from millrace.bindings.ai.intake import Files, Given, Intake, take
from millrace.bindings.ai.prompts import Prompt, compose
from millrace.bindings.stopwatch import Deadline
from millrace.domain.model_access import MOST_IMAGES, MOST_WRITTEN, OPENAI
from millrace.domain.questions import TIME_LIMIT_SECONDS, ModelAnswer, Question
from millrace.errors import ModelAnswerInvalid, ModelUnavailable

# platform.openai.com/docs/guides/images-vision: PNG, JPEG, WEBP and GIF, by URL or as data URLs, 20 MB each
# and 50 MB together. Files of other types are OpenAI's own: neither vLLM nor Ollama take them in a message.
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})
MOST_IMAGE_BYTES = 20_000_000
REFUSED = "The model refuses to answer. A person has to look at this."
HELD_BACK = "The provider holds the model's answer back. A person has to look at this."


class OpenAi:
    """A provider of `env.AI`."""

    def __init__(
        self, api: Api, *, most_images: int = MOST_IMAGES, time_limit_seconds: float = TIME_LIMIT_SECONDS
    ):
        self._api = api
        self._intake = intake_of(most_images)
        self._time_limit_seconds = time_limit_seconds

    def run(self, model: str, question: Question) -> ModelAnswer:
        deadline = Deadline(self._time_limit_seconds)
        given, warnings = take(question.documents, intake=self._intake)
        prompt = compose(question, given=given)
        # No temperature: models that think refuse any but their own.
        body: dict[str, Any] = {
            "model": model.removeprefix(OPENAI),
            "messages": messages_of(prompt),
            "max_completion_tokens": MOST_WRITTEN[OPENAI],
        }
        if question.wants_json:
            body["response_format"] = {"type": "json_object"}
        completion = self._api.post("/chat/completions", body, deadline=deadline)
        return answer_of(completion, model=model, warnings=warnings)


def intake_of(most_images: int) -> Intake:
    return Intake(images=Files(most_images, MOST_IMAGE_BYTES, IMAGE_TYPES))


def messages_of(prompt: Prompt) -> list[dict[str, Any]]:
    """Each file behind its name. A plain text where there are none: not every model takes a list of parts."""
    parts: list[dict[str, Any]] = [{"type": "text", "text": prompt.text}]
    for file in prompt.files:
        parts.append({"type": "text", "text": f"{file.name}:"})
        parts.append({"type": "image_url", "image_url": {"url": data_url(file)}})
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": prompt.system},
        {"role": "user", "content": parts if prompt.files else prompt.text},
    ]
    if prompt.answered is not None:
        messages.append({"role": "assistant", "content": prompt.answered})
        messages.append({"role": "user", "content": prompt.complaint})
    return messages


def data_url(file: Given) -> str:
    return f"data:{file.mime_type};base64,{b64encode(file.content).decode()}"


def answer_of(completion: Mapping[str, Any], *, model: str, warnings: tuple[str, ...]) -> ModelAnswer:
    """ModelAnswerInvalid when the model refuses, or its provider does for it. One that is cut short is an
    answer: who reads it will see.
    """
    input_tokens, output_tokens = tokens_in(completion)
    answer = ModelAnswer(
        "", model_version=model, warnings=warnings, input_tokens=input_tokens, output_tokens=output_tokens
    )
    match completion.get("choices"):
        case [{"message": {"refusal": str(refusal)}}, *_] if refusal:
            raise ModelAnswerInvalid(REFUSED, answers=[answer])
        case [{"finish_reason": "content_filter"}, *_]:
            raise ModelAnswerInvalid(HELD_BACK, answers=[answer])
        case [{"message": {"content": str(text)}}, *_]:
            return replace(answer, text=text)
        case [{"message": {"content": None}}, *_]:
            return answer
    raise ModelUnavailable("The model's provider answered without an answer of the model.")


def tokens_in(answer: Mapping[str, Any]) -> tuple[int, int]:
    """Those read and those written. 0 where the server does not count them."""
    match answer.get("usage"):
        case {"prompt_tokens": int(read), "completion_tokens": int(written)}:
            return max(read, 0), max(written, 0)
    return 0, 0
