"""What a client does about exports, and what runs for them on this machine."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from millrace.bindings.folder import FolderBucket
from tests.acceptance.conftest import System

ENOUGH = 60


def upload(system: System, content: bytes) -> str:
    """As large files go: announced, sent to the link, said to be complete. The key it has from then on."""
    wanted = {"filename": "match.mp4", "content_type": "video/mp4", "size": len(content)}
    video = system.client.post("/api/videos/uploads", json=wanted).json()["data"]
    link = video["upload"]
    sent = system.client.request(link["method"], link["url"], content=content, headers=link["headers"])
    completed = system.client.post(f"/api/videos/uploads/{video['video_id']}/complete")
    assert (sent.status_code, completed.status_code) == (200, 200)
    return str(video["input_video_key"])


def order(system: System, export_type: str, *, params: dict[str, Any], key: str) -> str:
    """The id of an export that was accepted."""
    system.client.put("/api/projects/project_reel", json={"name": "The final"})
    wanted = {"project_id": "project_reel", "type": export_type, "input_video_key": key, "params": params}
    answer = system.client.post("/api/exports", json=wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["job_id"])


def look(system: System, job_id: str) -> dict[str, Any]:
    """The export once there is news of it, or after a while."""
    job: dict[str, Any] = system.client.get(f"/api/exports/{job_id}?wait=5").json()["data"]
    return job


def wait_until(condition: Callable[[], Any]) -> Any:
    """What the condition gives once it gives something."""
    give_up_at = time.monotonic() + ENOUGH
    while time.monotonic() < give_up_at:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


def final(system: System, job_id: str) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        job = look(system, job_id)
        return job if job["status"] in ("complete", "error", "cancelled") else None

    found: dict[str, Any] = wait_until(ended)
    return found


def download(system: System, url: str, *, to: Path) -> Path:
    to.write_bytes(system.client.get(url).raise_for_status().content)
    return to


def files_of(system: System, job_id: str) -> list[str]:
    """What lies in the bucket of what was rendered."""
    bucket = FolderBucket(system.data / "bucket", now=lambda: datetime.now(UTC))
    return [one.key for one in bucket.list("tenants/tenant_demo/exports/").objects if job_id in one.key]


def processes_of(system: System) -> list[psutil.Process]:
    """What it has started: workers, and what minds them."""
    return psutil.Process(system.process.pid).children(recursive=True)
