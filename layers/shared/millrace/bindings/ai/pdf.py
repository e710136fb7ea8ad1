"""The text of PDF documents, read in bounded time and memory, whatever is in them."""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from millrace.bindings.stopwatch import Deadline
from millrace.errors import MillraceError

if TYPE_CHECKING:
    from pypdf import PdfReader

MOST_PAGES = 20
MOST_CHARACTERS = 400_000
# What one stream may inflate to, and how many may be opened: together what a document may take of memory.
MOST_INFLATED = 2_000_000
MOST_STREAMS = 200
# A piece of the file longer than this is a stream. What is shorter inflates to next to nothing.
TOKEN_BYTES = 32
# Of the spaces between columns, as many as tell that there are columns.
WIDE_GAP = re.compile(" {4,}")

# pypdf's own limits are for documents of any kind. These leave room for pay slips and bank statements.
LIMITS: dict[str, Any] = {
    "zlib_maximum_output_length": MOST_INFLATED,
    "lzw_maximum_output_length": MOST_INFLATED,
    "run_length_maximum_output_length": MOST_INFLATED,
    "array_based_stream_maximum_output_length": MOST_INFLATED,
    "stream_decoding_work_maximum_length": 2 * MOST_INFLATED,
    "stream_parsing_work_maximum_count": 200_000,
    "zlib_maximum_recovery_input_length": 100_000,
    "array_maximum_element_count": 20_000,
    "dictionary_maximum_element_count": 2_000,
    "page_tree_maximum_entries": 2_000,
    "xform_maximum_invocations_per_extraction": 100,
    # For images, which are not read. It would start another program.
    "jbig2dec_binary": None,
}

# Its complaints quote the document.
logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)


class Unreadable(MillraceError):
    """Why a document has no text for us, in words that go on "it was not read: "."""


class _Spent(Exception):
    """The document took more than it may."""


class MeteredFile(io.BytesIO):
    """The file as pypdf is given it. Nothing is taken in without passing here, so here it is stopped."""

    def __init__(self, content: bytes, *, deadline: Deadline):
        super().__init__(content)
        self._deadline = deadline
        self._streams = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or size > TOKEN_BYTES:
            self._streams += 1
        self.check()
        return super().read(size)

    def check(self) -> None:
        if self._streams > MOST_STREAMS or self._deadline.is_over:
            raise _Spent


def count_pages(content: bytes, *, deadline: Deadline) -> int:
    """Unreadable when it cannot be opened."""
    with opened(content, deadline=deadline) as reader:
        return len(reader.pages)


def text_of_pdf(content: bytes, *, deadline: Deadline) -> tuple[str, int]:
    """What it says, line by line as one sees it, and on how many pages: of a long one the first MOST_PAGES.

    Unreadable when it is encrypted or broken, takes too long, or holds no text, as a scan does.
    """
    with opened(content, deadline=deadline) as reader:
        count = len(reader.pages)
        pages = [text_of_page(reader, number) for number in range(min(count, MOST_PAGES))]
    # Half a surrogate pair is no character, and no database and no model takes one.
    text = "\n".join(pages).encode(errors="replace").decode()[:MOST_CHARACTERS]
    if not text.strip():
        raise Unreadable("it is a PDF without text, a scan perhaps")
    return text, count


def text_of_page(reader: "PdfReader", number: int) -> str:
    """In lines as they are seen; where that finds nothing, in the order in which they were written, which
    looks also into what was pasted into the page as a whole.
    """
    page = reader.pages[number]
    laid_out = page.extract_text(extraction_mode="layout", layout_mode_space_vertically=False)
    return WIDE_GAP.sub("   ", laid_out if laid_out.strip() else page.extract_text())


@contextmanager
def opened(content: bytes, *, deadline: Deadline) -> Iterator["PdfReader"]:
    from pypdf import PdfReader, apply_configuration

    file = MeteredFile(content, deadline=deadline)
    try:
        with apply_configuration(**LIMITS):
            reader = PdfReader(file)
            refuse_encrypted(reader)
            yield reader
        # pypdf takes some errors for faults of the file, and goes on.
        file.check()
    except Unreadable:
        raise
    except _Spent as error:
        raise Unreadable("it takes too long to read") from error
    except Exception as error:
        # Broken files make pypdf raise whatever Python can raise, and its own errors quote them.
        raise Unreadable("it is a damaged PDF") from error


def refuse_encrypted(reader: "PdfReader") -> None:
    """Also what opens without a password: most ciphers need a library that is not in the layer."""
    if reader.is_encrypted:
        raise Unreadable("it is encrypted")
