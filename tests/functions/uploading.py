"""What a person does with documents, for tests of what they may and what comes of it."""

from typing import Any
from urllib.parse import unquote, urlsplit

from tests.events import said
from tests.functions.asking import manage
from tests.functions.conftest import World

PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\nNet pay 1,500.00\n%%EOF"


def announce(
    world: World,
    lead_id: str = "lead_123",
    *,
    content: bytes = PDF,
    idempotency_key: str = "",
    **said_of: Any,
) -> dict[str, Any]:
    """The answer to an announcement of this content."""
    body = {"document_type": "pay_slip", "file_name": "Slip of Robin.pdf", "mime_type": "application/pdf"}
    body |= {"size": len(content)} | said_of
    return manage(world, "POST", f"leads/{lead_id}/documents", body, idempotency_key=idempotency_key)


def send(world: World, upload: dict[str, Any], content: bytes) -> str:
    """PUT the content by its link, as the bucket takes it. The key under which it lies."""
    url = urlsplit(upload["url"])
    key = unquote(url.path.lstrip("/"))
    headers = upload["headers"]
    grant = world.bucket.check_link(
        upload["method"],
        key=key,
        query=url.query,
        content_type=headers["Content-Type"],
        content_length=len(content),
        if_none_match=headers.get("If-None-Match"),
        now=world.clock.now(),
    )
    with world.bucket.upload(
        key, content_type=grant.content_type or "", most_bytes=len(content), once=grant.once
    ) as file:
        file.write(content)
    return key


def complete(world: World, document_id: str, *, lead_id: str = "lead_123") -> dict[str, Any]:
    return manage(world, "POST", f"leads/{lead_id}/documents/{document_id}/complete")


def upload(
    world: World, lead_id: str = "lead_123", *, content: bytes = PDF, **said_of: Any
) -> tuple[str, str]:
    """Announced, sent and complete: the document's id and where it lies."""
    made = said(announce(world, lead_id, content=content, **said_of))["data"]
    key = send(world, made["upload"], content)
    assert complete(world, made["document_id"], lead_id=lead_id)["statusCode"] == 200
    return made["document_id"], key


def files(world: World) -> list[str]:
    """The keys of everything in the bucket."""
    return [one.key for one in world.bucket.list().objects]


def row_of(world: World, table: str, row_id: str) -> dict[str, Any]:
    return dict(world.owner.prepare(f"SELECT * FROM {table} WHERE id = ?1").bind(row_id).first())
