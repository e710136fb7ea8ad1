"""`@cf/…` against a server that speaks the REST API of Workers AI."""

import base64
import json

import pytest

from local.demo_pdf import write_pdf
from millrace.bindings.ai import AI
from millrace.domain.model_access import Account, Key, ModelAccess
from millrace.domain.pricing import Price
from millrace.domain.questions import Document, Question
from millrace.errors import InsufficientDocuments, ModelTimeout, ModelUnavailable
from tests.bindings.model_server import Told, model_server

LLAMA = "@cf/meta/llama-3.2-11b-vision-instruct"
BLIND = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
SLIP = Document("Document 1", "text/plain", b"Net pay $1,500.00")
LETTER = Document("Document 2", "application/pdf", write_pdf("The salary is $52,000 per year."))
OLD_PHOTO = Document("Document 3", "image/png", b"\x89PNG an old photo")
PHOTO = Document("Document 4", "image/jpeg", b"\xff\xd8 a photo")
USAGE = {"prompt_tokens": 2_000, "completion_tokens": 100, "total_tokens": 2_100}


def envelope(result=None, *, success=True, errors=()):
    return {"result": result, "success": success, "errors": list(errors), "messages": []}


def run(body, *documents, model=LLAMA, status=200, question=None):
    """The answer, and what the server was asked."""
    with model_server(Told(body, status=status)) as server:
        account = Account(f"{server.url}/client/v4/accounts/abc123", Key("CLOUDFLARE_API_TOKEN", "a-token"))
        access = ModelAccess(cloudflare=account, prices={LLAMA: Price(49_000, 680_000)})
        asked = question or Question("Read.", documents=documents)
        return AI([model], access=access).run(model, asked), server.asked


def test_an_answer_says_who_said_it_what_was_used_and_what_it_cost():
    answer, _ = run(envelope({"response": "hello", "usage": USAGE}), SLIP)

    assert (answer.text, answer.model_version) == ("hello", LLAMA)
    assert (answer.input_tokens, answer.output_tokens, answer.cost_microusd) == (2_000, 100, 166)


def test_the_question_goes_to_the_account_s_model_with_the_token():
    _, (asked,) = run(envelope({"response": "{}"}), SLIP)

    assert asked.path == f"/client/v4/accounts/abc123/ai/run/{LLAMA}"
    assert asked.headers["authorization"] == "Bearer a-token"
    assert [message["role"] for message in asked.body["messages"]] == ["system", "user"]
    assert "Net pay $1,500.00" in asked.body["messages"][1]["content"]
    assert asked.body["max_tokens"] > 256
    assert asked.body["temperature"] == 0


def test_llama_is_shown_one_image_the_newest_and_pdfs_as_their_text():
    answer, (asked,) = run(envelope({"response": "{}"}), SLIP, LETTER, OLD_PHOTO, PHOTO)

    text, name, image = asked.body["messages"][1]["content"]
    assert "The salary is $52,000 per year." in text["text"]
    assert name["text"] == "Document 4:"
    kind, _, content = image["image_url"]["url"].partition(",")
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(content) == PHOTO.content
    assert answer.warnings == ("Document 3 was not read: the model takes no more than 1 of the images.",)


def test_a_model_without_vision_is_given_text_alone():
    answer, (asked,) = run(envelope({"response": "{}"}), LETTER, PHOTO, model=BLIND)

    assert "The salary is $52,000 per year." in asked.body["messages"][1]["content"]
    assert answer.warnings == ("Document 4 was not read: the model takes no images.",)
    with pytest.raises(InsufficientDocuments):
        run(envelope({"response": "{}"}), PHOTO, model=BLIND)


def test_an_answer_that_comes_as_json_already_read_is_the_same_answer():
    answer, _ = run(envelope({"response": {"summary": "A baker."}}), SLIP)

    assert json.loads(answer.text) == {"summary": "A baker."}


def test_newer_models_answer_in_openai_s_form():
    message = {"role": "assistant", "content": "hello"}

    answer, _ = run(envelope({"choices": [{"message": message}], "usage": USAGE}), SLIP)

    assert (answer.text, answer.output_tokens) == ("hello", 100)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, 3036, ModelUnavailable),
        (429, 3040, ModelUnavailable),
        (403, 5016, ModelUnavailable),
        (408, 3007, ModelTimeout),
        (413, 3006, InsufficientDocuments),
        (500, 1000, ModelUnavailable),
        (200, 7000, ModelUnavailable),
    ],
)
def test_an_error_is_told_by_its_documented_code(status, code, error):
    body = envelope(success=False, errors=[{"code": code, "message": "AiError: of some kind"}])

    with pytest.raises(error) as failed:
        run(body, SLIP, status=status)

    assert error is ModelTimeout or str(code) in failed.value.message
    assert "AiError" not in failed.value.message


@pytest.mark.parametrize("body", [{}, envelope("text"), envelope({}), {"response": "unwrapped"}])
def test_an_answer_without_a_result_is_a_broken_provider(body):
    with pytest.raises(ModelUnavailable):
        run(body, SLIP)
