"""Requests and answers about a lead's documents, and what a file must be to be one of them."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field

from millrace.domain.evaluations import Model
from millrace.errors import DocumentInvalid

MOST_BYTES = 5_000_000
MOST_PER_LEAD = 10
LINK_SECONDS = 900
# Documents uploaded one after the other are judged together: the first one's job waits for the others.
GATHERING = timedelta(seconds=60)

PDF, JPEG, PNG, WEBP, TEXT = "application/pdf", "image/jpeg", "image/png", "image/webp", "text/plain"
OPENINGS = {PDF: b"%PDF-", JPEG: b"\xff\xd8\xff", PNG: b"\x89PNG\r\n\x1a\n"}
# Tab, line feed, form feed and carriage return stand in texts; the other controls do not.
CONTROLS = bytes({*range(32), 127} - set(b"\t\n\f\r"))
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def to_whole(value: Any) -> Any:
    """In JSON 10.0 is a whole number too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Size = Annotated[int, Field(ge=1, le=MOST_BYTES), BeforeValidator(to_whole)]
MimeType = Literal["application/pdf", "image/jpeg", "image/png", "image/webp", "text/plain"]


class CreateDocument(Model):
    """What is going to be uploaded. All of it is checked when the upload is complete."""

    model_config = ConfigDict(extra="forbid", strict=True)

    document_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")] = Field(
        description="What it is meant to be, such as `pay_slip` or `bank_statement`."
    )
    file_name: Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")] = Field(
        description="Under which it is downloaded again. Never shown to a model."
    )
    mime_type: MimeType
    size: Size = Field(description="In bytes, exactly.")
    sha256: Annotated[str, Field(pattern="^[0-9A-Fa-f]{64}$")] | None = Field(
        default=None, description="The file's SHA-256 in hexadecimal, to be compared when it has arrived."
    )

    @property
    def checksum(self) -> str | None:
        return self.sha256.lower() if self.sha256 else None


class Upload(Model):
    """Send the file to `url` by this method with all of these headers, before it expires."""

    url: str
    method: Literal["PUT"]
    headers: dict[str, str]
    expires_at: datetime


class CreatedDocument(Model):
    document_id: str
    upload: Upload | None = Field(
        default=None, description="Left out when a repeat finds the document complete: nothing replaces it."
    )


class DocumentCreated(Model):
    data: CreatedDocument


class Download(Model):
    """GET `url` before it expires."""

    url: str
    expires_at: datetime


class DocumentView(Model):
    """A document as it is kept."""

    document_id: str
    lead_id: str
    document_type: str
    file_name: str
    mime_type: str
    size: int
    sha256: str | None = Field(default=None, description="As you said it; once uploaded, the file's own.")
    status: Literal["awaiting_upload", "uploaded"]
    uploaded_at: datetime | None = Field(default=None, description="When it was found to be complete.")
    download: Download | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any], **more: Model | None) -> Self:
        status = "uploaded" if row["uploaded_at"] else "awaiting_upload"
        names = {"document_id": row["id"], "size": row["size_bytes"], "sha256": row["checksum"]}
        return cls.model_validate({**row, **names, "status": status, **more})


class DocumentAnswer(Model):
    data: DocumentView


class DocumentsAnswer(Model):
    data: list[DocumentView]


NotStarted = Literal["QuotaExceeded", "RateLimited", "SpendLimitReached", "AiDisabled", "JobAlreadyPending"]


class AutoRun(Model):
    """The evaluation that a tenant's settings ask for with each document, or the error that it met."""

    job_id: str | None = None
    not_started: NotStarted | None = Field(
        default=None,
        description="`JobAlreadyPending`: one that began before this document is still running. Say once it "
        "has ended that the document is complete, and another one follows.",
    )


class CompletedDocument(DocumentView):
    evaluation: AutoRun | None = None


class DocumentCompleted(Model):
    data: CompletedDocument


class DeletedDocument(Model):
    document_id: str
    status: Literal["deleted"] = "deleted"
    deleted_at: datetime


class DocumentDeletedAnswer(Model):
    data: DeletedDocument


def storage_key(*, tenant_id: str, lead_id: str, secret: int) -> str:
    """Where the file lies: by tenant and lead, and where nobody guesses. A lead's id may be a mere dot."""
    return f"tenants/{tenant_id}/leads/id-{lead_id}/{secret:064x}"


def check_file(content: bytes, *, mime_type: str, size: int, checksum: str | None) -> str:
    """The file's SHA-256. DocumentInvalid when it is not what was said of it."""
    if len(content) != size:
        raise invalid("size", f"The file has {len(content)} bytes and not {size}.")
    found = type_of(content)
    if found != mime_type:
        raise invalid(
            "type", f"The file is not {mime_type}: by its content it is {found or 'something else'}."
        )
    digest = hashlib.sha256(content).hexdigest()
    if checksum not in (None, digest):
        raise invalid("checksum", "The file has another SHA-256 than was said.")
    return digest


def invalid(problem: str, message: str) -> DocumentInvalid:
    return DocumentInvalid(f"{message} Delete this document, and announce the right one.", problem=problem)


def type_of(content: bytes) -> str | None:
    """The one of our types that the content has, whatever it is called. None: it has none of them."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WEBP
    for mime_type, opening in OPENINGS.items():
        if content.startswith(opening):
            return mime_type
    return TEXT if is_text(content) else None


def is_text(content: bytes) -> bool:
    """In UTF-16 that says so, in UTF-8, or in an older alphabet: those only a reader can tell apart."""
    if content.startswith(UTF_16):
        try:
            content = content.decode("utf-16").encode()
        except UnicodeDecodeError:
            return False
    return len(content.translate(None, CONTROLS)) == len(content)
