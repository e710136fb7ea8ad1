"""The text of one document, whatever type it has, or why there is none."""

import unicodedata
from collections.abc import Callable

from millrace.bindings.ai.pdf import MOST_PAGES, Unreadable, text_of_pdf
from millrace.bindings.stopwatch import Deadline
from millrace.domain.questions import Document

PLAIN_TEXT, PDF = "text/plain", "application/pdf"
MOST_BYTES = 400_000
MOST_ACCENTS = 0.05
# Beyond this share of strange signs it is noise.
MOST_ILLEGIBLE = 0.25
# For all PDFs of a question together.
PDF_SECONDS = 10

BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def type_of(document: Document) -> str:
    return document.mime_type.partition(";")[0].strip().lower()


def text_of(document: Document, *, deadline: Deadline, warn: Callable[[str], None]) -> str:
    """Unreadable when it holds none that a person could read. The deadline is for PDFs.

    `warn` is told when only the beginning was read.
    """
    mime_type = type_of(document)
    if mime_type == PDF:
        text, pages = text_of_pdf(document.content, deadline=deadline)
        beginning = f"{MOST_PAGES} pages" if pages > MOST_PAGES else None
    elif mime_type == PLAIN_TEXT:
        text = decode(document.content)
        beginning = f"{MOST_BYTES:,} bytes" if len(document.content) > MOST_BYTES else None
    else:
        raise Unreadable("it is neither plain text nor a PDF")
    if illegible_share(text) > MOST_ILLEGIBLE:
        raise Unreadable("it holds no readable text")
    if beginning:
        warn(f"Of {document.name} only the first {beginning} were read.")
    return text


def decode(content: bytes) -> str:
    """Any bytes become text. What is in no known encoding becomes U+FFFD, and `illegible_share` sees it."""
    head = content[:MOST_BYTES]
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return head.decode(encoding, errors="replace")
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        text = head.decode("utf-8", errors="replace")
        return head.decode("cp1252", errors="replace") if is_western(text) else text


def is_western(text: str) -> bool:
    """Whether what is not UTF-8 is an accent here and there, as older programs write them, and not noise."""
    return 0 < text.rstrip("\ufffd").count("\ufffd") < len(text) * MOST_ACCENTS


def illegible_share(text: str) -> float:
    """How much of the text people do not print: 0 for clean text, more for a bad scan, near 1 for noise."""
    signs = [sign for sign in text if not sign.isspace()]
    strange = sum(1 for sign in signs if sign in "\ufffd~^|\\¬¦§" or unicodedata.category(sign)[0] == "C")
    return strange / len(signs) if signs else 1.0
