"""What has expired is deleted, a bounded batch at a time, so that nobody waits long for its end."""

from collections.abc import Mapping
from datetime import datetime

from millrace.bindings.database import Database, Statement

BATCH = 500
MOST_BATCHES = 20

# Each table with an `expires_at`, and its key.
EXPIRING: Mapping[str, str] = {"enrichment_cache": "id", "idempotency_keys": "tenant_id, key"}


def prune(
    db: Database, *, now: datetime, batch: int = BATCH, most_batches: int = MOST_BATCHES
) -> dict[str, int]:
    """Delete the rows that have expired, the oldest first. How many went, by table.

    What is left after `most_batches` of each table is for the next time.
    """
    return {
        table: _delete_batches(
            _expired(db, table, now=now, batch=batch), batch=batch, most_batches=most_batches
        )
        for table in EXPIRING
    }


def _delete_batches(delete: Statement, *, batch: int, most_batches: int) -> int:
    deleted = 0
    for _ in range(most_batches):
        changes = delete.run().meta.changes
        deleted += changes
        if changes < batch:
            break
    return deleted


def _expired(db: Database, table: str, *, now: datetime, batch: int) -> Statement:
    key = EXPIRING[table]
    return db.prepare(f"""
        DELETE FROM {table} WHERE ({key}) IN (
          SELECT {key} FROM {table} WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)
    """).bind(now, batch)
