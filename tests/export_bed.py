"""An export with its input, and a provider of GPUs that does as it is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from millrace.bindings.database import Database, Row
from millrace.bindings.folder import FolderBucket
from millrace.bindings.links import FolderLinks
from millrace.domain.gpu import GpuState, GpuStatus
from millrace.domain.jobs import EXPORT, Job
from millrace.domain.quota import GPU_SECONDS
from millrace.env import Config, Env
from millrace.store import jobs, ledger, renders
from millrace.workloads.attempt import Ending
from millrace.workloads.runner import run_one
from tests.clock import Clock
from tests.evaluation_bed import Bell
from tests.factories import new_id
from tests.valid_rows import add_row

KEYS = (b"the key that signs now, of a test", b"the key that signed before, of a test")
RESERVED = 60
VIDEO = b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 64
PARAMS = {
    "overlay": {
        "highlight_regions": [
            {"start_frame": 0, "end_frame": 9, "x": 40, "y": 40, "radius_x": 20, "radius_y": 20}
        ],
        "effect_type": "blur",
    },
    "annotate": {"clips": [{"start_time": 0.0, "end_time": 1.0, "name": "Goal"}]},
}


@dataclass
class ToldGpu:
    """A provider: `doings` are what comes of submissions, one after the other, `statuses` what it knows."""

    doings: list[Exception | Callable[[], None]] = field(default_factory=list)
    statuses: dict[str, GpuStatus | Exception | None] = field(default_factory=dict)
    submitted: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def submit(
        self, payload: Mapping[str, Any], *, webhook_url: str, execution_seconds: int, ttl_seconds: int
    ) -> str:
        provider_job_id = f"gpu-{len(self.submitted) + 1}"
        self.submitted.append(
            {
                "id": provider_job_id,
                "payload": dict(payload),
                "webhook_url": webhook_url,
                "execution_seconds": execution_seconds,
                "ttl_seconds": ttl_seconds,
            }
        )
        doing = self.doings.pop(0) if self.doings else None
        if isinstance(doing, Exception):
            raise doing
        if doing:
            doing()
        return provider_job_id

    def status(self, provider_job_id: str) -> GpuStatus | None:
        self.asked.append(provider_job_id)
        said = self.statuses.get(provider_job_id)
        if isinstance(said, Exception):
            raise said
        return said

    def cancel(self, provider_job_id: str) -> None:
        self.cancelled.append(provider_job_id)

    def says(self, state: GpuState, *, provider_job_id: str = "gpu-1", **more: Any) -> GpuStatus:
        """From now on, of this job."""
        status = GpuStatus(provider_job_id, state, **more)
        self.statuses[provider_job_id] = status
        return status


class ExportBed:
    """A tenant with one export that is due and charged. `job` is its row as it is now."""

    def __init__(self, db: Database, *, clock: Clock, folder: Path, export_type: str = "overlay"):
        self.db = db
        self.clock = clock
        self.bell = Bell()
        self.gpu = ToldGpu()
        links = FolderLinks("http://bucket.test", "a secret of the test")
        self.bucket = FolderBucket(folder, now=clock.now, links=links)
        self.env = self.make_env()
        self.export_type = export_type
        for table in ("tenants", "sites", "projects"):
            add_row(db, table)
        self.accept()

    def accept(self) -> None:
        add_row(self.db, "monthly_usage", used=RESERVED)
        add_row(
            self.db,
            "export_jobs",
            type=self.export_type,
            params=PARAMS[self.export_type],
            run_after=self.clock.now(),
            gpu_seconds_reserved=RESERVED,
        )
        reserve = ledger.reserve(self.db, EXPORT, job_id="export_a", move_id="move", now=self.clock.now())
        assert reserve.run().meta.changes == 1

    def begin_anew(self) -> None:
        """As if nothing had happened yet."""
        tables = (
            "job_events", "quota_entries", "export_jobs", "monthly_usage", "daily_spend", "daily_usage",
            "usage_records",
        )  # fmt: skip
        self.db.batch([self.db.prepare(f"DELETE FROM {table}") for table in tables])
        self.gpu, self.bell = ToldGpu(), Bell()
        self.env = self.make_env()
        self.accept()

    def count_ends(self) -> tuple[int, int]:
        """How often the job has ended by its timeline, and its charge by the ledger."""
        ends = """
            SELECT (SELECT COUNT(*) FROM job_events
                    WHERE detail ->> 'status' IN ('complete', 'error', 'cancelled')) AS ends,
                   (SELECT COUNT(*) FROM quota_entries
                    WHERE meter = 'gpu_seconds' AND kind <> 'reserve') AS closed
        """
        row = self.db.prepare(ends).first()
        return row["ends"], row["closed"]

    def owed(self) -> int:
        """What the job as it is now is to be charged."""
        row = self.job
        if row["status"] == "cancelled":
            return row["gpu_seconds_reserved"] if row["gpu_started_at"] else 0
        kept = row["status"] == "complete" or row["error_code"] == "InputUnusable"
        return row["gpu_seconds"] if kept else 0

    def make_env(self, *, url: str = "https://api.test", **given: Any) -> Env:
        config = Config(database_url="sqlite:///nowhere.db", callback_url=url, gpu_second_microusd=200)
        bindings = {
            "DB": self.db,
            "BUCKET": self.bucket,
            "QUEUE": self.bell,
            "GPU": self.gpu,
            "CALLBACK_KEYS": lambda: KEYS,
        }
        return Env(
            config,
            now=self.clock.now,
            random=lambda: 0.5,
            wait=lambda seconds: self.clock.advance(seconds=seconds),
            **bindings | given,
        )

    def run(self, **given: Any) -> Ending:
        """Hand it over, or try to."""
        return self.run_in(self.make_env(**given))

    def run_in(self, env: Env) -> Ending:
        began = self.clock.now()
        ending = run_one(
            "export",
            env,
            worker_id="worker_a",
            seconds_left=lambda: 90 - (self.clock.now() - began).total_seconds(),
        )
        assert ending
        return ending

    def list_stale(self) -> list[Row]:
        return renders.list_stale(self.db, now=self.clock.now(), limit=10)

    def as_job(self) -> Job:
        """As whoever has just read it knows it."""
        return Job.of(self.job)

    @property
    def token(self) -> str:
        """That of the latest submission."""
        return str(self.gpu.submitted[-1]["webhook_url"]).rpartition("/")[2]

    def claim(self) -> Job:
        move = {"move_id": new_id("move"), "now": self.clock.now()}
        job = jobs.claim(self.db, EXPORT, worker_id="worker_a", **move)
        assert job
        return job

    def cancel(self) -> bool:
        move = {"move_id": new_id("move"), "now": self.clock.now()}
        return jobs.cancel(self.db, EXPORT, "export_a", tenant_id="tenant_a", **move)

    @property
    def job(self) -> Row:
        row: Row = self.db.prepare("SELECT * FROM export_jobs").first()
        return row

    @property
    def moves(self) -> list[str]:
        """All that has happened to it."""
        rows = self.db.prepare("SELECT move FROM job_events ORDER BY created_at, id").all().results
        return [row["move"] for row in rows]

    def is_charged(self, seconds: int) -> bool:
        """By the counter and by the ledger alike."""
        used = self.db.prepare("SELECT used FROM monthly_usage").first("used")
        total = "SELECT CAST(SUM(amount) AS BIGINT) AS n FROM quota_entries WHERE meter = ?1"
        return bool(used == self.db.prepare(total).bind(GPU_SECONDS.name).first("n") == seconds)

    def columns(self, *names: str) -> tuple[Any, ...]:
        row = self.job
        return tuple(row[name] for name in names)

    def later(self, **span: float) -> datetime:
        return self.clock.advance(**span)
