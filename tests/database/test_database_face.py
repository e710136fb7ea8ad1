"""`env.DB` keeps D1's promises, and keeps the same ones on SQLite and on PostgreSQL."""

from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

import pytest

from millrace.errors import StatementInvalid, UnknownColumn, ValueNotStorable, ValueUnreadable
from tests.database.things import AT, add, ids, make_things, one
from tests.databases import on_postgres, on_sqlite


@pytest.fixture
def db(database):
    """As its owner, who may make tables."""
    return database.open(role=None)


@pytest.fixture
def things(db):
    return make_things(db)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("whole", None),
        ("whole", 0),
        ("whole", 2**63 - 1),
        ("whole", -(2**63)),
        ("part", 0.1),
        ("part", -1e300),
        ("yes", True),
        ("yes", False),
        ("id", "Ünïcode ✓ 'quoted' \"twice\" \\ ?1 $1"),
        ("id", ""),
        ("raw", b"\x00\xff?1"),
        ("raw", b""),
        ("at", AT),
        ("day", date(2024, 2, 29)),
        ("facts", {"a": [1, 2.5, None, True, "é"], "b": {}}),
        ("facts", []),
    ],
    ids=repr,
)
def test_a_value_comes_back_as_it_went_in(things, column, value):
    columns = {} if column == "id" else {column: value}
    add(things, value if column == "id" else "a", **columns).run()

    found = one(things, column)

    assert found == value
    assert type(found) is type(value)


def test_a_time_of_another_zone_comes_back_in_utc(things):
    add(things, "a", at=AT.astimezone(timezone(timedelta(hours=-7)))).run()

    assert one(things, "at") == AT
    assert one(things, "at").utcoffset() == timedelta(0)


def test_times_are_ordered_and_compared_as_times(things):
    add(things, "late", at=AT + timedelta(microseconds=1)).run()
    add(things, "early", at=AT.replace(microsecond=0)).run()

    rows = things.prepare("SELECT id FROM things WHERE at <= ?1 ORDER BY at").bind(AT).raw()

    assert rows == [("early",)]


def test_an_aggregate_of_times_is_a_time_when_its_name_says_so(things):
    add(things, "a", at=AT).run()

    newest = things.prepare('SELECT MAX(at) AS "newest [TIMESTAMPTZ]" FROM things')

    assert newest.first("newest") == AT


def test_an_object_can_be_built_in_sql(things):
    add(things, "a", whole=7).run()

    built = things.prepare(
        """SELECT jsonb_build_object('id', id, 'n', whole) AS "facts [JSONB]" FROM things"""
    )

    assert built.first("facts") == {"id": "a", "n": 7}


def test_an_enumeration_of_texts_is_stored_as_its_text(things):
    class Colour(StrEnum):
        RED = "red"

    add(things, Colour.RED).run()

    assert ids(things) == ["red"]


@pytest.mark.parametrize(
    "value",
    [
        datetime(2025, 1, 1),  # noqa: DTZ001 - a time without a zone is the point
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))),
        2**63,
        float("nan"),
        float("inf"),
        "nul \x00",
        "half \ud800",
        {"nul": "\x00"},
        {"not": {1, 2}},
        {"nan": float("nan")},
        (1, 2),
        pytest.param(object(), id="an object"),
    ],
    ids=repr,
)
def test_a_value_that_would_not_mean_the_same_on_both_is_refused_before_it_is_sent(things, value):
    with pytest.raises(ValueNotStorable, match="value 1"):
        things.prepare("SELECT ?1").bind(value)


def test_text_that_only_looks_like_an_escaped_nul_is_stored(things):
    add(things, "a", facts={"path": "C:\\u0000"}).run()

    assert one(things, "facts") == {"path": "C:\\u0000"}


def test_numbered_places_repeat_and_come_in_any_order(db):
    row = db.prepare("SELECT ?2 AS b, ?1 AS a, ?2 || ?1 AS both").bind("x", "y").first()

    assert dict(row) == {"b": "y", "a": "x", "both": "yx"}


def test_plain_places_count_up(db):
    assert db.prepare("SELECT ? AS a, ? AS b, ?1 AS again").bind("x", "y").raw() == [("x", "y", "x")]


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT '?1 it''s ?' || ?1", "?1 it's ?x"),
        ('SELECT ?1 AS "?2"', "x"),
        ("SELECT ?1 -- ?2 and 'a quote", "x"),
        ("SELECT /* ?2 ' */ ?1", "x"),
        ("SELECT ?1||'?'", "x?"),
    ],
)
def test_question_marks_in_strings_names_and_comments_are_left_alone(db, sql, answer):
    assert db.prepare(sql).bind("x").raw() == [(answer,)]


def test_binding_makes_a_new_statement_and_leaves_the_old_one_as_it_was(db):
    select = db.prepare("SELECT ?1 AS a")

    first, second = select.bind("x"), select.bind("y")

    assert (first.first("a"), second.first("a"), select.values) == ("x", "y", ())


@pytest.mark.parametrize("values", [(), ("x",), ("x", "y", "z")])
def test_too_few_or_too_many_values_are_refused(db, values):
    with pytest.raises(StatementInvalid, match="takes 2 values"):
        db.prepare("SELECT ?1, ?2").bind(*values)


def test_a_statement_that_wants_values_cannot_run_without(db):
    with pytest.raises(StatementInvalid, match="0 of 1 values"):
        db.prepare("SELECT ?1").run()


def test_first_is_the_first_row_or_one_column_of_it_or_none(things):
    add(things, "a", whole=1).run()
    add(things, "b", whole=2).run()
    rows = things.prepare("SELECT id, whole FROM things WHERE whole >= ?1 ORDER BY id")

    assert dict(rows.bind(1).first()) == {"id": "a", "whole": 1}
    assert rows.bind(2).first("id") == "b"
    assert rows.bind(3).first() is None
    assert rows.bind(3).first("id") is None


def test_an_unknown_column_is_an_error_and_never_none(things):
    add(things, "a").run()
    row = things.prepare("SELECT id FROM things").first()

    with pytest.raises(UnknownColumn, match="no column 'size'; there are id"):
        row["size"]
    with pytest.raises(UnknownColumn):
        row.get("size")
    with pytest.raises(UnknownColumn):
        things.prepare("SELECT id FROM things").first("size")


def test_a_row_knows_which_columns_it_has(things):
    add(things, "a").run()
    row = things.prepare("SELECT id FROM things").first()

    assert "id" in row
    assert "size" not in row


def test_raw_gives_tuples_and_all_gives_rows_by_name(things):
    add(things, "a", whole=1).run()
    select = things.prepare("SELECT id, whole FROM things")

    assert select.raw() == [("a", 1)]
    assert [dict(row) for row in select.all().results] == [{"id": "a", "whole": 1}]


def test_meta_counts_the_rows_written_and_none_for_a_read(things):
    assert add(things, "a").run().meta.changes == 1
    assert add(things, "b").run().meta.changes == 1

    assert things.prepare("SELECT id FROM things").all().meta.changes == 0
    assert things.prepare("UPDATE things SET size = 1").run().meta.changes == 2
    assert things.prepare("UPDATE things SET size = 1 RETURNING id").run().meta.changes == 2
    gone = things.prepare("WITH x AS (SELECT 'a' AS id) DELETE FROM things WHERE id IN (SELECT id FROM x)")
    assert gone.run().meta.changes == 1
    assert things.prepare("DELETE FROM things WHERE id = 'nobody'").run().meta.changes == 0
    assert things.prepare("SELECT 1 AS one").all().meta.duration > 0


def test_meta_counts_nothing_for_what_writes_no_row(things):
    add(things, "a").run()

    assert things.prepare("CREATE TABLE others (id TEXT)").run().meta.changes == 0
    assert things.prepare("ALTER TABLE others ADD COLUMN size INTEGER").run().meta.changes == 0
    assert things.prepare("DROP TABLE others").run().meta.changes == 0
    assert things.prepare("-- nothing").run().meta.changes == 0


@on_postgres
def test_a_column_of_a_type_that_sqlite_has_not_is_unreadable_and_its_batch_is_done(things):
    unreadable = things.prepare("INSERT INTO things (id) VALUES ('a') RETURNING 1.5::numeric AS price")

    with pytest.raises(ValueUnreadable, match="column price"):
        unreadable.run()

    assert ids(things) == ["a"]


@on_sqlite
@pytest.mark.parametrize("column", ["facts", "at", "day"])
def test_text_that_only_sqlite_takes_for_a_value_is_unreadable(things, column):
    things.prepare(f"INSERT INTO things (id, {column}) VALUES ('a', 'a secret')").run()

    with pytest.raises(ValueUnreadable, match="holds what is none") as unreadable:
        one(things, column)

    assert unreadable.value.__cause__ is None
    assert "a secret" not in str(unreadable.value)


def test_returning_answers_with_typed_rows(things):
    row = (
        things.prepare("""
        INSERT INTO things (id, at, yes, facts) VALUES (?1, ?2, ?3, ?4) RETURNING *
    """)
        .bind("a", AT, True, {"k": 1})
        .first()
    )

    assert (row["at"], row["yes"], row["facts"], row["whole"]) == (AT, True, {"k": 1}, None)
