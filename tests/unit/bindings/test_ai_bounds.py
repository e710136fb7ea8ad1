"""The most that a question may cost is counted before it is asked, and what it then costs is never more."""

from dataclasses import replace

import pytest

from millrace.bindings.ai import AI, bounds
from millrace.domain.model_access import MOST_WRITTEN, ModelAccess
from millrace.domain.pricing import Price
from millrace.domain.questions import Document, Question
from millrace.errors import InsufficientDocuments
from tests.pdfs import many_pages

ANY = Price(1_000_000, 1_000_000)
MODELS = ("openai/large", "bedrock/anthropic.claude", "@cf/meta/llama-3.2-11b-vision-instruct")


def ask(*documents: Document) -> Question:
    return Question("Report what they hold.", given={"today": "2025-12-17"}, documents=documents)


def most_cost(model: str, question: Question, *, price: Price = ANY) -> int:
    access = ModelAccess(prices={model: price})
    return AI([model], access=access, providers={model: lambda: None}).most_cost(model, question)


def text(content: bytes) -> Document:
    return Document("Document 1", mime_type="text/plain", content=content)


@pytest.mark.parametrize("model", MODELS)
def test_a_token_is_a_byte_at_least_and_the_answer_has_the_most_that_is_asked_for(model):
    written = next(most for prefix, most in MOST_WRITTEN.items() if model.startswith(prefix))
    short, long = (most_cost(model, ask(text(b"wage slip " * count))) for count in (10, 1_010))

    assert long - short == 2 * 10_000
    assert short > 2 * written + 2 * 100


def test_both_directions_have_their_price_and_both_questions_count():
    question = ask(text(b"Gross pay $2,300"))
    read, written = (
        most_cost(MODELS[0], question, price=one) for one in (Price(1_000_000, 0), Price(0, 1_000_000))
    )

    assert written == 2 * 8_192
    assert read > 8_192 + 2 * len("Report what they hold.")
    assert most_cost(MODELS[0], question) == read + written


def test_letters_beyond_ascii_count_by_their_bytes():
    plain, japanese = (
        most_cost(MODELS[0], ask(text(one.encode()))) for one in ("aaaa" * 90, "東京都内" * 90)
    )

    assert japanese - plain == 2 * 2 * 360


@pytest.mark.parametrize("model", MODELS)
def test_an_image_counts_as_the_most_that_any_model_makes_of_one(model):
    image = Document("Document 2", mime_type="image/png", content=b"x")
    letter = text(b"Gross pay $2,300")

    more = most_cost(model, ask(letter, image)) - most_cost(model, ask(letter))

    assert 2 * bounds.IMAGE_TOKENS < more < 2 * bounds.IMAGE_TOKENS + 1_000


@pytest.mark.parametrize("pages", [1, 3])
def test_a_pdf_that_goes_as_a_file_counts_by_its_pages(pages):
    slip = Document("Document 1", mime_type="application/pdf", content=many_pages(pages))

    read = bounds.most_read("bedrock/anthropic.claude", ask(slip), access=ModelAccess())

    assert pages * bounds.PAGE_TOKENS < read < pages * bounds.PAGE_TOKENS + 5_000


def test_a_pdf_that_cannot_be_read_now_counts_as_if_it_could_be_later():
    broken = Document("Document 2", mime_type="application/pdf", content=b"%PDF-1.4 and no more")
    letter = text(b"Gross pay $2,300")

    more = most_cost(MODELS[0], ask(letter, broken)) - most_cost(MODELS[0], ask(letter))

    assert more == 2 * bounds.UNREAD_TOKENS


def test_what_costs_nothing_is_not_even_looked_at():
    broken = replace(text(b"\x00"), mime_type="video/mp4")

    assert most_cost("openai/own", ask(broken), price=Price(0, 0)) == 0
    assert AI(["local/rules"]).most_cost("local/rules", ask(broken)) == 0


def test_a_question_of_which_nothing_can_be_read_is_refused_before_it_is_asked():
    with pytest.raises(InsufficientDocuments):
        most_cost(MODELS[0], ask(replace(text(b"film"), mime_type="video/mp4")))


def test_the_least_that_a_model_costs_is_an_answer_of_the_longest():
    access = ModelAccess(prices={"openai/large": Price(2_500_000, 10_000_000), "openai/own": Price(0, 0)})

    assert access.least_costs(["openai/large", "openai/own", "local/rules"]) == {
        "openai/large": 81_920, "openai/own": 0, "local/rules": 0,
    }  # fmt: skip
