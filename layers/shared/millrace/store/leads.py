"""Leads: the people who ask for a home, as they are known."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from millrace.bindings.database import Database, Row, Statement
from millrace.errors import LeadDeleted, LeadNotFound, Refusal, SiteNotFound

# What a person decides. From then on the lead's documents are kept for a limited time.
FINAL = ("approved", "rejected", "withdrawn")

# What the lead is when no person has decided, or none any more.
WITHOUT_DECISION = f"""
CASE WHEN status NOT IN {FINAL} THEN status
     WHEN latest_evaluation_id IS NULL THEN {{new}} ELSE 'ai_evaluated' END
"""

# ?1 lead, ?2 tenant, ?3 site: whoever does not know all three is told nothing.
THEIRS = "id = ?1 AND tenant_id = ?2 AND site_id = ?3"

INSERT = """
INSERT INTO leads (id, tenant_id, site_id, status, created_at, updated_at)
SELECT ?1, tenant_id, id, 'new', ?4, ?4 FROM sites WHERE tenant_id = ?2 AND id = ?3
ON CONFLICT DO NOTHING
"""

WHY_NOT = f"""
SELECT (SELECT id FROM sites WHERE id = ?3 AND tenant_id = ?2) AS site_id,
       (SELECT id FROM leads WHERE {THEIRS}) AS lead_id,
       (SELECT deleted_at FROM leads WHERE {THEIRS}) AS deleted_at
"""


@dataclass(frozen=True, slots=True)
class NewLead:
    """What a person says when they ask for a home. None where they did not say."""

    id: str
    tenant_id: str
    site_id: str
    first_name: str
    last_name: str
    email: str | None = None
    phone: str | None = None
    employment_status: str | None = None
    monthly_income_microusd: int | None = None
    monthly_rent_microusd: int | None = None


@dataclass(frozen=True, slots=True)
class Which:
    """A lead as it is asked for: by its own id, its tenant's and its site's."""

    lead_id: str
    tenant_id: str
    site_id: str

    @property
    def values(self) -> tuple[str, str, str]:
        return (self.lead_id, self.tenant_id, self.site_id)


@dataclass(frozen=True, slots=True)
class Put:
    lead: Row
    created: bool


def create(db: Database, lead: NewLead, *, now: datetime) -> bool:
    """False when it was there already; then it is left as it is."""
    statement = db.prepare("""
        INSERT INTO leads (id, tenant_id, site_id, first_name, last_name, email, phone, employment_status,
                           monthly_income_microusd, monthly_rent_microusd, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11) ON CONFLICT DO NOTHING
    """)
    return statement.bind(*astuple(lead), now).run().meta.changes == 1


def put(db: Database, which: Which, *, columns: Mapping[str, Any], now: datetime) -> Put:
    """Create the lead or change these columns of it. SiteNotFound, LeadNotFound, LeadDeleted."""
    insert = db.prepare(INSERT).bind(*which.values, now)
    change = _change(db, which, columns=columns, now=now)
    inserted, changed, why = db.batch([insert, change, db.prepare(WHY_NOT).bind(*which.values)])
    lead = changed.first()
    if lead is None:
        raise _refusal(why.results[0]) or LeadNotFound()
    return Put(lead, created=inserted.meta.changes == 1)


def read(db: Database, which: Which) -> Row:
    """SiteNotFound, LeadNotFound, LeadDeleted."""
    found = db.prepare(f"SELECT * FROM leads WHERE {THEIRS} AND deleted_at IS NULL").bind(*which.values)
    row: Row | None = found.first()
    if row is None:
        raise find_refusal(db, which) or LeadNotFound()
    return row


def find_refusal(db: Database, which: Which) -> Refusal | None:
    """Why nothing can be done with the lead. None: it is there."""
    return _refusal(db.prepare(WHY_NOT).bind(*which.values).first())


def _refusal(why: Row) -> Refusal | None:
    if why["site_id"] is None:
        return SiteNotFound()
    if why["lead_id"] is None:
        return LeadNotFound()
    return LeadDeleted() if why["deleted_at"] else None


def _change(db: Database, which: Which, *, columns: Mapping[str, Any], now: datetime) -> Statement:
    places = {column: f"?{place}" for place, column in enumerate(columns, start=5)}
    values = places | _decision(columns, status=places.get("status", "status"))
    assigned = "".join(f", {column} = {value}" for column, value in values.items())
    return db.prepare(f"""
        UPDATE leads SET updated_at = ?4{assigned} WHERE {THEIRS} AND deleted_at IS NULL RETURNING *
    """).bind(*which.values, now, *columns.values())


def _decision(columns: Mapping[str, Any], *, status: str) -> dict[str, str]:
    """Said again, a decision is as old as it was; taken back, there is none."""
    if "status" not in columns:
        return {}
    if columns["status"] in FINAL:
        return {"decided_at": f"CASE WHEN status = {status} THEN decided_at ELSE ?4 END"}
    return {"status": WITHOUT_DECISION.format(new=status), "decided_at": "NULL"}
