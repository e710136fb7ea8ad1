"""What cannot be copied is named, with the reason; the rest arrives."""

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
