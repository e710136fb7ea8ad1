"""Which documents of a question a model is given, in what form, and what to say of those it cannot take."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from millrace.bindings.ai.pdf import Unreadable, count_pages
from millrace.bindings.ai.texts import PDF, PDF_SECONDS, PLAIN_TEXT, text_of, type_of
from millrace.bindings.stopwatch import Deadline
from millrace.domain.questions import Document, saying_why
from millrace.errors import InsufficientDocuments

# Text goes into every model. This many characters of it are some hundred thousand tokens.
MOST_CHARACTERS = 60_000
MOST_CHARACTERS_TOGETHER = 240_000


@dataclass(frozen=True, slots=True)
class Files:
    """What a model takes of files of some kind: how many in a request, how large, and of which types."""

    count: int
    most_bytes: int
    types: frozenset[str]


NONE = Files(0, 0, frozenset())


@dataclass(frozen=True, slots=True)
class Intake:
    """What a model takes as files, as its provider's documentation says.

    `most_bytes` is for all of them together, `most_pages` for all PDFs.
    """

    images: Files = NONE
    pdfs: Files = NONE
    most_bytes: int = 20_000_000
    most_pages: int = 100


@dataclass(frozen=True, slots=True)
class Given:
    """One document as the model is given it: as its text, or as the file it is. A PDF's file has pages."""

    name: str
    text: str | None = None
    mime_type: str = PLAIN_TEXT
    content: bytes = b""
    pages: int = 0


def take(documents: Iterable[Document], *, intake: Intake) -> tuple[tuple[Given, ...], tuple[str, ...]]:
    """What is given, in the order of the documents, and warnings that name the others.

    Where there are more than the model takes, the last ones are: they are the newest. InsufficientDocuments
    when there are documents and none can be given.
    """
    room = Room(intake)
    wanted = list(documents)
    given = [room.admit(document) for document in reversed(wanted)]
    admitted = tuple(one for one in reversed(given) if one is not None)
    warnings = tuple(reversed(room.warnings))
    if wanted and not admitted:
        raise InsufficientDocuments(
            saying_why("The model can read none of the documents.", warnings=warnings)
        )
    return admitted, warnings


class Room:
    """What room is left while documents are taken."""

    def __init__(self, intake: Intake):
        self.warnings: list[str] = []
        self._intake = intake
        self._left = {"images": intake.images.count, "pdfs": intake.pdfs.count}
        self._bytes = intake.most_bytes
        self._pages = intake.most_pages
        self._characters = MOST_CHARACTERS_TOGETHER
        self._deadline = Deadline(PDF_SECONDS)

    def admit(self, document: Document) -> Given | None:
        """As a file where the model takes it, else as its text; None, and a warning, where there is none."""
        try:
            if type_of(document).startswith("image/"):
                return self._as_file(document, "images")
            if type_of(document) == PDF and (opened := self._as_pdf(document)):
                return opened
            return self._as_text(document)
        except Unreadable as fault:
            self.warnings.append(f"{document.name} was not read: {fault}.")
            return None

    def _as_pdf(self, document: Document) -> Given | None:
        """None when only its text can be given. One that we cannot open would spoil the whole request."""
        pages = count_pages(document.content, deadline=self._deadline)
        if not 0 < pages <= self._pages:
            return None
        try:
            given = self._as_file(document, "pdfs")
        except Unreadable:
            return None
        self._pages -= pages
        return replace(given, pages=pages)

    def _as_file(self, document: Document, kind: str) -> Given:
        files = self._intake.images if kind == "images" else self._intake.pdfs
        size, mime_type = len(document.content), type_of(document)
        if not files.count:
            raise Unreadable(f"the model takes no {kind}")
        if mime_type not in files.types:
            raise Unreadable(f"the model takes no {kind} of its type")
        if size > files.most_bytes:
            raise Unreadable(f"it is larger than the {files.most_bytes:,} bytes the model takes")
        if not self._left[kind]:
            raise Unreadable(f"the model takes no more than {files.count} of the {kind}")
        if size > self._bytes:
            most = f"{self._intake.most_bytes:,} bytes the model takes"
            raise Unreadable(f"together the files are larger than the {most}")
        self._left[kind] -= 1
        self._bytes -= size
        return Given(document.name, mime_type=mime_type, content=document.content)

    def _as_text(self, document: Document) -> Given:
        text = text_of(document, deadline=self._deadline, warn=self.warnings.append)
        most = min(MOST_CHARACTERS, self._characters)
        if not most:
            raise Unreadable("together the documents hold more text than the model is given")
        if len(text) > most:
            self.warnings.append(f"Of {document.name} only the first {most:,} characters were read.")
        self._characters -= min(len(text), most)
        return Given(document.name, text=text[:most])
