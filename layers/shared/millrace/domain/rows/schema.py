"""Rows of the schema's own history."""

from pydantic import AwareDatetime

from millrace.domain.rows.table_row import TableRow


class SchemaMigration(TableRow):
    version: str
    applied_at: AwareDatetime | None


class MigrationChecksum(TableRow):
    version: str
    name: str
    checksum: str
