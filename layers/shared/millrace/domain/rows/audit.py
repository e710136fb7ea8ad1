"""Rows of who changed what, and of how far they have been sealed."""

from pydantic import AwareDatetime

from millrace.domain.rows.table_row import Facts, TableRow


class AuditEntry(TableRow):
    id: str
    tenant_id: str
    created_at: AwareDatetime
    action: str
    subject: str
    person: str | None
    key_id: str | None
    source: str
    before: Facts
    after: Facts
    place: int | None
    hash: str | None


class AuditSeal(TableRow):
    place: int
    hash: str
    created_at: AwareDatetime
