"""`bedrock/…`: Amazon Bedrock, by its Converse API."""

from collections.abc import Mapping
from typing import Any

from millrace.bindings.ai.calls import TOOK_TOO_LONG, failure_for
from millrace.bindings.ai.intake import NONE, Files, Given, Intake, take
from millrace.bindings.ai.prompts import Prompt, compose
from millrace.bindings.aws import LateClient
from millrace.bindings.calls import CONNECT_SECONDS
from millrace.bindings.stopwatch import Deadline
from millrace.bindings.waiting import wait_at_most
from millrace.domain.model_access import BEDROCK, MOST_WRITTEN
from millrace.domain.questions import TIME_LIMIT_SECONDS, ModelAnswer, Question
from millrace.errors import JobFailure, ModelAnswerInvalid, ModelTimeout, ModelUnavailable

HELD_BACK = frozenset({"guardrail_intervened", "content_filtered"})
# "You can include up to 20 images. Each image's size … must be no more than 3.75 MB …; up to five documents.
# Each document's size must be no more than 4.5 MB": the API reference on Message. Together they go as base64
# into a body of 25 MB at most, as InvokeModel says of its own; and Claude takes 100 pages of PDF a request.
IMAGES = Files(20, 3_750_000, frozenset({"image/png", "image/jpeg", "image/webp"}))
PDFS = Files(5, 4_500_000, frozenset({"application/pdf"}))
MOST_FILE_BYTES = 18_000_000
MOST_PAGES = 100
# Who has neither "document chat" nor "vision", and who has no vision, in the user guide's table of what
# Converse supports. Whoever is not named here takes both.
WITHOUT_FILES = ("ai21.jamba-instruct", "amazon.nova-micro")
WITHOUT_IMAGES = (
    "ai21.jamba-1-5",
    "amazon.titan-text",
    "anthropic.claude-3-5-haiku",
    "cohere.command",
    "deepseek.",
    "meta.llama3-1",
    "meta.llama3-2-1b",
    "meta.llama3-2-3b",
    "meta.llama3-3",
    "meta.llama3-70b",
    "meta.llama3-8b",
    "mistral.mistral-7b",
    "mistral.mistral-large-24",
    "mistral.mixtral",
)
FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp", "application/pdf": "pdf"}


class Bedrock:
    """A provider of `env.AI`, with the rights of this process. `region` is None for the process's own."""

    def __init__(self, *, region: str | None = None, time_limit_seconds: float = TIME_LIMIT_SECONDS):
        self._time_limit_seconds = time_limit_seconds
        where = {} if region is None else {"region_name": region}
        # Tried once: a job that is to be tried again is tried later.
        self._client = LateClient(
            "bedrock-runtime",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=time_limit_seconds,
            retries={"total_max_attempts": 1},
            **where,
        )

    def run(self, model: str, question: Question) -> ModelAnswer:
        deadline = Deadline(self._time_limit_seconds)
        given, warnings = take(question.documents, intake=intake_of(model))
        prompt = compose(question, given=given)
        # No temperature: some models refuse any but their own.
        answer = self._converse(
            deadline,
            modelId=model.removeprefix(BEDROCK),
            system=[{"text": prompt.system}],
            messages=messages_of(prompt),
            inferenceConfig={"maxTokens": MOST_WRITTEN[BEDROCK]},
        )
        return read_answer(answer, model=model, warnings=warnings)

    def _converse(self, deadline: Deadline, **wanted: Any) -> Mapping[str, Any]:
        """Without the causes: botocore's faults quote what was sent."""
        from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
        from botocore.parsers import ResponseParserError

        try:
            answer: Mapping[str, Any] = wait_at_most(
                deadline.left(), work=lambda: self._client().converse(**wanted)
            )
        except (TimeoutError, ReadTimeoutError):
            raise ModelTimeout(TOOK_TOO_LONG) from None
        except ClientError as error:
            raise failure_of(error.response) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise ModelUnavailable(f"Bedrock cannot be asked ({type(error).__name__}).") from None
        return answer


def failure_of(response: Mapping[str, Any]) -> JobFailure:
    said = response["ResponseMetadata"]
    return failure_for(
        said["HTTPStatusCode"], headers=said.get("HTTPHeaders", {}), code=response["Error"].get("Code")
    )


def intake_of(model: str) -> Intake:
    """A model's id may have a region before it ("us.amazon.nova-micro-v1:0") and stand in an ARN."""
    if any(name in model for name in WITHOUT_FILES):
        return Intake()
    images = NONE if any(name in model for name in WITHOUT_IMAGES) else IMAGES
    return Intake(images=images, pdfs=PDFS, most_bytes=MOST_FILE_BYTES, most_pages=MOST_PAGES)


def messages_of(prompt: Prompt) -> list[dict[str, Any]]:
    """A request with documents has a text too, and each image stands behind its name."""
    content: list[dict[str, Any]] = [{"text": prompt.text}]
    for file in prompt.files:
        content += blocks_of(file)
    messages = [{"role": "user", "content": content}]
    if prompt.answered is not None:
        messages.append({"role": "assistant", "content": [{"text": prompt.answered}]})
        messages.append({"role": "user", "content": [{"text": prompt.complaint}]})
    return messages


def blocks_of(file: Given) -> list[dict[str, Any]]:
    """A document's name is read by the model: ours, such as "Document 3", has only signs that are allowed."""
    block = {"format": FORMATS[file.mime_type], "source": {"bytes": file.content}}
    if file.mime_type.startswith("image/"):
        return [{"text": f"{file.name}:"}, {"image": block}]
    return [{"document": {**block, "name": file.name}}]


def read_answer(answer: Mapping[str, Any], *, model: str, warnings: tuple[str, ...]) -> ModelAnswer:
    """What the model wrote, and not what it thought. ModelAnswerInvalid when it was kept from answering."""
    blocks = answer.get("output", {}).get("message", {}).get("content", [])
    usage = answer.get("usage", {})
    read = ModelAnswer(
        "".join(block["text"] for block in blocks if "text" in block),
        model_version=model,
        warnings=warnings,
        input_tokens=usage.get("inputTokens", 0),
        output_tokens=usage.get("outputTokens", 0),
    )
    if answer.get("stopReason") in HELD_BACK:
        raise ModelAnswerInvalid(
            "Bedrock holds the model's answer back. A person has to look at this.", answers=[read]
        )
    return read
