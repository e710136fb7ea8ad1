"""The text of PDF documents, or why there is none."""

import io
import logging
import subprocess
import sys

import pytest
from pypdf import PdfWriter

from local.demo_pdf import write_pdf
from millrace.bindings import stopwatch
from millrace.bindings.ai.pdf import MOST_CHARACTERS, MOST_PAGES, Unreadable, count_pages, text_of_pdf
from millrace.bindings.stopwatch import Deadline
from tests.pdfs import many_fonts, many_pages, page_of, pdf_of, stream


def read(content, *, seconds=60):
    text, _ = text_of_pdf(content, deadline=Deadline(seconds))
    return text


def why_not(content, **named):
    with pytest.raises(Unreadable) as refused:
        read(content, **named)
    return str(refused.value)


def test_a_pdf_s_text_comes_line_by_line():
    text = "Harbour Bakery LLC\n\nGross pay     $2,000.00   $44,000.00\nNet pay       $1,579.45\n(é, \\) done"

    lines = [" ".join(line.split()) for line in read(write_pdf(text)).splitlines()]

    assert [line for line in lines if line] == [" ".join(line.split()) for line in text.splitlines() if line]


def test_what_stands_on_one_line_is_read_as_one_though_it_was_written_column_by_column():
    columns = (
        b"BT /F1 10 Tf 50 700 Td (Gross pay) Tj 0 -14 Td (Net pay) Tj ET "
        b"BT /F1 10 Tf 400 700 Td ($2,000.00) Tj 0 -14 Td ($1,579.45) Tj ET"
    )

    lines = read(page_of(columns)).splitlines()

    assert [line.split() for line in lines] == [["Gross", "pay", "$2,000.00"], ["Net", "pay", "$1,579.45"]]


def test_a_gap_of_any_width_is_a_few_spaces():
    far = page_of(b"BT /F1 10 Tf 1 700 Td (a) Tj ET BT /F1 10 Tf 9000 700 Td (b) Tj ET")

    assert read(far).split() == ["a", "b"]
    assert len(read(far)) < 10


def test_text_in_a_form_that_was_pasted_into_the_page_is_read_too():
    form = stream(
        b"BT /F1 10 Tf 50 700 Td (pasted) Tj ET",
        more=b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >>",
    )

    assert "pasted" in read(page_of(b"/X1 Do", resources=b"/XObject << /X1 6 0 R >>", more=[form]))


def test_of_a_long_document_the_first_pages_are_read():
    text = read(many_pages(MOST_PAGES + 5))

    assert text.split() == [word for number in range(1, MOST_PAGES + 1) for word in ("page", str(number))]
    assert count_pages(many_pages(7), deadline=Deadline(60)) == 7


def test_of_a_very_long_text_the_beginning_is_read():
    page = b"BT /F1 10 Tf 14 TL " + b"(%b) ' " % (b"x" * 1_000) * 1_500 + b"ET"

    assert len(read(page_of(page))) == MOST_CHARACTERS


def test_half_a_surrogate_pair_becomes_a_question_mark():
    mapped = many_fonts(1, table=b"1 beginbfchar <78> <D800> endbfchar")

    assert read(mapped).encode().strip() in (b"?", b"x")


def test_a_scan_has_no_text():
    assert why_not(page_of(b"q 100 0 0 100 0 0 cm Q")) == "it is a PDF without text, a scan perhaps"
    assert "without text" in why_not(
        pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] >>"])
    )


def test_an_encrypted_one_is_not_read():
    writer, file = PdfWriter(), io.BytesIO()
    writer.add_blank_page(612, 792)
    writer.encrypt("", "of the owner", algorithm="RC4-128")
    writer.write(file)

    assert why_not(file.getvalue()) == "it is encrypted"


GOOD = page_of(b"BT /F1 10 Tf 50 700 Td (Net pay $1,579.45) Tj ET", squeezed=False)
SCRATCHED = GOOD.replace(b"/Root 1 0 R", b"/Root 9 0 R")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7",
        b"%PDF-1.7\n" + b"\x00" * 1_000,
        b"not a PDF at all",
        GOOD[: len(GOOD) // 2],
        GOOD.replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]"),
        GOOD.replace(b"/Pages 2 0 R", b"/Pages 1 0 R"),
        GOOD.replace(b"/Kids [3 0 R]", b"/Kids 3"),
        pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", b"[" * 5_000]),
        pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /A " * 5_000]),
    ],
)
def test_a_broken_one_is_a_reason_and_not_a_crash(content):
    assert why_not(content) in (
        "it is a damaged PDF",
        "it is a PDF without text, a scan perhaps",
        "it takes too long to read",
    )


def test_where_the_text_can_still_be_found_it_is_read():
    assert read(SCRATCHED).split() == ["Net", "pay", "$1,579.45"]


def test_when_the_time_is_over_reading_ends(monkeypatch):
    ticks = iter(range(10**9))
    monkeypatch.setattr(stopwatch, "seconds", lambda: next(ticks))

    assert why_not(many_pages(20), seconds=500) == "it takes too long to read"


def test_what_is_wrong_with_a_document_does_not_reach_the_log(caplog):
    with caplog.at_level(logging.DEBUG):
        read(SCRATCHED)
        why_not(GOOD.replace(b"/Pages 2 0 R", b"/Pages 1 0 R"))

    assert caplog.records == []


def test_reading_pdfs_is_not_paid_for_before_there_is_one():
    code = "import sys; from millrace.bindings.ai import pdf, rules; print('pypdf' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "False"
