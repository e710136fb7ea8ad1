"""The world the events speak of: a tenant with a site, a lead with papers, a key, and another tenant."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from millrace.bindings.database import Database
from millrace.bindings.folder import FolderBucket
from millrace.bindings.links import FolderLinks
from millrace.bindings.queue import NoQueue
from millrace.domain.jobs import EVALUATION
from millrace.env import Config, Env
from millrace.store import documents, keys, leads, tenants
from tests.clock import Clock
from tests.databases import FreshDatabase
from tests.factories import NOW
from tests.functions.cloudformation import Answers

PAY_SLIP = b"""Lantern Systems Inc - Pay slip - November 2025
Employee: Robin Example
Employed since: 1 March 2021
Gross pay: 6,500.00 USD
"""


@dataclass
class Doorbell:
    """A queue that notes how often it was rung."""

    configured: bool = True
    rung: list[tuple[str, int, int]] = field(default_factory=list)

    def ring(self, kind: str, *, count: int = 1, delay_seconds: int = 0) -> None:
        self.rung.append((kind, count, delay_seconds))


@dataclass
class World:
    """What a test reaches into. `owner` may read and write every row; functions are given the envs."""

    owner: Database
    api: Env
    engine: Env
    engine_without_queue: Env
    doorbell: Doorbell
    bucket: FolderBucket
    clock: Clock

    def add_lead(self, lead_id: str, *, tenant_id: str = "tenant_demo", site_id: str = "site_abc") -> None:
        person = {"first_name": "Robin", "last_name": "Example", "monthly_rent_microusd": 1_500_000_000}
        leads.create(self.owner, leads.NewLead(lead_id, tenant_id, site_id, **person), now=NOW)

    def add_document(self, lead_id: str, content: bytes = PAY_SLIP) -> None:
        key = f"{lead_id}/pay-slip.txt"
        self.bucket.put(key, content, content_type="text/plain")
        document = documents.NewDocument(
            f"document_{lead_id}",
            "tenant_demo",
            lead_id,
            "pay_slip",
            "pay-slip.txt",
            len(content),
            "text/plain",
            key,
        )
        documents.add(self.owner, document, now=NOW)

    def jobs(self) -> list[dict]:
        """Every job, as its row stands, oldest first."""
        rows = self.owner.prepare(f"SELECT * FROM {EVALUATION.name} ORDER BY requested_at, id").all()
        return [dict(row) for row in rows.results]

    def job(self) -> dict:
        (only,) = self.jobs()
        return only


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def world(database: FreshDatabase, clock: Clock, tmp_path: Path) -> World:
    links = FolderLinks("http://bucket.test", "a secret of the test")
    doorbell, bucket = Doorbell(), FolderBucket(tmp_path / "bucket", now=clock.now, links=links)
    config = Config(database_url=database.url)
    given = {"now": clock.now, "random": lambda: 0.5, "BUCKET": bucket}
    api, engine = database.open(role="millrace_api"), database.open(role="millrace_engine")
    built = World(
        owner=database.open(role=None),
        api=Env(config, DB=api, QUEUE=doorbell, **given),
        engine=Env(config, DB=engine, QUEUE=doorbell, **given),
        engine_without_queue=Env(config, DB=engine, QUEUE=NoQueue(), **given),
        doorbell=doorbell,
        bucket=bucket,
        clock=clock,
    )
    furnish(built)
    return built


def furnish(world: World) -> None:
    db = world.owner
    for tenant_id, site_id in (("tenant_demo", "site_abc"), ("tenant_other", "site_other")):
        tenants.create(db, tenant_id, name=tenant_id, now=NOW)
        tenants.create_site(db, site_id, tenant_id=tenant_id, name=site_id, now=NOW)
    world.add_lead("lead_123")
    world.add_document("lead_123")
    world.add_lead("lead_of_another", tenant_id="tenant_other", site_id="site_other")
    key = keys.NewKey(
        id="key_demo",
        key_hash=hashlib.sha256(b"test-token").hexdigest(),
        key_prefix="test",
        user_id="user_demo",
        tenant_id="tenant_demo",
        name="The demo's key",
        scopes=["evaluations:read", "evaluations:write"],
    )
    keys.create(db, key, now=NOW)
