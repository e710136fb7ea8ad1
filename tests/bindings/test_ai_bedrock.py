"""`bedrock/…`: boto3 against a server that speaks Bedrock's Converse."""

import base64
import threading
import traceback

import pytest

from local.demo_pdf import write_pdf
from millrace.bindings.ai.bedrock import Bedrock, intake_of
from millrace.domain.questions import Document, Question
from millrace.errors import (
    InsufficientDocuments,
    ModelAnswerInvalid,
    ModelTimeout,
    ModelUnavailable,
    ProcessingError,
)
from tests.bindings.loopback import refusing
from tests.bindings.model_server import Dripping, Told, misbehaving, model_server

MODEL = "bedrock/us.anthropic.claude-test-v1:0"
SLIP = Document("Document 1", "text/plain", b"Net pay $1,500.00")
LETTER = Document("Document 2", "application/pdf", write_pdf("The salary is $52,000 per year."))
PHOTO = Document("Document 3", "image/png", b"\x89PNG a photo")
SOON = 0.2


def converse(*blocks, stop_reason="end_turn"):
    return {
        "output": {"message": {"role": "assistant", "content": list(blocks or [{"text": "hello"}])}},
        "stopReason": stop_reason,
        "usage": {"inputTokens": 1_200, "outputTokens": 80, "totalTokens": 1_280},
        "metrics": {"latencyMs": 900},
    }


@pytest.fixture
def at(monkeypatch):
    return lambda url: monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url)


@pytest.fixture
def run(at):
    """The answer, and what the server was asked."""

    def run(told, *documents, model=MODEL, region=None, question=None):
        with model_server(told if isinstance(told, Told) else Told(told)) as server:
            at(server.url)
            asked = question or Question("Read.", documents=documents)
            return Bedrock(region=region).run(model, asked), server.asked

    return run


def test_an_answer_says_who_said_it_and_what_was_used(run):
    answer, _ = run(
        converse({"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "hello"}), SLIP
    )

    assert (answer.text, answer.model_version) == ("hello", MODEL)
    assert (answer.input_tokens, answer.output_tokens) == (1_200, 80)


def test_the_question_goes_out_signed_in_converse_s_form(run):
    _, (asked,) = run(converse(), SLIP)

    assert asked.path == "/model/us.anthropic.claude-test-v1%3A0/converse"
    scheme, _, signed = asked.headers["authorization"].partition(" ")
    assert scheme == "AWS4-HMAC-SHA256"
    assert "Credential=nobody/" in signed
    assert "/eu-west-1/bedrock/aws4_request" in signed
    assert "Signature=" in signed
    assert asked.body["system"][0]["text"].startswith("Read.")
    assert asked.body["inferenceConfig"]["maxTokens"] > 0
    (message,) = asked.body["messages"]
    assert message["role"] == "user"
    assert "Net pay $1,500.00" in message["content"][0]["text"]


def test_another_region_may_be_asked(run):
    _, (asked,) = run(converse(), SLIP, region="us-west-2")

    assert "/us-west-2/bedrock/" in asked.headers["authorization"]


def test_pdfs_and_images_go_along_as_they_are(run):
    answer, (asked,) = run(converse(), SLIP, LETTER, PHOTO)

    _, document, name, image = asked.body["messages"][0]["content"]
    assert document["document"]["name"] == "Document 2"
    assert document["document"]["format"] == "pdf"
    assert base64.b64decode(document["document"]["source"]["bytes"]) == LETTER.content
    assert name == {"text": "Document 3:"}
    assert image["image"]["format"] == "png"
    assert base64.b64decode(image["image"]["source"]["bytes"]) == PHOTO.content
    assert answer.warnings == ()


def test_a_sixth_pdf_is_read_out_and_a_large_image_left_out(run):
    pdfs = [Document(f"Document {n}", "application/pdf", write_pdf(f"slip {n}")) for n in range(1, 7)]
    large = Document("Document 7", "image/png", b"x" * 3_750_001)

    answer, (asked,) = run(converse(), *pdfs, large)

    text, *files = asked.body["messages"][0]["content"]
    assert [file["document"]["name"] for file in files] == [f"Document {n}" for n in range(2, 7)]
    assert "slip 1" in text["text"]
    assert answer.warnings == (
        "Document 7 was not read: it is larger than the 3,750,000 bytes the model takes.",
    )


def test_a_pdf_that_cannot_be_opened_does_not_spoil_the_others(run):
    broken = Document("Document 4", "application/pdf", b"%PDF-1.7 and then nothing")

    answer, (asked,) = run(converse(), SLIP, LETTER, broken)

    assert len(asked.body["messages"][0]["content"]) == 2
    assert answer.warnings == ("Document 4 was not read: it is a damaged PDF.",)


@pytest.mark.parametrize(
    ("model", "images", "pdfs"),
    [
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", 20, 5),
        ("bedrock/amazon.nova-pro-v1:0", 20, 5),
        ("bedrock/eu.amazon.nova-micro-v1:0", 0, 0),
        ("bedrock/us.anthropic.claude-3-5-haiku-20241022-v1:0", 0, 5),
        ("bedrock/us.meta.llama3-2-11b-instruct-v1:0", 20, 5),
        ("bedrock/meta.llama3-1-70b-instruct-v1:0", 0, 5),
        ("bedrock/arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-micro-v1:0", 0, 0),
    ],
)
def test_each_model_takes_what_the_user_guide_says(model, images, pdfs):
    intake = intake_of(model)

    assert (intake.images.count, intake.pdfs.count) == (images, pdfs)


def test_when_it_is_asked_again_the_model_sees_what_it_said_and_what_is_wrong(run):
    again = Question("Read.", documents=(SLIP,)).again(answered=" ", complaint="No JSON.")

    _, (asked,) = run(converse(), question=again)

    roles = [message["role"] for message in asked.body["messages"]]
    assert roles == ["user", "assistant", "user"]
    # Bedrock refuses a text of nothing but spaces.
    assert asked.body["messages"][1]["content"][0]["text"].strip()
    assert "No JSON." in asked.body["messages"][2]["content"][0]["text"]


@pytest.mark.parametrize("stop_reason", ["guardrail_intervened", "content_filtered"])
def test_an_answer_held_back_is_final_and_was_paid_for(run, stop_reason):
    with pytest.raises(ModelAnswerInvalid, match="person") as failed:
        run(converse({"text": "Sorry."}, stop_reason=stop_reason), SLIP)

    (paid,) = failed.value.answers
    assert (paid.input_tokens, paid.output_tokens) == (1_200, 80)


@pytest.mark.parametrize("stop_reason", ["max_tokens", "model_context_window_exceeded", "stop_sequence"])
def test_an_answer_cut_short_is_an_answer(run, stop_reason):
    assert run(converse(stop_reason=stop_reason), SLIP)[0].text == "hello"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "ThrottlingException", ModelUnavailable),
        (429, "ModelNotReadyException", ModelUnavailable),
        (503, "ServiceUnavailableException", ModelUnavailable),
        (500, "InternalServerException", ModelUnavailable),
        (424, "ModelErrorException", ModelUnavailable),
        (403, "AccessDeniedException", ModelUnavailable),
        (404, "ResourceNotFoundException", ModelUnavailable),
        (408, "ModelTimeoutException", ModelTimeout),
        (400, "ValidationException", ProcessingError),
        (413, "RequestEntityTooLarge", InsufficientDocuments),
    ],
)
def test_an_error_means_what_the_table_of_errors_says(run, status, code, error):
    headers, quoted = {"x-amzn-ErrorType": code, "Retry-After": "9"}, SLIP.content.decode()

    with pytest.raises(error) as failed:
        run(Told({"message": quoted}, status=status, headers=headers), SLIP)

    assert quoted not in "".join(traceback.format_exception(failed.value))
    assert error is ModelTimeout or code in failed.value.message
    if error is ModelUnavailable:
        assert failed.value.retry_after_seconds == 9


def test_it_is_asked_once_since_the_job_is_what_is_tried_again(at):
    with model_server(Told({"message": "busy"}, status=503)) as server:
        at(server.url)
        with pytest.raises(ModelUnavailable):
            Bedrock().run(MODEL, Question("Read."))

    assert len(server.asked) == 1


def test_where_nobody_listens_bedrock_is_out_of_reach(at):
    at(refusing())

    with pytest.raises(ModelUnavailable, match="EndpointConnectionError"):
        Bedrock().run(MODEL, Question("Read."))


def test_without_credentials_bedrock_is_out_of_reach(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    with pytest.raises(ModelUnavailable, match="NoCredentialsError"):
        Bedrock().run(MODEL, Question("Read."))


def test_a_bedrock_that_does_not_answer_is_given_up(at):
    released = threading.Event()
    with misbehaving(lambda connection: released.wait()) as url:
        at(url)
        with pytest.raises(ModelTimeout):
            Bedrock(time_limit_seconds=SOON).run(MODEL, Question("Read."))
        released.set()


def test_a_bedrock_that_answers_in_drips_is_given_up(at):
    dripping = Dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    with misbehaving(dripping) as url:
        at(url)
        with pytest.raises(ModelTimeout):
            Bedrock(time_limit_seconds=SOON).run(MODEL, Question("Read."))
        dripping.ended.set()


@pytest.mark.parametrize("body", [b"", b"<html>", {}, {"output": {}}])
def test_an_answer_of_no_known_form_is_no_crash(run, body):
    try:
        answer, _ = run(Told(body), SLIP)
    except ModelUnavailable:
        return
    assert answer.text == ""
