"""What a person does with projects, videos and exports, for tests of what comes of it."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from functions.create_job.app import handler as create
from functions.job_status.app import handler as read
from functions.manage.app import handler as manage
from millrace.domain.gpu import GpuStatus
from millrace.env import Env
from tests.events import Context, asking, http_event, said
from tests.functions.conftest import World
from tests.functions.uploading import send

SCOPES = "exports:read exports:write"
CALLER = {"tenant_id": "tenant_demo", "user_id": "user_demo", "key_id": "key_demo", "tier": "pro"}
HANDLERS = {"create": create, "read": read, "manage": manage}

FILM = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00" + bytes(9_000)
ASKED = {
    "project_id": "project_1",
    "type": "annotate",
    "params": {"clips": [{"start_time": 0, "end_time": 60, "name": "A goal"}]},
}


@dataclass
class Gpu:
    """A provider that notes whom it was told to stop, or fails as it is told."""

    stopped: list[str] = field(default_factory=list)
    fault: Exception | None = None

    def cancel(self, provider_job_id: str) -> None:
        self.stopped.append(provider_job_id)
        if self.fault:
            raise self.fault

    def status(self, provider_job_id: str) -> GpuStatus | None:
        return None


@dataclass
class Studio:
    """The world, with a GPU in it, and somebody of the demo's tenant who asks for things."""

    world: World
    gpu: Gpu = field(default_factory=Gpu)

    @property
    def env(self) -> Env:
        world = self.world
        return Env(
            replace(world.api.config, max_wait_seconds=20),
            DB=world.api.DB,
            BUCKET=world.bucket,
            QUEUE=world.doorbell,
            GPU=self.gpu,
            now=world.clock.now,
            wait=lambda seconds: world.clock.advance(seconds=seconds),
        )

    def ask(
        self, function: str, method: str, path: str, body: Any = None, *, query: str = "",
        scopes: str = SCOPES, tenant_id: str = "tenant_demo", person: str = "user_xyz", key: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        headers = {"x-user-id": person, "idempotency-key": key}
        event = http_event(
            method,
            f"/api/{path}",
            body=None if body is None else json.dumps(body),
            headers={name: value for name, value in headers.items() if value},
            caller=CALLER | {"scopes": scopes, "tenant_id": tenant_id},
        )
        return HANDLERS[function](asking(event, query) if query else event, Context(), env=self.env)

    def put_project(self, project_id: str = "project_1", *, name: str = "A match", **given: Any) -> Any:
        return self.ask("manage", "PUT", f"projects/{project_id}", {"name": name}, **given)

    def announce(self, *, content: bytes = FILM, key: str = "", **changes: Any) -> dict[str, Any]:
        body = {"filename": "match.mp4", "content_type": "video/mp4", "size": len(content)} | changes
        return self.ask("manage", "POST", "videos/uploads", body, key=key)

    def complete(self, video_id: str, **given: Any) -> dict[str, Any]:
        return self.ask("manage", "POST", f"videos/uploads/{video_id}/complete", **given)

    def upload(self, content: bytes = FILM) -> str:
        """Announced, sent and complete: its key."""
        made = said(self.announce(content=content))["data"]
        send(self.world, made["upload"], content)
        assert self.complete(made["video_id"])["statusCode"] == 200
        return str(made["input_video_key"])

    def create(self, video_key: str, *, key: str = "", **changes: Any) -> dict[str, Any]:
        return self.ask(
            "create", "POST", "exports", ASKED | {"input_video_key": video_key} | changes, key=key
        )

    def prepare(self) -> str:
        """A project and a video, of which an export is asked for. Its id."""
        self.put_project()
        return str(said(self.create(self.upload()))["data"]["job_id"])

    def show(self, job_id: str, **given: Any) -> dict[str, Any]:
        return self.ask("read", "GET", f"exports/{job_id}", person="", **given)

    def delete(self, job_id: str, **given: Any) -> dict[str, Any]:
        return self.ask("manage", "DELETE", f"exports/{job_id}", **given)

    def retry(self, job_id: str, **given: Any) -> dict[str, Any]:
        return self.ask("manage", "POST", f"exports/{job_id}/retry", **given)

    def set_job(self, **columns: Any) -> None:
        """Write over columns of the only job, as the engine would move it."""
        assigned = ", ".join(f"{column} = ?{place}" for place, column in enumerate(columns, start=1))
        self.world.owner.prepare(f"UPDATE export_jobs SET {assigned}").bind(*columns.values()).run()

    def render(self, job_id: str) -> str:
        """As if a GPU had done it: the video and its list of clips are there. The video's key."""
        key = f"tenants/tenant_demo/exports/{job_id}/1.mp4"
        for name in (key, key.replace(".mp4", ".tsv")):
            self.world.bucket.put(name, FILM, content_type="video/mp4")
        now = self.world.clock.now()
        self.set_job(
            status="complete", attempt=1, progress=100, completed_at=now, started_at=now,
            output_video_key=key, gpu_seconds=31,
        )  # fmt: skip
        return key
