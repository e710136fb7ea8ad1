"""Faults in the enrichments' requirements: each shown in their own text, and gone from ours."""

import sqlite3

import pytest

from millrace.domain.money import to_dollars
from millrace.domain.rows import TABLES
from millrace.errors import ConstraintBroken, StatementInvalid
from millrace.store import enrichments, housekeeping
from tests.database.live_schema import columns_of
from tests.databases import on_postgres
from tests.factories import NOW, count_rows
from tests.valid_rows import add_all, add_row

CACHE = """
CREATE TABLE enrichment_cache (
  id INTEGER PRIMARY KEY AUTOINCREMENT, cache_key TEXT NOT NULL UNIQUE, lookup_type TEXT NOT NULL,
  expires_at TIMESTAMP DEFAULT (datetime('now', '+7 days')))
"""
CLEANUP = """
CREATE TRIGGER cleanup_expired_cache AFTER INSERT ON enrichment_cache
BEGIN
  DELETE FROM enrichment_cache WHERE expires_at < datetime('now') AND id % 100 = 0;
END
"""


def test_as_described_an_index_inside_a_table_is_a_syntax_error(scratch):
    with pytest.raises(sqlite3.OperationalError, match="syntax error"):
        scratch.execute("CREATE TABLE cached (cache_key TEXT, INDEX idx_cache_key ON cached(cache_key))")


def test_the_cache_is_indexed_by_what_it_is_asked_for(db):
    listed = {
        "sqlite": "SELECT name FROM pragma_index_list('enrichment_cache')",
        "postgres": "SELECT CAST(indexname AS TEXT) FROM pg_indexes WHERE tablename = 'enrichment_cache'",
    }

    names = {name for (name,) in db.prepare(listed[db.dialect]).raw()}

    assert names >= {"one_result_per_key_and_type", "idx_cache_expires"}


def test_as_described_only_every_hundredth_expired_row_is_ever_deleted(scratch):
    scratch.execute(CACHE)
    scratch.execute(CLEANUP)
    long_ago = [(str(number), "website", "2020-01-01 00:00:00") for number in range(250)]

    scratch.executemany(
        "INSERT INTO enrichment_cache (cache_key, lookup_type, expires_at) VALUES (?, ?, ?)", long_ago
    )

    assert scratch.execute("SELECT COUNT(*) FROM enrichment_cache").fetchone() == (248,)


def test_every_expired_row_is_deleted(db):
    for number in range(250):
        add_row(db, "enrichment_cache", id=f"cached_{number}", cache_key=str(number), expires_at=NOW)

    housekeeping.prune(db, now=NOW, batch=100)

    assert count_rows(db, "enrichment_cache") == 0


def test_as_described_two_look_ups_of_one_company_cannot_both_be_kept(scratch):
    scratch.execute(CACHE)
    scratch.execute("INSERT INTO enrichment_cache (cache_key, lookup_type) VALUES ('bakery', 'website')")

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        scratch.execute("INSERT INTO enrichment_cache (cache_key, lookup_type) VALUES ('bakery', 'contact')")


def test_two_look_ups_of_one_company_are_both_kept_and_each_only_once(db):
    for lookup_type in ("website", "contact"):
        add_row(db, "enrichment_cache", id=lookup_type, lookup_type=lookup_type)

    with pytest.raises(ConstraintBroken, match="one_result_per_key_and_type"):
        add_row(db, "enrichment_cache", id="second")
    assert count_rows(db, "enrichment_cache") == 2


def test_as_described_a_record_may_be_stored_twice(scratch):
    scratch.execute(
        "CREATE TABLE records (id INTEGER PRIMARY KEY, job_id TEXT, record_index INTEGER NOT NULL)"
    )

    scratch.executemany("INSERT INTO records (job_id, record_index) VALUES (?, ?)", [("job", 0), ("job", 0)])

    assert scratch.execute("SELECT COUNT(*) FROM records").fetchone() == (2,)


def test_a_record_is_stored_once(db):
    add_all(db, until="enrichment_cache")

    with pytest.raises(ConstraintBroken, match="one_record_per_place"):
        add_row(db, "enrichment_records", id="again")

    assert count_rows(db, "enrichment_records") == 1


@on_postgres
@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ("CAST(processed_records AS FLOAT) / total_records * 100", "22012"),
        ("ROUND(CAST(processed_records AS FLOAT) / 1, 2)", "42883"),
        ("julianday(completed_at) - julianday(started_at)", "42883"),
    ],
)
def test_as_described_the_job_view_divides_by_zero_and_knows_only_sqlite(database, asked, refused):
    owner = database.open(role=None)
    add_all(owner, until="enrichment_records")

    with pytest.raises(StatementInvalid, match=refused):
        owner.prepare(f"SELECT {asked} FROM enrichment_jobs").run()


def test_the_views_answer_for_a_job_without_records(db):
    add_all(db, until="enrichment_records")

    summary = db.prepare("SELECT * FROM enrichment_job_summary").first()

    assert (summary["total_records"], summary["progress_percentage"]) == (0, None)
    assert enrichments.report_success(db, tenant_id="tenant_a", now=NOW) == []


def test_as_described_a_job_with_template_metrics_cannot_be_deleted(scratch):
    scratch.executescript("""
        PRAGMA foreign_keys = ON;
        CREATE TABLE jobs (id TEXT PRIMARY KEY);
        CREATE TABLE template_performance (job_id TEXT NOT NULL, FOREIGN KEY (job_id) REFERENCES jobs(id));
        INSERT INTO jobs VALUES ('job');
        INSERT INTO template_performance VALUES ('job');
    """)

    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        scratch.execute("DELETE FROM jobs")


def test_a_job_is_deleted_with_all_that_hangs_on_it(db):
    add_all(db)

    db.prepare("DELETE FROM enrichment_jobs").run()

    gone = ("enrichment_records", "template_performance", "conversations", "api_usage")
    assert [count_rows(db, table) for table in gone] == [0] * len(gone)
    assert count_rows(db, "email_templates") == 1


def test_as_described_ten_times_ten_cents_are_not_a_dollar(scratch):
    scratch.execute("CREATE TABLE api_usage (cost REAL NOT NULL)")
    scratch.executemany("INSERT INTO api_usage VALUES (?)", [(0.1,)] * 10)

    running = 0.0
    for (cost,) in scratch.execute("SELECT cost FROM api_usage"):
        running += cost

    assert running != 1.0


def test_ten_times_ten_cents_are_a_dollar(db):
    add_all(db, until="enrichment_cache")
    for number in range(10):
        add_row(db, "api_usage", id=f"call_{number}", cost_microusd=100_000)

    (day,) = enrichments.report_api_usage(db, tenant_id="tenant_a", now=NOW)

    assert to_dollars(day["total_cost_microusd"]) == 1


def test_a_sum_of_money_is_exact_where_a_floating_point_number_no_longer_is(db):
    add_all(db, until="enrichment_cache")
    for cost in (2**53, 1):
        add_row(db, "api_usage", id=f"call_{cost}", cost_microusd=cost)

    (day,) = enrichments.report_api_usage(db, tenant_id="tenant_a", now=NOW)

    assert day["total_cost_microusd"] == 2**53 + 1


def test_money_is_in_whole_numbers_in_every_table(database):
    types = {
        f"{table}.{name}": column.type
        for table in TABLES
        for name, column in columns_of(database, table).items()
        if name.endswith("_microusd")
    }

    assert "api_usage.cost_microusd" in types
    assert set(types.values()) == {"BIGINT"}
