"""`openai/…` against a server that speaks OpenAI's chat completions."""

import base64
import json

import pytest

from millrace.bindings.ai import AI
from millrace.bindings.ai.calls import Api
from millrace.bindings.ai.openai import OpenAi
from millrace.domain.facts import read_facts
from millrace.domain.model_access import Account, Key, ModelAccess
from millrace.domain.pricing import Price
from millrace.domain.questions import Document, Question
from millrace.errors import InsufficientDocuments, ModelAnswerInvalid, ModelUnavailable
from tests.bindings.model_server import Told, model_server

MODEL = "openai/gpt-test"
SLIP = Document("Document 1", "text/plain", b"Net pay $1,500.00")
PHOTO = Document("Document 2", "image/jpeg", b"\xff\xd8 a photo")
QUESTION = Question("Answer in JSON.", given={"today": "2025-12-17"}, documents=(SLIP,))
FACTS = {
    "extracted_data": {
        "monthly_income": 3000,
        "employer": "Harbour Bakery",
        "employment_duration_months": 42,
        "bank_balance": None,
        "document_quality": "good",
    },
    "risk_flags": [],
    "fraud_signals": [],
    "summary": "A baker.",
}


def completion(text="{}", *, finish_reason="stop", usage=(1_200, 80), **message):
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_766_000_000,
        "model": "gpt-test-2025-12-01",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None, **message},
                "finish_reason": finish_reason,
            }
        ],
        "usage": {
            "prompt_tokens": usage[0],
            "completion_tokens": usage[1],
            "total_tokens": sum(usage),
        },
    }


def run(*bodies, question=QUESTION, **named):
    """The answer, and what the server was asked."""
    with model_server(*(Told(body) for body in bodies)) as server:
        return OpenAi(Api(f"{server.url}/v1"), **named).run(MODEL, question), server.asked


def ask(*bodies):
    with model_server(*(Told(body) for body in bodies)) as server:
        access = ModelAccess(openai=Account(f"{server.url}/v1"), prices={MODEL: Price(150_000, 600_000)})
        ai, told = AI([MODEL], access=access), []
        reply = ai.ask(MODEL, QUESTION, read=read_facts, seconds_left=lambda: 900, on_answer=told.append)
        return reply, told, server.asked


def test_an_answer_says_who_said_it_and_what_was_used():
    answer, _ = run(completion("hello"))

    assert (answer.text, answer.model_version) == ("hello", MODEL)
    assert (answer.input_tokens, answer.output_tokens) == (1_200, 80)


def test_the_question_goes_out_in_openai_s_form():
    _, (asked,) = run(completion())

    assert asked.path == "/v1/chat/completions"
    assert asked.body["model"] == "gpt-test"
    assert asked.body["max_completion_tokens"] > 0
    system, user = asked.body["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert system["content"].startswith("Answer in JSON.")
    assert "today: 2025-12-17" in user["content"]
    assert "Net pay $1,500.00" in user["content"]


def test_the_model_is_bound_to_json_where_the_question_wants_it():
    _, (plain,) = run(completion())
    _, (bound,) = run(completion(), question=Question("Answer in JSON.", wants_json=True))

    assert "response_format" not in plain.body
    assert bound.body["response_format"] == {"type": "json_object"}


def test_images_are_shown_as_data_urls_each_under_its_name():
    _, (asked,) = run(completion(), question=Question("Read.", documents=(SLIP, PHOTO)))

    text, name, image = asked.body["messages"][1]["content"]
    assert "Net pay $1,500.00" in text["text"]
    assert name == {"type": "text", "text": "Document 2:"}
    assert image["type"] == "image_url"
    kind, _, content = image["image_url"]["url"].partition(",")
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(content) == PHOTO.content


def test_a_server_without_eyes_is_shown_no_images_and_that_is_said():
    answer, (asked,) = run(completion(), question=Question("Read.", documents=(SLIP, PHOTO)), most_images=0)

    assert answer.warnings == ("Document 2 was not read: the model takes no images.",)
    assert isinstance(asked.body["messages"][1]["content"], str)


def test_a_question_none_of_whose_documents_can_be_shown_is_not_asked():
    with model_server(Told(completion())) as server, pytest.raises(InsufficientDocuments):
        OpenAi(Api(server.url), most_images=0).run(MODEL, Question("Read.", documents=(PHOTO,)))

    assert server.asked == []


def test_when_it_is_asked_again_the_model_sees_what_it_said_and_what_is_wrong():
    again = QUESTION.again(answered="what?", complaint="The answer holds no JSON object.")

    _, (asked,) = run(completion(), question=again)

    roles = [message["role"] for message in asked.body["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert asked.body["messages"][2]["content"] == "what?"
    assert "holds no JSON object" in asked.body["messages"][3]["content"]


@pytest.mark.parametrize(
    "body",
    [completion(None, refusal="I cannot help with that."), completion("", finish_reason="content_filter")],
    ids=["the model", "its provider"],
)
def test_a_refusal_is_final_and_was_paid_for(body):
    with pytest.raises(ModelAnswerInvalid, match="person") as failed:
        run(body)

    (paid,) = failed.value.answers
    assert (paid.input_tokens, paid.output_tokens) == (1_200, 80)


def test_an_answer_cut_short_is_one_that_can_perhaps_not_be_read():
    reply, told, asked = ask(
        completion('{"extracted_data": {"mon', finish_reason="length"), completion(json.dumps(FACTS))
    )

    assert reply.value.summary == "A baker."
    assert len(told) == len(asked) == 2


def test_an_empty_answer_is_an_answer():
    assert run(completion(None))[0].text == ""


def test_tokens_that_are_not_counted_are_none():
    body = completion("hello")
    del body["usage"]

    answer, _ = run(body)

    assert (answer.input_tokens, answer.output_tokens) == (0, 0)


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": [{"text": "old"}]}, {"choices": "none"}])
def test_a_completion_without_a_message_is_a_broken_provider(body):
    with pytest.raises(ModelUnavailable):
        run(body)


def test_what_a_call_costs_is_counted_to_the_micro_dollar():
    _, told, _ = ask(completion(json.dumps(FACTS)))

    assert [answer.cost_microusd for answer in told] == [228]


WRAPPED = f"Here you are:\n```json\n{json.dumps(FACTS)}\n```\nAnything else?"
FLOATS = json.dumps(
    {**FACTS, "extracted_data": {**FACTS["extracted_data"], "employment_duration_months": 42.0}}
)
MISSING = json.dumps({name: value for name, value in FACTS.items() if name != "risk_flags"})


@pytest.mark.parametrize("text", [WRAPPED, FLOATS], ids=["fenced", "floats for integers"])
def test_an_answer_in_a_form_that_models_like_is_understood_at_once(text):
    reply, told, _ = ask(completion(text))

    assert reply.value.extracted_data.employment_duration_months == 42
    assert len(told) == 1


def test_an_answer_with_fields_missing_is_asked_for_once_more_by_their_names():
    reply, told, asked = ask(completion(MISSING), completion(json.dumps(FACTS)))

    assert reply.value.risk_flags == ()
    assert "risk_flags: Field required" in asked[1].body["messages"][3]["content"]
    assert len(told) == 2


def test_two_answers_that_cannot_be_read_were_both_paid_for_and_reject_nobody():
    with model_server(Told(completion(MISSING))) as server:
        ai, told = AI([MODEL], access=ModelAccess(openai=Account(server.url))), []
        with pytest.raises(ModelAnswerInvalid):
            ai.ask(MODEL, QUESTION, read=read_facts, seconds_left=lambda: 900, on_answer=told.append)

    assert [answer.output_tokens for answer in told] == [80, 80]


def test_a_key_of_one_s_own_goes_along():
    with model_server(Told(completion())) as server:
        key = Key("OPENAI_API_KEY", value="of-my-own")
        AI([MODEL], access=ModelAccess(openai=Account(server.url, key))).run(MODEL, QUESTION)

    assert server.asked[0].headers["authorization"] == "Bearer of-my-own"
