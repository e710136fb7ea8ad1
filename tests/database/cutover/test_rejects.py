"""What cannot be copied is named, with the reason; the rest arrives."""

import pytest

from millrace.errors import CutoverRefused
from millrace.migrations.cutover.session import Session
from tests import cutover_bed
from tests.cutover_bed import read_rejects

WRONG_VALUES = [
    ("leads", "ai_score", "ninety", "text in an integer column"),
    ("leads", "ai_score", 2**31, "out of range for an integer of 32 bits"),
    ("leads", "ai_score", 1.5, "a number with decimals in an integer column"),
    ("leads", "monthly_rent_microusd", 5.5, "a number with decimals in an integer column"),
    ("leads", "monthly_rent_microusd", 1e300, "a number with decimals in an integer column"),
    ("leads", "first_name", "nul\x00", "text with U+0000"),
    ("leads", "first_name", b"\xff", "bytes in a text column"),
    ("leads", "created_at", "yesterday", "not a time"),
    ("leads", "created_at", "2025-12-17T24:00:00.000000Z", "not a time"),
    ("leads", "created_at", 1734429600, "a whole number in a column of times"),
    ("leads", "created_at", "2025-13-01T00:00:00.000000Z", "not a time"),
    ("leads", "created_at", "2025-12-17T10:00:00.1234567Z", "not a time of at most six decimals"),
    ("leads", "move_in_date", "17.12.2025", "not a date"),
    ("job_events", "detail", "{'a': 1}", "not JSON"),
    ("job_events", "detail", '["\\u0000"]', "JSON with U+0000"),
    ("job_events", "detail", '["\\ud800"]', "not valid Unicode"),
    ("job_events", "detail", "[NaN]", "NaN is not JSON"),
    ("job_events", "detail", "[1e400]", "not JSON"),
    ("email_templates", "is_active", 7, "neither 0 nor 1"),
    ("email_templates", "success_rate", "much", "text in a column of floating-point numbers"),
    ("leads", "site_id", "nowhere", "23503"),
    ("leads", "ai_score", 101, "lead_score_in_range"),
]


def test_every_row_that_cannot_be_copied_is_named_with_its_reason(move):
    move.fill(rows=len(WRONG_VALUES) + 5)
    for rowid, (table, column, value, _) in enumerate(WRONG_VALUES, start=1):
        move.spoil(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", value, rowid)

    report = move.copy()

    reasons = {(reject["table"], reject["rowid"]): reject["reason"] for reject in read_rejects(move)}
    for rowid, (table, _, _, reason) in enumerate(WRONG_VALUES, start=1):
        assert reason in reasons.get((table, rowid), "copied")
    assert len(reasons) == report.rejected == len(read_rejects(move))
    assert report.differing == []
    assert all(table.read == table.copied.rows + table.rejected for table in report.tables)
    assert move.rejects.stat().st_mode & 0o777 == 0o600


def test_a_reject_says_which_column_and_holds_the_whole_row(move):
    move.fill(rows=1)
    move.spoil("UPDATE api_keys SET name = CAST(x'41ff42' AS TEXT), key_hash = x'00ff'")

    move.copy()

    [reject] = read_rejects(move)
    assert (reject["table"], reject["column"]) == ("api_keys", "key_hash")
    assert reject["row"]["key_hash"] == {"hex": "00ff"}
    assert reject["row"]["name"] == "A\udcffB"
    assert reject["row"]["id"] == "api_keys-0"


def test_what_refers_to_a_rejected_row_is_rejected_too(move):
    move.fill(rows=4)
    move.spoil("UPDATE sites SET created_at = 'never' WHERE id = 'sites-2'")

    report = move.copy()

    rejected = {table.name: table.rejected for table in report.tables if table.rejected}
    assert {"sites", "leads", "lead_documents", "ai_evaluation_jobs"} <= set(rejected)
    assert set(rejected.values()) == {1}
    assert report.differing == []


def test_a_dry_run_writes_nothing_but_the_rejects(move):
    move.fill(rows=4)
    move.spoil("UPDATE leads SET ai_score = 'ninety' WHERE rowid = 2")
    before = move.contents(move.target)

    report = move.rehearse()

    assert move.contents(move.target) == before
    assert not move.has_marks()
    assert [reject["rowid"] for reject in read_rejects(move)] == [2]
    assert report.rejected == 1


def test_after_a_clean_run_no_older_rejects_are_left(move):
    move.fill(rows=2)
    move.spoil("UPDATE leads SET ai_score = 'ninety' WHERE rowid = 2")
    move.rehearse()
    move.spoil("UPDATE leads SET ai_score = 90 WHERE rowid = 2")

    move.copy()

    assert list(move.rejects.parent.glob("rejects*")) == []


def test_rejects_that_cannot_be_written_down_are_refused_before_anything_is_copied(move):
    move.fill(rows=2)
    before = move.contents(move.target)
    move.rejects.mkdir()

    with pytest.raises(CutoverRefused, match="the rejects cannot be written to"):
        move.copy()

    assert move.contents(move.target) == before
    assert not move.has_marks()


def test_a_rejected_parent_costs_its_children_no_search_for_them(move, monkeypatch):
    monkeypatch.setattr(cutover_bed, "CHUNK_ROWS", 1_000)
    move.fill(rows=60)
    move.spoil("UPDATE sites SET created_at = 'never' WHERE id = 'sites-2'")
    move.spoil("UPDATE leads SET site_id = 'sites-2' WHERE rowid <= 50")
    move.spoil("UPDATE leads SET ai_score = 101 WHERE rowid = 60")
    said = []
    copy_in = Session.copy_in
    monkeypatch.setattr(
        Session, "copy_in", lambda self, sql, lines: (said.append(sql), copy_in(self, sql, lines))
    )

    report = move.copy()

    assert [table.rejected for table in report.tables if table.name == "leads"] == [51]
    assert report.differing == []
    # Once as they are, and the ten that are left, in halves around the one that breaks a rule.
    assert len([sql for sql in said if sql.startswith('COPY "leads"')]) < 12
    lead = next(reject for reject in read_rejects(move) if reject["table"] == "leads")
    assert (lead["column"], lead["reason"]) == (
        "site_id",
        "23503: nothing in sites has this site_id (leads_site_id_fkey)",
    )


def reject_a_lead(move):
    """What only the target can refuse, and all that refers to it."""
    move.fill(rows=4)
    move.spoil("UPDATE leads SET site_id = 'nowhere', first_name = CAST(x'41e9' AS TEXT) WHERE rowid = 1")
    move.spoil("UPDATE leads SET site_id = 'nowhere' WHERE rowid = 3")
    return move.copy()


def test_verifying_knows_what_the_copy_rejected(move):
    copied = reject_a_lead(move)

    verified = move.verify()

    assert verified.differing == []
    assert [table.rejected for table in verified.tables] == [table.rejected for table in copied.tables]


def test_a_rejected_row_that_was_mended_afterwards_is_a_difference(move):
    reject_a_lead(move)
    move.spoil("UPDATE leads SET site_id = 'sites-2' WHERE rowid = 3")

    assert move.verify().differing == ["leads"]


def test_a_rejected_row_that_came_to_the_target_is_a_difference(move):
    reject_a_lead(move)
    move.edit_target(
        "INSERT INTO leads SELECT (jsonb_populate_record(there, jsonb_build_object('id', 'leads-2'))).*"
        " FROM leads there LIMIT 1"
    )

    assert move.verify().differing == ["leads"]


def test_verifying_refuses_rejects_that_cannot_be_read(move):
    reject_a_lead(move)
    move.rejects.write_text('{"table": "leads", "rowid": 1, "col')

    with pytest.raises(CutoverRefused, match="no rejects file"):
        move.verify()


def test_rejects_are_told_with_the_way_out(move):
    report = reject_a_lead(move)

    assert any("mend them in the source, make the target anew" in line for line in report.lines())
