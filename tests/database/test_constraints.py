"""Every rule that the schema holds by name refuses what breaks it, and no rule is without its test."""

from datetime import timedelta

import pytest

from millrace.domain.rows import TABLES
from millrace.errors import ConstraintBroken, StatementInvalid
from tests.database.live_schema import columns_of, list_constraints
from tests.factories import NOW
from tests.valid_rows import add_all, add_row, rows_of

LEASE = {"locked_until": NOW + timedelta(minutes=2)}
ENDED = {"completed_at": NOW}

# What breaks each CHECK: the table, and what is changed in its valid row.
BREAKING = {
    "tenant_tier_is_known": ("tenants", {"tier": "gold"}),
    "tenant_limit_not_negative": (
        "tenants",
        {"evaluations_a_month": -1},
        {"gpu_seconds_a_month": -1},
        {"requests_a_minute": -1},
        {"requests_a_day": -1},
        {"tokens_a_day": -1},
        {"live_jobs": -1},
    ),
    "site_tier_is_known": ("sites", {"tier": "gold"}),
    "site_limit_not_negative": ("sites", {"evaluations_a_month": -1}),
    "key_tier_is_known": ("api_keys", {"quota_tier": "gold"}),
    "setting_type_is_known": ("settings", {"value_type": "date"}),
    "setting_json_is_valid": (
        "settings",
        {"value_type": "json", "value": "{not json"},
        {"value_type": "json", "value": ""},
    ),
    "lead_income_not_negative": ("leads", {"monthly_income_microusd": -1}),
    "lead_rent_not_negative": ("leads", {"monthly_rent_microusd": -1}),
    "lead_score_in_range": ("leads", {"ai_score": 101}),
    "lead_label_is_known": ("leads", {"ai_label": "D"}),
    "lead_status_is_known": ("leads", {"status": "lost"}),
    "lead_decided_has_a_time": (
        "leads",
        {"status": "approved"},
        {"status": "rejected"},
        {"status": "withdrawn"},
    ),
    "lead_deleted_has_a_time": ("leads", {"status": "deleted"}),
    "document_size_not_negative": ("lead_documents", {"size_bytes": -1}),
    "evaluation_score_in_range": ("lead_ai_evaluations", {"score": -1}),
    "evaluation_label_is_known": ("lead_ai_evaluations", {"label": "D"}),
    "evaluation_recommendation_is_known": ("lead_ai_evaluations", {"recommendation": "perhaps"}),
    "override_recommendation_is_known": ("evaluation_overrides", {"new_recommendation": "perhaps"}),
    "evaluation_status_is_known": ("ai_evaluation_jobs", {"status": "lost", **ENDED}),
    "evaluation_final_has_completed_at": ("ai_evaluation_jobs", {"status": "failed"}, ENDED),
    "evaluation_processing_has_a_lease": ("ai_evaluation_jobs", {"status": "processing", **LEASE}),
    "evaluation_completed_has_a_result": ("ai_evaluation_jobs", {"status": "completed", **ENDED}),
    "evaluation_retries_within_limit": ("ai_evaluation_jobs", {"retry_count": 4}),
    "sealed_entry_has_place_and_hash": ("audit_log", {"id": "x", "place": 1}, {"id": "x", "hash": "ab"}),
    "usage_tier_is_known": ("ai_evaluation_usage", {"tier": "gold"}),
    "evaluation_count_not_negative": ("ai_evaluation_usage", {"evaluation_count": -1}),
    "export_status_is_known": ("export_jobs", {"status": "lost", **ENDED}),
    "export_type_is_known": ("export_jobs", {"type": "hologram"}),
    "export_progress_in_range": ("export_jobs", {"progress": 101}),
    "export_final_has_completed_at": ("export_jobs", {"status": "error"}, ENDED),
    "export_processing_has_a_lease": ("export_jobs", {"status": "processing", "worker_id": "worker"}),
    "export_complete_has_an_output": ("export_jobs", {"status": "complete", **ENDED}),
    "export_submitted_has_a_deadline": ("export_jobs", {"submitted_at": NOW}),
    "export_retries_within_limit": ("export_jobs", {"retry_count": -1}),
    "export_gpu_seconds_not_negative": ("export_jobs", {"gpu_seconds": -1}, {"gpu_seconds_reserved": -1}),
    "export_cost_not_negative": ("export_jobs", {"cost_microusd": -1}),
    "enrichment_status_is_known": ("enrichment_jobs", {"status": "lost", **ENDED}),
    "enrichment_counts_within_total": (
        "enrichment_jobs",
        {"total_records": 2, "processed_records": 3},
        {"total_records": 2, "processed_records": 1, "failed_records": 2},
        {"failed_records": -1},
    ),
    "enrichment_costs_not_negative": (
        "enrichment_jobs",
        {"estimated_cost_microusd": -1},
        {"actual_cost_microusd": -1},
    ),
    "enrichment_time_not_negative": ("enrichment_jobs", {"processing_time_seconds": -0.1}),
    "enrichment_final_has_completed_at": ("enrichment_jobs", {"status": "cancelled"}, ENDED),
    "enrichment_processing_has_a_lease": ("enrichment_jobs", {"status": "processing"}),
    "enrichment_retries_within_limit": ("enrichment_jobs", {"retry_count": 4}),
    "record_status_is_known": ("enrichment_records", {"status": "lost", "processed_at": NOW}),
    "record_index_not_negative": ("enrichment_records", {"record_index": -1}),
    "record_metrics_not_negative": (
        "enrichment_records",
        {"processing_attempts": -1},
        {"processing_time_ms": -1},
        {"llm_tokens_used": -1},
    ),
    "record_cost_not_negative": ("enrichment_records", {"cost_microusd": -1}),
    "record_confidence_in_range": ("enrichment_records", {"enrichment_confidence": 1.5}),
    "record_completeness_in_range": ("enrichment_records", {"data_completeness": -0.5}),
    "record_final_has_processed_at": (
        "enrichment_records",
        {"status": "enriched"},
        {"status": "failed"},
        {"status": "skipped"},
    ),
    "cache_hits_not_negative": ("enrichment_cache", {"hit_count": -1}),
    "cache_confidence_in_range": ("enrichment_cache", {"confidence_score": 2.0}),
    "template_type_is_known": ("email_templates", {"template_type": "fax"}),
    "template_usage_not_negative": ("email_templates", {"usage_count": -1}),
    "crm_api_key_is_sealed": ("crm_integrations", {"api_key": "as it was typed"}),
    "story_status_is_known": ("story_jobs", {"status": "pending", **ENDED}),
    "story_final_has_completed_at": ("story_jobs", {"status": "failed"}, ENDED),
    "story_processing_has_a_lease": ("story_jobs", {"status": "processing", **LEASE}),
    "story_completed_has_a_result": ("story_jobs", {"status": "completed", **ENDED}),
    "story_retries_within_limit": ("story_jobs", {"retry_count": 4}),
    "story_file_size_not_negative": ("story_job_files", {"size_bytes": -1}),
    "api_usage_metrics_not_negative": (
        "api_usage",
        {"tokens_used": -1},
        {"response_time_ms": -1},
        {"request_size_bytes": -1},
        {"response_size_bytes": -1},
    ),
    "api_usage_cost_not_negative": ("api_usage", {"cost_microusd": -1}),
    "usage_kind_is_known": ("usage_records", {"kind": "guess"}),
    "usage_metrics_not_negative": (
        "usage_records",
        {"input_tokens": -1},
        {"output_tokens": -1},
        {"gpu_seconds": -1},
        {"duration_ms": -1},
    ),
    "usage_cost_not_negative": ("usage_records", {"cost_microusd": -1}),
    "daily_counts_not_negative": (
        "daily_usage",
        {"request_count": -1},
        {"input_tokens": -1},
        {"output_tokens": -1},
    ),
    "daily_cost_not_negative": ("daily_usage", {"cost_microusd": -1}),
    "daily_spend_not_negative": ("daily_spend", {"used": -1}, {"quota_limit": -1}),
    "monthly_usage_not_negative": ("monthly_usage", {"used": -1}, {"quota_limit": -1}),
    "request_measure_is_known": ("request_counts", {"measure": "requests_a_year"}),
    "requests_within_limit": (
        "request_counts",
        {"used": 51},
        {"measure": "tokens_a_day", "used": 50},
    ),
    "monthly_usage_tier_is_known": ("monthly_usage", {"tier": "gold"}),
    "video_is_not_empty": ("videos", {"size_bytes": 0}),
    "removed_export_was_attempted": ("removed_exports", {"attempts": 0}),
    "quota_entry_kind_is_known": ("quota_entries", {"kind": "gift"}),
    "usage_within_quota": ("quota_entries", {"used_after": 21}),
    "only_accepted_requests_are_kept": ("idempotency_keys", {"facts": None}),
}

# What a row may have only once: the table, and what may differ in the second.
ONCE = {
    "one_key_per_hash": ("api_keys", {"id": "second"}),
    "one_default_per_setting": ("settings", {"id": "second", "tenant_id": None}),
    "one_value_per_tenant_and_setting": ("settings", {"id": "second"}),
    "one_document_per_storage_key": ("lead_documents", {"id": "second"}),
    "one_evaluation_per_job": ("lead_ai_evaluations", {"id": "second"}),
    "one_live_job_per_lead": ("ai_evaluation_jobs", {"id": "second"}),
    "one_usage_per_site_and_month": ("ai_evaluation_usage", {"id": "second"}),
    "one_live_export_per_request": ("export_jobs", {"id": "second", "request_hash": "hash"}),
    "one_video_per_key": ("videos", {"id": "second"}),
    "one_record_per_place": ("enrichment_records", {"id": "second"}),
    "one_result_per_key_and_type": ("enrichment_cache", {"id": "second"}),
    "one_audit_entry_per_place": ("audit_log", {"id": "second", "place": 1, "hash": "ab"}),
    "one_record_per_call": ("usage_records", {"id": "second"}),
    "one_ending_per_charge": ("quota_entries", {"kind": "settle"}),
}

# Those that may outlive their tenant, and those in bulk, whose job belongs to one.
WITHOUT_TENANT = {
    "usage_records", "daily_usage", "quota_entries", "job_events", "idempotency_keys",
    "enrichment_records", "api_usage",
}  # fmt: skip
# What is there stays as it is: see test_audit_chain.py.
NEVER_CHANGED = {"audit_log"}


def refused_by(db, table, **changes):
    """The name of the rule that refuses the table's valid row, so changed."""
    with pytest.raises(ConstraintBroken) as broken:
        add_row(db, table, **changes)
    return broken.value.constraint


def test_a_row_that_breaks_a_rule_is_refused_by_its_name(database):
    db = database.open(role=None)
    add_all(db)

    for constraint, (table, *faults) in BREAKING.items():
        assert {refused_by(db, table, **fault) for fault in faults} == {constraint}


def test_what_may_be_there_once_is_refused_the_second_time(database):
    db = database.open(role=None)
    add_all(db)
    add_row(db, "audit_log", id="sealed", place=1, hash="ab")
    add_row(db, "quota_entries", kind="release")
    add_row(db, "export_jobs", id="asked_for", request_hash="hash")

    for constraint, (table, second) in ONCE.items():
        # Differs: on SQLite the trigger that keeps REPLACE from the audit log is asked before its index.
        first = "audit_log_stays" if (database.dialect, table) == ("sqlite", "audit_log") else constraint
        assert refused_by(db, table, **second) == first


def test_no_text_but_json_gets_into_a_json_column(database, db):
    add_all(db)

    for table in rows_of("a").keys() - NEVER_CHANGED:
        for name in (name for name, column in columns_of(database, table).items() if column.type == "JSONB"):
            # Differs: PostgreSQL refuses it by the column's type, SQLite by its CHECK.
            with pytest.raises((ConstraintBroken, StatementInvalid), match=r"json|22P02"):
                db.prepare(f"UPDATE {table} SET {name} = ?1").bind("{not json").run()
    for name in ("before", "after"):
        with pytest.raises((ConstraintBroken, StatementInvalid), match=r"json|22P02"):
            add_row(db, "audit_log", id="second", **{name: "{not json"})


def test_no_row_is_without_its_id(db):
    add_all(db)

    for table in rows_of("a"):
        if "id" in TABLES[table].model_fields:
            assert refused_by(db, table, id=None) == f"{table}.id"


def test_a_row_belongs_to_a_tenant_that_there_is(db):
    add_all(db)

    for table in (name for name in rows_of("a") if "tenant_id" in TABLES[name].model_fields):
        if table in NEVER_CHANGED:
            continue
        move = db.prepare(f"UPDATE {table} SET tenant_id = 'nobody' WHERE tenant_id > ''")
        if table in WITHOUT_TENANT:
            move.run()
        else:
            with pytest.raises(ConstraintBroken):
                move.run()


def test_every_rule_of_the_schema_has_its_test(database):
    named = list_constraints(database.open(role=None))

    # Those about JSON are tested by the columns they are about.
    assert {name for name in named if not name.endswith("_json")} == {*BREAKING, *ONCE}
