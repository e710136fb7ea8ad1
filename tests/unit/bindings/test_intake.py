"""Which documents a model is given, and in what form."""

import pytest

from local.demo_pdf import write_pdf
from millrace.bindings.ai.intake import (
    MOST_CHARACTERS,
    MOST_CHARACTERS_TOGETHER,
    Files,
    Given,
    Intake,
    take,
)
from millrace.domain.questions import Document
from millrace.errors import InsufficientDocuments
from tests.pdfs import page_of

SEEING = Intake(
    images=Files(2, 100, frozenset({"image/png", "image/jpeg"})),
    pdfs=Files(1, 100_000, frozenset({"application/pdf"})),
    most_bytes=100_000,
)
BLIND = Intake()
SCAN = page_of(b"q Q")


def document(number, content, *, mime_type="text/plain"):
    content = content if isinstance(content, bytes) else content.encode()
    return Document(f"Document {number}", mime_type, content)


def image(number, *, size=10, mime_type="image/png"):
    return document(number, b"x" * size, mime_type=mime_type)


def pdf(number, content="Net pay"):
    whole = content if isinstance(content, bytes) else write_pdf(content)
    return document(number, whole, mime_type="application/pdf")


def test_every_model_is_given_texts_as_texts():
    given, warnings = take([document(1, "Net pay $5.00")], intake=BLIND)

    assert given == (Given("Document 1", text="Net pay $5.00"),)
    assert warnings == ()


def test_what_a_model_can_look_at_it_is_given_as_it_is():
    letter = pdf(2)

    given, warnings = take([image(1), letter], intake=SEEING)

    assert given == (
        Given("Document 1", mime_type="image/png", content=b"x" * 10),
        Given("Document 2", mime_type="application/pdf", content=letter.content, pages=1),
    )
    assert warnings == ()


def test_a_pdf_that_the_model_does_not_take_is_given_as_its_text_and_nothing_is_lost():
    given, warnings = take([pdf(1, "Net pay $5.00")], intake=BLIND)

    assert given[0].text is not None
    assert given[0].text.split() == ["Net", "pay", "$5.00"]
    assert warnings == ()


def test_one_pdf_too_many_or_too_large_is_given_as_its_text_too():
    large = pdf(3, "\n".join("Net pay $5.00" + " " * 200 for _ in range(600)))

    given, warnings = take([pdf(1, "the oldest"), pdf(2, "the newest"), large], intake=SEEING)

    assert [one.text is None for one in given] == [False, True, False]
    assert "the oldest" in (given[0].text or "")
    assert warnings == ()


def test_pdfs_with_more_pages_than_a_model_takes_are_given_as_their_text():
    two_pages = pdf(2, "the newest" + "\n" * 60)
    tight = Intake(pdfs=Files(9, 100_000, frozenset({"application/pdf"})), most_pages=2)

    given, warnings = take([pdf(1, "the oldest"), two_pages], intake=tight)

    assert [one.text is None for one in given] == [False, True]
    assert warnings == ()


@pytest.mark.parametrize(
    ("left_out", "why"),
    [
        (image(2, mime_type="image/webp"), "the model takes no images of its type"),
        (image(2, size=101), "it is larger than the 100 bytes the model takes"),
        (pdf(2, b"%PDF broken"), "it is a damaged PDF"),
        (document(2, b"\xff\xfe\x00" * 50), "it holds no readable text"),
        (document(2, "x", mime_type="application/zip"), "it is neither plain text nor a PDF"),
    ],
)
def test_what_cannot_be_given_is_a_warning_that_names_it(left_out, why):
    given, warnings = take([document(1, "Net pay"), left_out], intake=SEEING)

    assert [one.name for one in given] == ["Document 1"]
    assert warnings == (f"Document 2 was not read: {why}.",)


def test_a_scan_is_given_to_who_can_look_at_it_and_is_a_warning_for_the_others():
    seen, _ = take([pdf(1, SCAN)], intake=SEEING)
    _, warnings = take([document(1, "Net pay"), pdf(2, SCAN)], intake=BLIND)

    assert seen[0].content == SCAN
    assert warnings == ("Document 2 was not read: it is a PDF without text, a scan perhaps.",)


def test_of_too_many_images_the_newest_are_given():
    given, warnings = take([image(number) for number in range(1, 5)], intake=SEEING)

    assert [one.name for one in given] == ["Document 3", "Document 4"]
    assert warnings == (
        "Document 1 was not read: the model takes no more than 2 of the images.",
        "Document 2 was not read: the model takes no more than 2 of the images.",
    )


def test_files_that_are_too_large_together_are_left_out_from_the_oldest():
    tight = Intake(images=Files(9, 100, frozenset({"image/png"})), most_bytes=150)

    given, warnings = take([image(1, size=90), image(2, size=90), image(3, size=50)], intake=tight)

    assert [one.name for one in given] == ["Document 2", "Document 3"]
    assert warnings == (
        "Document 1 was not read: together the files are larger than the 150 bytes the model takes.",
    )


def test_of_long_texts_the_beginnings_are_given_and_that_is_said():
    long = "x" * (MOST_CHARACTERS + 1)
    fitting = MOST_CHARACTERS_TOGETHER // MOST_CHARACTERS

    given, warnings = take([document(number, long) for number in range(fitting + 1)], intake=BLIND)

    assert [len(one.text or "") for one in given] == [MOST_CHARACTERS] * fitting
    assert warnings == (
        "Document 0 was not read: together the documents hold more text than the model is given.",
        *(
            f"Of Document {number} only the first {MOST_CHARACTERS:,} characters were read."
            for number in range(1, fitting + 1)
        ),
    )


def test_with_nothing_to_give_there_is_nothing_to_ask():
    with pytest.raises(InsufficientDocuments, match="Document 1 was not read: the model takes no images"):
        take([image(1)], intake=BLIND)


def test_a_question_without_documents_is_one_too():
    assert take([], intake=BLIND) == ((), ())
