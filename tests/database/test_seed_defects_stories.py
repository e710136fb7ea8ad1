"""Faults in the stories' requirements, and in all of them: each shown, and gone from ours."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from millrace.domain.money import to_dollars
from millrace.errors import ConstraintBroken, StatementInvalid
from millrace.store import cache, schema
from tests.databases import on_postgres
from tests.factories import NOW, add_tenant, count_rows
from tests.valid_rows import add_all, add_row

DAY = date(2025, 12, 17)
TEN_THOUSAND_DOLLARS = 10_000_000_000


def test_the_described_tables_are_all_there(db):
    described = {
        "schema_migrations",
        "story_jobs",
        "story_job_files",
        "usage_records",
        "api_keys",
        "daily_usage",
    }

    assert described <= set(schema.list_tables(db))


@on_postgres
def test_as_described_ten_thousand_dollars_a_day_do_not_fit(database):
    owner = database.open(role=None)
    owner.prepare("CREATE TABLE described (cost_usd DECIMAL(10, 6) NOT NULL)").run()
    owner.prepare("INSERT INTO described VALUES (9999.999999)").run()

    with pytest.raises(StatementInvalid, match="22003"):
        owner.prepare("UPDATE described SET cost_usd = cost_usd + 0.000001").run()


def test_more_than_ten_thousand_dollars_a_day_fit_to_the_millionth(db):
    add_row(db, "daily_usage", cost_microusd=TEN_THOUSAND_DOLLARS)

    cost = db.prepare("UPDATE daily_usage SET cost_microusd = cost_microusd + 1 RETURNING cost_microusd")

    assert str(to_dollars(cost.first("cost_microusd"))) == "10000.000001"


def test_as_described_two_tenants_alices_are_one(scratch):
    scratch.execute("CREATE TABLE daily_usage (user_id TEXT, date DATE, PRIMARY KEY (user_id, date))")
    scratch.execute("INSERT INTO daily_usage VALUES ('alice', '2025-12-17')")

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        scratch.execute("INSERT INTO daily_usage VALUES ('alice', '2025-12-17')")


def test_two_tenants_alices_are_counted_apart(db):
    for letter in "ab":
        add_row(db, "daily_usage", letter=letter, date=DAY)

    with pytest.raises(ConstraintBroken, match="daily_usage_pkey"):
        add_row(db, "daily_usage", date=DAY)
    assert count_rows(db, "daily_usage") == 2


def test_as_described_a_metered_job_cannot_be_deleted(scratch):
    scratch.executescript("""
        PRAGMA foreign_keys = ON;
        CREATE TABLE jobs (id TEXT PRIMARY KEY);
        CREATE TABLE usage_records (job_id TEXT REFERENCES jobs(id), cost_usd DECIMAL(10, 6) NOT NULL);
        INSERT INTO jobs VALUES ('job');
        INSERT INTO usage_records VALUES ('job', 0.5);
    """)

    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        scratch.execute("DELETE FROM jobs")


def test_a_metered_job_is_deleted_with_its_files_and_what_it_used_is_still_known(db):
    add_all(db)

    db.prepare("DELETE FROM story_jobs").run()

    assert count_rows(db, "story_job_files") == 0
    assert db.prepare("SELECT job_id FROM usage_records").raw() == [("story_a",)]


def test_as_described_an_hour_ago_is_later_than_now(scratch):
    earlier, now = "2025-12-17T09:00:00Z", "2025-12-17 10:00:00"

    assert scratch.execute("SELECT ? > datetime(?)", (earlier, now)).fetchone() == (1,)


@pytest.mark.parametrize("ago", [timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1)])
def test_what_expired_a_while_ago_has_expired(db, ago):
    add_row(db, "enrichment_cache", expires_at=NOW - ago)

    assert cache.find(db, "harbour-bakery-a", lookup_type="website", now=NOW) is None
    assert cache.find(db, "harbour-bakery-a", lookup_type="website", now=NOW - 2 * ago)


def test_every_time_of_the_schema_takes_part_in_the_order_of_time(db):
    """A whole second and a fraction of one are written alike, so neither sorts before its time."""
    add_tenant(db)
    for number, fraction in enumerate((timedelta(0), timedelta(microseconds=1), timedelta(seconds=1))):
        add_row(db, "projects", id=f"project_{number}", created_at=NOW + fraction)

    ordered = db.prepare("SELECT id FROM projects ORDER BY created_at").raw()

    assert ordered == [("project_0",), ("project_1",), ("project_2",)]


def test_as_described_sqlite_takes_children_without_a_parent(scratch):
    scratch.executescript("""
        CREATE TABLE jobs (id TEXT PRIMARY KEY);
        CREATE TABLE job_files (job_id TEXT NOT NULL REFERENCES jobs(id));
        INSERT INTO job_files VALUES ('nobody');
    """)

    assert scratch.execute("SELECT COUNT(*) FROM job_files").fetchone() == (1,)


def test_no_connection_takes_a_child_without_a_parent(db):
    def add_orphan(number):
        with pytest.raises(ConstraintBroken):
            add_row(db, "story_job_files", id=f"file_{number}", job_id="nobody")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_orphan, range(8)))

    assert count_rows(db, "story_job_files") == 0
