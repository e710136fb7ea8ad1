"""What the files in events/ speak of: the demo's data afresh, jobs, documents, videos, and a deleted lead."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local import demo_data, studio
from local.database import migrate
from local.settings import ROOT, Settings, local_variables, read_links_secret
from local.template import Function
from millrace.bindings.database import Database
from millrace.domain.audit import Author
from millrace.domain.jobs import EVALUATION, Job
from millrace.domain.judgements import Evaluation
from millrace.env import Env
from millrace.errors import InsufficientDocuments
from millrace.store import documents, erasure, evaluations, jobs, judgements
from millrace.store.leads import Which

WAITING_JOB = "job_example"
WAITING_LEAD = "lead_001"
# On a site of its own, so that what the other events are charged does not depend on it.
DONE_JOB = "job_done"
DONE_LEAD = "lead_demo_steady"
FAILED_JOB = "job_failed"
FAILED_LEAD = "lead_002"
# Announced both, and only of the first has the file arrived.
ARRIVED_DOCUMENT, MISSING_DOCUMENT = "doc_arrived", "doc_missing"
DOCUMENTS_LEAD = Which("lead_003", "tenant_demo", "site_abc")
DELETED_LEAD = Which("lead_030", "tenant_demo", "site_abc")
SLIP = b"Pay slip of November"
# What the links in events/gpu_callback are signed with. It opens nothing but this scene.
CALLBACK_KEY = "the key of the scene that events speak of"


class Scene:
    """A database and a bucket in a folder of their own; or a database of the user's, taken as it stands."""

    def __init__(self, folder: Path, *, database_url: str | None = None):
        self._settings = Settings(data=folder, database_url=database_url)
        self._pristine = folder / "pristine.db"
        self._links_secret = read_links_secret(folder)
        if database_url is None:
            self._furnish()

    def reset(self) -> None:
        """Make everything as it was, also for a process that has the database open."""
        with closing(sqlite3.connect(self._pristine)) as before, closing(self._open()) as now:
            before.backup(now)

    def variables_of(self, function: Function) -> Mapping[str, str]:
        """The function's environment in this scene. Nobody hears a doorbell here, so there is none."""
        variables = local_variables(
            function.environment, settings=self._settings, links_secret=self._links_secret, roles=False
        )
        if "CALLBACK_KEYS" in variables:
            variables["CALLBACK_KEYS"] = CALLBACK_KEY
        if "MIGRATIONS_FOLDER" in variables:
            variables["MIGRATIONS_FOLDER"] = str(ROOT / "migrations")
        return {name: value for name, value in variables.items() if not name.startswith("QUEUE_URL_")}

    def _furnish(self) -> None:
        migrate(self._settings)
        demo_data.load(self._settings)
        variables = {"DATABASE_URL": self._settings.database, "BUCKET_URL": f"file://{self._settings.bucket}"}
        env = Env.from_variables(variables)
        now = datetime.now(UTC)
        before = now - timedelta(seconds=18)
        accept(env.DB, DONE_JOB, lead_id=DONE_LEAD, site_id=demo_data.DEMO_SITE, now=before)
        judge(env.DB, claimed_at=before, now=now)
        accept(env.DB, FAILED_JOB, lead_id=FAILED_LEAD, site_id="site_abc", now=before)
        fail(env.DB, claimed_at=before, now=now)
        accept(env.DB, WAITING_JOB, lead_id=WAITING_LEAD, site_id="site_abc", now=now)
        for document_id in (ARRIVED_DOCUMENT, MISSING_DOCUMENT):
            announce(env.DB, document_id, now=now)
        env.BUCKET.put(ARRIVED_DOCUMENT, SLIP, content_type="text/plain")
        studio.furnish(env, now=now)
        erasure.delete_lead(
            env.DB, DELETED_LEAD, move_id="delete_lead", by=Author.operator(env.new_id), now=now
        )
        env.close()
        with closing(self._open()) as furnished, closing(sqlite3.connect(self._pristine)) as pristine:
            furnished.backup(pristine)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._settings.database.removeprefix("sqlite://"))


def accept(db: Database, job_id: str, *, lead_id: str, site_id: str, now: datetime) -> None:
    order = evaluations.Order(
        tenant_id="tenant_demo", site_id=site_id, lead_id=lead_id,
        requested_by="user_xyz", model_version="local/rules",
    )  # fmt: skip
    evaluations.create(db, order, job_id=job_id, now=now)


def announce(db: Database, document_id: str, *, now: datetime) -> None:
    upload = documents.NewUpload(
        id=document_id, document_type="pay_slip", file_name="november.txt", size_bytes=len(SLIP),
        mime_type="text/plain", storage_key=document_id, checksum=None, link_expires_at=now,
    )  # fmt: skip
    documents.create(db, DOCUMENTS_LEAD, upload=upload, now=now)


def judge(db: Database, *, claimed_at: datetime, now: datetime) -> None:
    """Give the only job that waits a result that is always the same."""
    done = Evaluation(
        id="evaluation_done",
        score=100,
        label="A",
        recommendation="approve",
        summary="Steady income, 3.4 times the rent.",
        risk_flags=[],
        fraud_signals=[],
        extracted_data={"monthly_income_microusd": 6_480_370_000, "document_quality": "good"},
        score_breakdown=[],
        warnings=[],
        model_version="local/rules",
        evaluated_at=now,
    )
    job = claim(db, move_id="claim_done", now=claimed_at)
    judgements.complete(db, job, evaluation=done, move_id="complete_done", now=now)


def fail(db: Database, *, claimed_at: datetime, now: datetime) -> None:
    """Have the only job that waits fail for good, and give back what it was charged."""
    job, error = claim(db, move_id="claim_failed", now=claimed_at), InsufficientDocuments("Nothing to read.")
    jobs.fail(db, EVALUATION, job, error=error, move_id="fail_failed", now=now, jitter=0.0)


def claim(db: Database, *, move_id: str, now: datetime) -> Job:
    job = jobs.claim(db, EVALUATION, worker_id="scene", move_id=move_id, now=now)
    if job is None:
        raise AssertionError("the scene's only job is not there")
    return job
