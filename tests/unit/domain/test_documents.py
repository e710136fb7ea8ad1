"""A file is what it is by its content, and not by what is said of it."""

import hashlib

import pytest
from pydantic import ValidationError

from millrace.domain.documents import CreateDocument, DocumentView, check_file, storage_key, type_of
from millrace.errors import DocumentInvalid
from tests.factories import NOW

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 "
SAID = {"document_type": "pay_slip", "file_name": "slip.pdf", "mime_type": "application/pdf", "size": 10}


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (PDF, "application/pdf"),
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (WEBP, "image/webp"),
        (b"Net pay $1,500.00\r\n\tpaid\x0c", "text/plain"),
        ("Gehalt für Zoë: 4.250 €".encode(), "text/plain"),
        ("Gehalt für Zoë".encode("cp1252"), "text/plain"),
        (b"\xef\xbb\xbfNet pay", "text/plain"),
        (b"\xff\xfe" + "Gehalt für Zoë: 4.250 €\r\n".encode("utf-16-le"), "text/plain"),
        (b"\xfe\xff" + "Gehalt für Zoë: 4.250 €\r\n".encode("utf-16-be"), "text/plain"),
        ("Net pay, without a mark".encode("utf-16-le"), None),
        (b"\xff\xfe" + "Net pay\x00".encode("utf-16-le"), None),
        (b"\xff\xfeN", None),
        (b"\xfe\xff\xd8\x00\x00N", None),
        (b"\xff\xfe\x00\x00N\x00\x00\x00", None),
        (b"%PDF-1.4 in plain signs", "application/pdf"),
        (b"GIF89a\x01\x00", None),
        (b"PK\x03\x04", None),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
        (b"Net pay\x00", None),
        (b"\x1b[2J", None),
        (b"\x7f", None),
    ],
)
def test_a_file_s_type_is_in_its_content(content, mime_type):
    assert type_of(content) == mime_type


def check(content=PDF, **said):
    return check_file(
        content, **{"mime_type": "application/pdf", "size": len(content), "checksum": None} | said
    )


def test_a_file_that_is_what_was_said_of_it_is_known_by_its_checksum():
    digest = hashlib.sha256(PDF).hexdigest()

    assert check() == check(checksum=digest) == digest


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"size": 9}, "size"),
        ({"mime_type": "image/png"}, "type"),
        ({"mime_type": "text/plain"}, "type"),
        ({"checksum": "0" * 64}, "checksum"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(said, problem):
    with pytest.raises(DocumentInvalid) as refused:
        check(**said)

    assert refused.value.facts == {"problem": problem}
    assert refused.value.message.endswith("Delete this document, and announce the right one.")


def test_what_a_file_is_instead_is_said_and_nothing_of_its_content():
    with pytest.raises(DocumentInvalid) as refused:
        check(b"Net pay of Robin Example")

    assert refused.value.message.startswith(
        "The file is not application/pdf: by its content it is text/plain."
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("document_type", "Pay Slip"),
        ("document_type", ""),
        ("document_type", "x" * 51),
        ("file_name", ""),
        ("file_name", "x" * 256),
        ("file_name", "slip\n.pdf"),
        ("mime_type", "application/zip"),
        ("mime_type", "text/plain; charset=utf-8"),
        ("size", 0),
        ("size", 5_000_001),
        ("size", 10.5),
        ("size", "10"),
        ("size", True),
        ("sha256", "abc"),
        ("sha256", "g" * 64),
        ("path", "/etc/passwd"),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_uploaded(field, value):
    with pytest.raises(ValidationError) as refused:
        CreateDocument.model_validate(SAID | {field: value})

    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


def test_a_whole_number_is_one_however_json_writes_it():
    assert CreateDocument.model_validate(SAID | {"size": 10.0}).size == 10


def test_a_checksum_may_be_written_in_capitals():
    assert CreateDocument.model_validate(SAID | {"sha256": "AB" * 32}).checksum == "ab" * 32
    assert CreateDocument.model_validate(SAID).checksum is None


@pytest.mark.parametrize("lead_id", ["lead_1", ".", ".."])
def test_a_file_lies_under_its_tenant_and_lead_where_nobody_guesses(lead_id):
    key = storage_key(tenant_id="tenant_a", lead_id=lead_id, secret=255)

    assert key == f"tenants/tenant_a/leads/id-{lead_id}/{'0' * 62}ff"
    assert not {"", ".", ".."} & set(key.split("/"))


def test_a_document_is_shown_without_where_it_lies():
    row = {
        "id": "doc_1", "tenant_id": "tenant_a", "lead_id": "lead_1", "document_type": "pay_slip",
        "file_name": "slip.pdf", "size_bytes": 10, "mime_type": "application/pdf", "storage_key": "tenants/a",
        "checksum": None, "link_expires_at": NOW, "uploaded_at": None, "deleted_at": None, "erased_at": None,
    }  # fmt: skip

    assert DocumentView.of(row).model_dump(exclude_none=True) == {
        "document_id": "doc_1", "lead_id": "lead_1", "document_type": "pay_slip", "file_name": "slip.pdf",
        "mime_type": "application/pdf", "size": 10, "status": "awaiting_upload",
    }  # fmt: skip
    assert DocumentView.of(row | {"uploaded_at": NOW}).status == "uploaded"
