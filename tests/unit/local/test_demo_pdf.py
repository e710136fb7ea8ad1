"""The demo's PDFs are PDFs by the book."""

import io

from pypdf import PdfReader

from local.demo_pdf import LINES_PER_PAGE, write_pdf


def test_a_strict_reader_finds_nothing_to_complain_of():
    text = "Net pay   $1,579.45\n(é, \\) done"

    reader = PdfReader(io.BytesIO(write_pdf(text)), strict=True)

    assert len(reader.pages) == 1
    assert reader.pages[0].extract_text().split() == text.split()


def test_long_texts_go_on_over_pages():
    text = "\n".join(f"line {number}" for number in range(2 * LINES_PER_PAGE + 1))

    reader = PdfReader(io.BytesIO(write_pdf(text)), strict=True)

    assert len(reader.pages) == 3
    assert reader.pages[2].extract_text().split() == ["line", str(2 * LINES_PER_PAGE)]


def test_the_same_text_makes_the_same_file():
    assert write_pdf("Net pay") == write_pdf("Net pay")
