"""A lead's documents over HTTP: announced, uploaded, checked, judged, and erased with the lead."""

import hashlib
from pathlib import Path
from typing import Any

import httpx

from millrace.bindings.folder import FolderBucket
from tests.acceptance.conftest import System
from tests.factories import NOW

SLIP = b"""\
Harbour Bakery LLC
EARNINGS STATEMENT
Pay period: 11/01/2025 - 11/15/2025   Pay date: 11/14/2025   Hire date: 05/02/2022
Gross pay           $2,300.00
Total deductions      $420.55
Net pay             $1,879.45
"""


def announce(system: System, lead_id: str, content: bytes) -> dict[str, Any]:
    said = {"document_type": "pay_slip", "file_name": "Rosalind.txt", "mime_type": "text/plain"}
    response = system.client.post(
        f"/api/ops/leads/{lead_id}/documents",
        json=said | {"size": len(content), "sha256": hashlib.sha256(SLIP).hexdigest()},
    )
    assert response.status_code == 201
    data: dict[str, Any] = response.json()["data"]
    return data


def send(link: dict[str, Any], content: bytes) -> httpx.Response:
    """As anybody who has the link: without a key of ours."""
    return httpx.request(link["method"], link["url"], headers=link["headers"], content=content)


def files(system: System, lead_id: str) -> list[str]:
    """What is in the bucket of the lead's."""
    bucket = FolderBucket(Path(system.data) / "bucket", now=lambda: NOW)
    return [one.key for one in bucket.list().objects if f"/id-{lead_id}/" in one.key]


def test_a_lead_s_document_is_uploaded_judged_and_erased_with_the_lead(system: System):
    lead = system.client.put(
        "/api/ops/leads/lead_rosalind", json={"first_name": "Rosalind", "monthly_rent": 1450.5}
    )
    made = announce(system, "lead_rosalind", SLIP)
    path = f"/api/ops/leads/lead_rosalind/documents/{made['document_id']}"
    early = system.client.post(f"{path}/complete")

    sent, complete = send(made["upload"], SLIP), system.client.post(f"{path}/complete")

    assert (lead.status_code, early.json()["error"]) == (201, "UploadMissing")
    assert (sent.status_code, complete.status_code) == (200, 200)
    download = system.client.get(path).json()["data"]["download"]
    assert httpx.get(download["url"]).content == SLIP
    job = system.wait_for(system.post("lead_rosalind").json()["data"]["job_id"])
    assert "Monthly income of $4,600.00" in job["evaluation"]["summary"]

    assert len(files(system, "lead_rosalind")) == 1
    deleted = system.client.delete("/api/ops/leads/lead_rosalind")
    again = system.client.delete("/api/ops/leads/lead_rosalind")

    assert (deleted.status_code, again.json()) == (200, deleted.json())
    assert files(system, "lead_rosalind") == []
    assert system.client.get("/api/ops/leads/lead_rosalind").json()["error"] == "LeadDeleted"
    assert "Rosalind" not in system.said()


def test_what_is_uploaded_is_not_believed(system: System):
    system.client.put("/api/ops/leads/lead_liar")
    made = announce(system, "lead_liar", SLIP)
    path = f"/api/ops/leads/lead_liar/documents/{made['document_id']}/complete"

    longer = send(made["upload"] | {"headers": {"Content-Type": "text/plain"}}, SLIP + b"!")
    other = send(made["upload"], SLIP.replace(b"2,300", b"9,300"))
    refused = system.client.post(path)
    late = send(made["upload"], SLIP)

    assert (longer.status_code, other.status_code, late.status_code) == (403, 200, 412)
    assert (refused.status_code, refused.json()["problem"]) == (422, "checksum")
    assert system.client.post(path).status_code == 422


def test_what_is_complete_is_not_exchanged_by_the_link_that_it_came_by(system: System):
    system.client.put("/api/ops/leads/lead_swapper")
    made = announce(system, "lead_swapper", SLIP)
    path = f"/api/ops/leads/lead_swapper/documents/{made['document_id']}"
    send(made["upload"], SLIP)
    complete = system.client.post(f"{path}/complete")

    replaced = send(made["upload"], SLIP.replace(b"2,300", b"9,300"))
    headers = {name: value for name, value in made["upload"]["headers"].items() if name != "If-None-Match"}
    forced = send(made["upload"] | {"headers": headers}, SLIP.replace(b"2,300", b"9,300"))

    assert (complete.status_code, replaced.status_code, forced.status_code) == (200, 412, 403)
    download = system.client.get(path).json()["data"]["download"]
    assert httpx.get(download["url"]).content == SLIP
