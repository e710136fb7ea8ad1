"""One valid row for every table, to be changed in the one thing a test is about."""

from datetime import date, timedelta
from typing import Any

from millrace.bindings.database import Database, Row
from tests.factories import NOW

LATER = NOW + timedelta(days=7)
BORN = {"created_at": NOW, "updated_at": NOW}
LIVE = {"last_move_id": "move", "run_after": NOW, "charged_period": "2025-12", **BORN}


def rows_of(letter: str) -> dict[str, dict[str, Any]]:
    """All that belongs to the tenant of this letter, parents first. What has a default is left out."""
    own = {"tenant_id": f"tenant_{letter}"}
    return {
        "tenants": {"id": f"tenant_{letter}", "name": "A tenant", **BORN},
        "sites": {"id": f"site_{letter}", "name": "A site", **own, **BORN},
        **_people(letter, own),
        **_evaluations(letter, own),
        **_exports(letter, own),
        **_enrichments(letter, own),
        **_outreach(letter, own),
        **_stories(letter, own),
        **_metering(letter, own),
    }


def add_row(db: Database, table: str, *, letter: str = "a", **changes: Any) -> Row:
    """Insert the table's valid row, changed as said. The row as the database then has it."""
    row = rows_of(letter)[table] | changes
    places = ", ".join(f"?{place}" for place in range(1, len(row) + 1))
    insert = db.prepare(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places}) RETURNING *")
    written: Row = insert.bind(*row.values()).first()
    return written


def add_all(db: Database, *, letter: str = "a", until: str | None = None) -> None:
    """A row in every table, or only in those that come before one."""
    for table in rows_of(letter):
        if table == until:
            return
        add_row(db, table, letter=letter)


def _people(letter: str, own: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "api_keys": {
            "id": f"key_{letter}", "key_hash": f"hash_{letter}", "key_prefix": "mrk_test", "user_id": "alice",
            "name": "A key", "created_at": NOW, **own,
        },
        "settings": {
            "id": f"setting_{letter}", "key": "cache_ttl_days", "value": "30", "value_type": "integer",
            "updated_at": NOW, **own,
        },
        "leads": {"id": f"lead_{letter}", "site_id": f"site_{letter}", **own, **BORN},
        "lead_documents": {
            "id": f"document_{letter}", "lead_id": f"lead_{letter}", "document_type": "pay_slip",
            "file_name": "pay.txt", "size_bytes": 10, "mime_type": "text/plain",
            "storage_key": f"tenant_{letter}/pay", **own,
        },
    }  # fmt: skip


def _evaluations(letter: str, own: dict[str, Any]) -> dict[str, dict[str, Any]]:
    of_lead = {"lead_id": f"lead_{letter}", "site_id": f"site_{letter}", **own}
    return {
        "lead_ai_evaluations": {
            "id": f"evaluation_{letter}", "job_id": f"evaluation_job_{letter}", "score": 85, "label": "A",
            "recommendation": "approve", "summary": "Pays on time.", "model_version": "local/rules",
            "evaluated_at": NOW, **of_lead,
        },
        "evaluation_overrides": {
            "id": f"override_{letter}", "lead_id": f"lead_{letter}", "evaluation_id": f"evaluation_{letter}",
            "new_recommendation": "reject", "reason": "Seen in person.", "overridden_by": "alice",
            "overridden_at": NOW, **own,
        },
        "ai_evaluation_jobs": {
            "id": f"evaluation_job_{letter}", "requested_by": "alice", "requested_at": NOW, **of_lead, **LIVE,
        },
        "ai_evaluation_usage": {
            "id": f"usage_{letter}", "site_id": f"site_{letter}", "month": "2025-12", **own, **BORN,
        },
    }  # fmt: skip


def _exports(letter: str, own: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "projects": {"id": f"project_{letter}", "user_id": "alice", "name": "A match", **own, **BORN},
        "export_jobs": {
            "id": f"export_{letter}", "project_id": f"project_{letter}", "type": "overlay",
            "input_video_key": f"videos/match_{letter}", "params": {"effect_type": "blur"}, **own, **LIVE,
        },
        "removed_exports": {
            "id": f"removed_{letter}", "attempts": 2, "removed_at": NOW, "erase_at": NOW, **own,
        },
        "videos": {
            "id": f"video_{letter}", "storage_key": f"videos/match_{letter}", "file_name": "match.mp4",
            "content_type": "video/mp4", "size_bytes": 60_000_000, "requested_by": "alice",
            "link_expires_at": LATER, "created_at": NOW, "uploaded_at": NOW, **own,
        },
    }  # fmt: skip


def _enrichments(letter: str, own: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "enrichment_jobs": {
            "id": f"enrichment_{letter}", "input_file_path": f"tenant_{letter}/companies.csv", **own, **LIVE,
        },
        "enrichment_records": {
            "id": f"record_{letter}", "job_id": f"enrichment_{letter}", "record_index": 0,
            "original_data": {"company": "Harbour Bakery"}, "created_at": NOW, **own,
        },
        "enrichment_cache": {
            "id": f"cached_{letter}", "cache_key": f"harbour-bakery-{letter}", "lookup_type": "website",
            "result_data": {"website": "https://bakery.example"}, "created_at": NOW, "expires_at": LATER,
        },
    }  # fmt: skip


def _outreach(letter: str, own: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "email_templates": {
            "id": f"template_{letter}", "name": "Hello", "template_type": "body",
            "template_text": "Hello {company_name}", "variables": ["company_name"], **own, **BORN,
        },
        "template_performance": {
            "id": f"performance_{letter}", "template_id": f"template_{letter}",
            "job_id": f"enrichment_{letter}", "open_rate": 0.5, "created_at": NOW, **own,
        },
        "conversations": {
            "id": f"conversation_{letter}", "record_id": f"record_{letter}", "current_state": "outreach",
            **own,
        },
        "crm_integrations": {
            "id": f"crm_{letter}", "crm_type": "hubspot", "api_key": "sealed:test:0000", **own,
        },
    }  # fmt: skip


def _stories(letter: str, own: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "story_jobs": {
            "id": f"story_{letter}", "user_id": "alice", "story": "As a user, I want to sign in.",
            "iterations": ["validation"], **own, **LIVE,
        },
        "story_job_files": {
            "id": f"file_{letter}", "job_id": f"story_{letter}", "file_name": "mockup.png",
            "blob_path": f"tenant_{letter}/mockup.png", "content_type": "image/png", "size_bytes": 10,
            "uploaded_at": NOW, **own,
        },
    }  # fmt: skip


def _metering(letter: str, own: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "api_usage": {
            "id": f"call_{letter}", "provider": "openai", "endpoint": "/v1/chat", "cost_microusd": 120,
            "job_id": f"enrichment_{letter}", "record_id": f"record_{letter}", "created_at": NOW, **own,
        },
        "usage_records": {
            "id": f"metered_{letter}", "user_id": "alice", "request_id": "request", "kind": "story",
            "job_id": f"story_{letter}", "timestamp": NOW, "date": NOW.date(), "model": "local/rules",
            "input_tokens": 1, "output_tokens": 1, "cost_microusd": 1, "duration_ms": 1, **own,
        },
        "daily_spend": {"day": "2025-12-17", "quota_limit": 100_000_000, **own, **BORN},
        "daily_usage": {"user_id": "alice", "date": date(2025, 12, 17), **own},
        "monthly_usage": {
            "month": "2025-12", "meter": "gpu_seconds", "quota_limit": 600, "tier": "free", **own, **BORN,
        },
        "request_counts": {
            "user_id": "alice", "measure": "requests_a_day", "period": "2025-12-17", "used": 1,
            "limit_then": 50, **own,
        },
        "quota_entries": {
            "meter": "evaluations", "subject": f"site_{letter}", "period": "2025-12", "charge_round": 0,
            "job_id": f"evaluation_job_{letter}", "kind": "reserve", "amount": 1, "used_after": 1,
            "limit_then": 20, "created_at": NOW, **own,
        },
        "job_events": {
            "id": f"event_{letter}", "job_id": f"evaluation_job_{letter}", "kind": "evaluation", "attempt": 0,
            "move": "create", "created_at": NOW, **own,
        },
        "audit_log": {
            "id": f"audited_{letter}", "created_at": NOW, "action": "key_issued", "subject": f"key_{letter}",
            "person": "alice", "source": "203.0.113.7", "before": {}, "after": {"tier": "pro"}, **own,
        },
        "audit_seals": {"place": ord(letter), "hash": "ab" * 32, "created_at": NOW},
        "idempotency_keys": {
            "key": "once", "fingerprint": "abc", "created_at": NOW, "expires_at": LATER, **own,
        },
    }  # fmt: skip
