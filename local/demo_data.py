"""The demo's data: tenants, their keys, sites and leads, the papers the leads handed in, and a video."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Self

from local.demo_papers import Paper, Person, papers_in, papers_of, read_cases
from local.settings import Settings, local_variables
from millrace.bindings.bucket import Bucket
from millrace.bindings.database import Database
from millrace.domain.callers import SCOPES
from millrace.domain.money import from_dollars
from millrace.env import Env
from millrace.errors import ConstraintBroken, ProjectNotFound
from millrace.store import documents, keys, leads, projects, tenants, videos

# Rows of the demo data, known to everybody.
TOKEN, STUDIO_TOKEN = "test-token", "studio-token"
DEMO_SITE = "site_demo"
# To try exports on.
PROJECT, VIDEO, VIDEO_KEY = "project_123", "video_123", "tenants/tenant_demo/videos/match"
# The demo runs as often as one likes, so the site it runs on has a limit of its own.
DEMO_EVALUATIONS_A_MONTH = 1_000_000

FIRST_NAMES = (
    "Amara",
    "Bruno",
    "Chiara",
    "Dmitri",
    "Elif",
    "Farid",
    "Greta",
    "Hiro",
    "Ines",
    "Jonas",
    "Keiko",
)
LAST_NAMES = ("Alder", "Birch", "Cedar")
EMPLOYERS = ("Harbour Logistics Ltd", "Northside Clinic", "Lantern Systems Inc", "Meadow School")
LEADS_TO_TRY = 30


@dataclass(frozen=True, slots=True)
class DemoLead:
    """`income` is what they say they earn in a month. Without papers they have handed nothing in."""

    id: str
    tenant_id: str
    site_id: str
    name: str
    rent: Decimal
    income: Decimal | None = None
    papers: tuple[Paper, ...] = ()

    @classmethod
    def of(
        cls, lead_id: str, person: Person, *, rent: int, site_id: str, tenant_id: str = "tenant_demo"
    ) -> Self:
        papers = tuple(papers_of(person))
        return cls(lead_id, tenant_id, site_id, person.name, Decimal(rent), person.monthly_income, papers)


def load(settings: Settings) -> None:
    """Put in what is not there yet; what is there is left as it is."""
    variables = local_variables(
        {"BUCKET_URL": ""}, settings=settings, links_secret="not used " * 4, roles=False
    )
    env = Env.from_variables(variables)
    now = datetime.now(UTC)
    try:
        load_tenants(env.DB, now=now)
        for lead in (*leads_to_try(), *leads_of_the_demo()):
            load_lead(env.DB, env.BUCKET, lead=lead, now=now)
        load_video(env.DB, env.BUCKET, now=now)
    finally:
        env.close()


def load_tenants(db: Database, *, now: datetime) -> None:
    tenants.create(db, "tenant_demo", name="Demo Lettings", now=now)
    tenants.create(db, "tenant_other", name="Other Lettings", now=now)
    tenants.create_site(db, "site_abc", tenant_id="tenant_demo", name="Harbour Quarter", now=now)
    tenants.create_site(db, "site_other", tenant_id="tenant_other", name="Elsewhere", now=now)
    tenants.create_site(
        db,
        DEMO_SITE,
        tenant_id="tenant_demo",
        name="Where the demo runs",
        tier="enterprise",
        evaluations_a_month=DEMO_EVALUATIONS_A_MONTH,
        now=now,
    )
    tenants.create(db, "tenant_studio", name="Demo Studio", tier="enterprise", now=now)
    keys.create(db, key_of("tenant_demo", key_id="key_demo", token=TOKEN, name="The demo's key"), now=now)
    studio_key = key_of("tenant_studio", key_id="key_studio", token=STUDIO_TOKEN, name="The studio's key")
    keys.create(db, studio_key, now=now)


def key_of(tenant_id: str, *, key_id: str, token: str, name: str) -> keys.NewKey:
    return keys.NewKey(
        id=key_id,
        key_hash=hashlib.sha256(token.encode()).hexdigest(),
        key_prefix=token[:4],
        user_id="user_xyz",
        tenant_id=tenant_id,
        name=name,
        scopes=SCOPES,
    )


def load_lead(db: Database, bucket: Bucket, *, lead: DemoLead, now: datetime) -> None:
    first_name, _, last_name = lead.name.partition(" ")
    new = leads.NewLead(
        id=lead.id,
        tenant_id=lead.tenant_id,
        site_id=lead.site_id,
        first_name=first_name,
        last_name=last_name,
        email=f"{first_name.lower()}@example.com",
        employment_status="employed",
        monthly_income_microusd=None if lead.income is None else from_dollars(lead.income),
        monthly_rent_microusd=from_dollars(lead.rent),
    )
    leads.create(db, new, now=now)
    for paper in lead.papers:
        load_paper(db, bucket, lead=lead, paper=paper, now=now)


def load_paper(db: Database, bucket: Bucket, *, lead: DemoLead, paper: Paper, now: datetime) -> None:
    key = f"tenants/{lead.tenant_id}/leads/{lead.id}/{paper.file_name}"
    document = documents.NewDocument(
        id=f"{lead.id}_{paper.file_name.partition('.')[0]}",
        tenant_id=lead.tenant_id,
        lead_id=lead.id,
        document_type=paper.document_type,
        file_name=paper.file_name,
        size_bytes=len(paper.content),
        mime_type=paper.mime_type,
        storage_key=key,
        checksum=hashlib.sha256(paper.content).hexdigest(),
    )
    # What somebody has deleted since does not come back.
    if documents.add(db, document, now=now):
        bucket.put(key, paper.content, content_type=paper.mime_type)


def load_video(db: Database, bucket: Bucket, *, now: datetime) -> None:
    """A video that has been uploaded, and a project for what is made of it."""
    try:
        projects.read(db, PROJECT, tenant_id="tenant_demo")
    except ProjectNotFound:
        projects.put(
            db, PROJECT, tenant_id="tenant_demo", name="The final in May", person="user_xyz", now=now
        )
    if (facts := bucket.head(VIDEO_KEY)) is None:
        bucket.put(VIDEO_KEY, draw_film(), content_type="video/mp4")
        facts = bucket.head(VIDEO_KEY)
        assert facts is not None  # noqa: S101 - it has just been put there
    video = videos.NewVideo(
        id=VIDEO,
        tenant_id="tenant_demo",
        storage_key=VIDEO_KEY,
        file_name="match.mp4",
        content_type="video/mp4",
        size_bytes=facts.size,
        requested_by="user_xyz",
        link_expires_at=now,
    )
    with suppress(ConstraintBroken):
        videos.create(db, video, now=now)
    videos.complete(db, VIDEO, tenant_id="tenant_demo", etag=facts.etag, now=now)


def draw_film() -> bytes:
    from local.demo.film import make_film

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "match.mp4"
        make_film(path)
        return path.read_bytes()


def leads_to_try() -> Iterator[DemoLead]:
    """lead_123 and many more for a person to try things on. The demo leaves them alone."""
    first = Person("Robin Rivers", "Harbour Logistics Ltd", Decimal("6482.50"), "2021-03-15")
    yield DemoLead.of("lead_123", first, rent=1_950, site_id="site_abc")
    other = Person("Olive Ostrom", "Meadow School", Decimal("5120.75"), "2022-08-01")
    yield DemoLead.of("lead_other", other, rent=1_500, site_id="site_other", tenant_id="tenant_other")
    yield from leads_with_real_papers()
    for number in range(1, LEADS_TO_TRY + 1):
        name = f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {LAST_NAMES[number % len(LAST_NAMES)]}"
        income = Decimal("3871.43") + number * Decimal("127.31")
        year, month = 2018 + number % 8, 1 + number % 9
        person = Person(name, EMPLOYERS[number % len(EMPLOYERS)], income, f"{year}-{month:02}-01")
        yield DemoLead.of(f"lead_{number:03}", person, rent=1_400 + 25 * number, site_id="site_abc")


def leads_with_real_papers() -> Iterator[DemoLead]:
    """lead_strong, lead_middling, lead_forged and others, by what is to come of their papers."""
    for case in read_cases():
        stated = case["stated_monthly_income"]
        yield DemoLead(
            f"lead_{case['case']}",
            "tenant_demo",
            "site_abc",
            case["name"],
            rent=Decimal(case["monthly_rent"]),
            income=None if stated is None else Decimal(stated),
            papers=tuple(papers_in(case)),
        )


def leads_of_the_demo() -> Iterator[DemoLead]:
    """One lead for each way an evaluation may turn out."""
    people = {
        "lead_demo_steady": (
            1_900,
            Person("Ada Steady", "Lantern Systems Inc", Decimal("6480.37"), "2022-09-01"),
        ),
        "lead_demo_newcomer": (
            1_800,
            Person("Ben Newcomer", "Northside Clinic", Decimal("4972.18"), "2025-05-05"),
        ),
        "lead_demo_stretched": (
            2_100,
            Person("Cleo Stretched", "Meadow School", Decimal("3391.64"), "2025-02-10", returned_payments=3),
        ),
        "lead_demo_altered": (
            1_700,
            Person(
                "Dan Altered",
                "Harbour Logistics Ltd",
                Decimal("6127.92"),
                "2020-01-13",
                net_error=Decimal(900),
            ),
        ),
    }
    for lead_id, (rent, person) in people.items():
        yield DemoLead.of(lead_id, person, rent=rent, site_id=DEMO_SITE)
    yield DemoLead("lead_demo_empty", "tenant_demo", DEMO_SITE, "Eve Empty", Decimal(1_600))
