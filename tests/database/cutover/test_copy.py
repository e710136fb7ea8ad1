"""From SQLite to PostgreSQL: all that was there arrives, and both sides are shown to be equal."""

import pytest

from millrace.command.line import main
from millrace.migrations.cutover.session import open_session


def test_every_row_of_every_table_arrives_as_it_was(move):
    tables = move.fill(rows=10)

    report = move.copy()

    assert [table.name for table in report.tables if table.read == 0] == []
    assert {table.name for table in report.tables} == set(tables)
    assert (report.rejected, report.differing) == (0, [])
    assert move.contents(move.target) == move.contents(move.source)
    assert not move.has_marks()
    assert not move.rejects.exists()


def test_tables_are_copied_after_those_they_refer_to(move):
    report = move.copy()

    order = [table.name for table in report.tables]
    assert order.index("tenants") < order.index("sites") < order.index("leads")
    assert order.index("lead_ai_evaluations") < order.index("ai_evaluation_jobs")


def test_what_was_converted_is_counted(move):
    move.fill(rows=10)

    report = move.copy()

    tenants, keys = (next(t for t in report.tables if t.name == name) for name in ("tenants", "api_keys"))
    assert tenants.counted == {"times": 20}
    assert keys.counted["JSON documents"] == 10
    assert any("booleans" in line for line in report.lines())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2025-12-17 10:00:00", "2025-12-17T10:00:00.000000Z"),
        ("2025-12-17T10:00:00.5", "2025-12-17T10:00:00.500000Z"),
        ("2025-12-17T10:00:00.000001+02:00", "2025-12-17T08:00:00.000001Z"),
        ("2025-12-17", "2025-12-17T00:00:00.000000Z"),
        ("0987-01-02T03:04:05.000006Z", "0987-01-02T03:04:05.000006Z"),
    ],
)
def test_a_time_that_names_no_zone_is_utc(move, written, read):
    move.fill(rows=1)
    move.spoil("UPDATE tenants SET created_at = ?", written)

    report = move.copy()

    found = move.target.open(role=None).prepare(
        """SELECT to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at FROM tenants"""
    )
    assert found.first("created_at") == read
    assert report.differing == []


AWKWARD_TEXTS = [
    "".join(map(chr, range(1, 0x100))),
    "\\N",
    "\\.",
    "",
    "a\\tb\tc\r\n\u2028\u00a0\ufeff\uffff\U0010ffff",
]
AWKWARD_DOCUMENTS = [
    '{"b": 1.0, "a": [1e2, 100, 1E+22, -0.0, 1e-7, 0.1, 123456789012345678901234567890, 1.50]}',
    r'["\u00e9\ud83c\udfe0 \"\\ \/ \b\f\n\r\t \u001f \\u0000"]',
    '{"twice": 1, "twice": 2}',
    " [ ] ",
    '{"": {"": [[], {}, null, true, false, ""]}}',
    "12",
]
AWKWARD_NUMBERS = [0.1, -0.0, 1e22, 5e-324, 1.7976931348623157e308, 1e16, 123456789.0]


def test_awkward_values_arrive_and_compare_equal(move):
    move.fill(rows=10)
    for place, text in enumerate(AWKWARD_TEXTS):
        move.spoil("UPDATE leads SET first_name = ? WHERE id = ?", text, f"leads-{place}")
    for place, text in enumerate(AWKWARD_DOCUMENTS):
        move.spoil("UPDATE job_events SET detail = ? WHERE id = ?", text, f"job_events-{place}")
    for place, number in enumerate(AWKWARD_NUMBERS):
        move.spoil(
            "UPDATE email_templates SET success_rate = ? WHERE id = ?", number, f"email_templates-{place}"
        )
    move.spoil("UPDATE leads SET monthly_rent_microusd = ? WHERE id = 'leads-7'", 2**63 - 1)

    report = move.copy()

    assert (report.rejected, report.differing) == (0, [])
    copied = move.contents(move.target)
    assert copied["leads"] == move.contents(move.source)["leads"]
    assert copied["email_templates"] == move.contents(move.source)["email_templates"]


def test_what_the_migrations_put_there_is_replaced(move):
    move.spoil("UPDATE settings SET value = 'another' WHERE key = 'llm_model'")
    move.spoil("DELETE FROM settings WHERE key = 'llm_provider'")

    report = move.copy()

    assert report.differing == []
    assert move.contents(move.target) == move.contents(move.source)


def test_verifying_says_that_both_sides_are_equal(move):
    move.fill(rows=5)
    move.copy()

    assert move.verify().differing == []


def test_the_server_does_not_hang_up_while_only_the_source_is_read(move):
    name = move.target.url.rpartition("/")[2]
    move.edit_target(f"ALTER DATABASE {name} SET idle_session_timeout = '290s'")

    with open_session(move.target.url) as session:
        assert session.execute("SHOW idle_session_timeout") == [["0"]]


def test_the_command_rehearses_copies_and_verifies(move, capsys):
    move.fill(rows=2)
    sides = ["copy", "--from", move.source.url, "--to", move.target.url, "--rejects", str(move.rejects)]

    codes = [main([*sides, "--dry-run"]), main(sides), main([*sides, "--verify-only"]), main(sides)]

    said = capsys.readouterr()
    assert codes == [0, 0, 0, 1]
    assert said.out.count("Every table has the same rows and the same hash on both sides.") == 2
    assert "millrace: the target holds rows that its migrations did not put there" in said.err
    assert "copying leads" in said.err


def test_the_source_may_be_written_with_one_slash_more(move):
    move.source.url = move.source.url.replace("sqlite:///", "sqlite:////")

    assert move.copy().differing == []


def test_a_chunk_has_rows(move, capsys):
    with pytest.raises(SystemExit) as refusal:
        main(["copy", "--from", move.source.url, "--to", move.target.url, "--chunk-rows", "0"])

    assert refusal.value.code == 2
    assert "it must be 1 or more" in capsys.readouterr().err


CHANGES = [
    ("tenants", "UPDATE tenants SET name = name || ' ' WHERE id = 'tenants-3'"),
    ("leads", "UPDATE leads SET monthly_rent_microusd = monthly_rent_microusd + 1 WHERE id = 'leads-0'"),
    ("leads", "UPDATE leads SET created_at = created_at + INTERVAL '1 microsecond' WHERE id = 'leads-0'"),
    ("leads", "UPDATE leads SET phone = NULL WHERE id = 'leads-0'"),
    ("job_events", "UPDATE job_events SET detail = jsonb_set(detail, '{list,0}', 'false')"),
    ("email_templates", "UPDATE email_templates SET is_active = NOT is_active WHERE usage_count = 1"),
    ("job_events", "DELETE FROM job_events WHERE id = 'job_events-4'"),
    ("job_events", "INSERT INTO job_events SELECT 'another', tenant_id, job_id, kind, attempt, move, detail,"
     " created_at FROM job_events WHERE id = 'job_events-4'"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "change"), CHANGES)
def test_a_single_changed_value_is_found(move, table, change):
    move.fill(rows=5)
    move.copy()
    move.edit_target(change)

    report = move.verify()

    assert report.differing == [table]
    lines = list(report.lines())
    assert f"DIFFERENT: {table}." in lines
    assert "make the target anew (docs/cutover.md) and copy again" in lines[-1]
