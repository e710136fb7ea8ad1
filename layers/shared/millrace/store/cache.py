"""What was looked up before: public facts that every tenant's enrichments may use, until they expire."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from millrace.bindings.database import Database, Row


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look-up of one type found for one key. Nothing of a tenant's may be in it."""

    cache_key: str
    lookup_type: str
    result_data: dict[str, Any] | None
    confidence_score: float | None
    source: str


def find(db: Database, cache_key: str, *, lookup_type: str, now: datetime) -> Row | None:
    """The finding, with this hit counted. None when there is none, or it has expired."""
    hit = db.prepare("""
        UPDATE enrichment_cache SET hit_count = hit_count + 1
        WHERE cache_key = ?1 AND lookup_type = ?2 AND expires_at > ?3
        RETURNING result_data, confidence_score, source, hit_count, expires_at
    """)
    row: Row | None = hit.bind(cache_key, lookup_type, now).first()
    return row


def keep(db: Database, finding: Finding, *, finding_id: str, now: datetime, expires_at: datetime) -> None:
    """Keep it in place of what was known before, with its hits counted anew."""
    db.prepare("""
        INSERT INTO enrichment_cache (id, cache_key, lookup_type, result_data, confidence_score, source,
                                      created_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (cache_key, lookup_type) DO UPDATE
        SET result_data = excluded.result_data, confidence_score = excluded.confidence_score,
            source = excluded.source, created_at = excluded.created_at, expires_at = excluded.expires_at,
            hit_count = 0
    """).bind(
        finding_id, finding.cache_key, finding.lookup_type, finding.result_data, finding.confidence_score,
        finding.source, now, expires_at,
    ).run()  # fmt: skip
