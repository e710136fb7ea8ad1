"""The row models say what the tables are: the same columns, types and words, on both databases."""

import re
from datetime import date
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime

from millrace.domain.rows import TABLES
from millrace.store.schema import list_tables
from tests.database.live_schema import Column, columns_of
from tests.databases import on_sqlite
from tests.valid_rows import add_all, rows_of

SQL_TYPES: dict[Any, set[str]] = {
    str: {"TEXT"},
    int: {"INTEGER", "BIGINT"},
    float: {"DOUBLE PRECISION"},
    bool: {"BOOLEAN"},
    AwareDatetime: {"TIMESTAMPTZ"},
    date: {"DATE"},
    dict: {"JSONB"},
    list: {"JSONB"},
    Literal: {"TEXT"},
}


def without_none(annotation: Any) -> tuple[Any, bool]:
    """The type itself, and whether None is one of its values."""
    if get_origin(annotation) in (Union, UnionType):
        (kind,) = (part for part in get_args(annotation) if part is not type(None))
        return kind, True
    return annotation, False


def said_of(column: Column, annotation: Any) -> bool:
    kind, nullable = without_none(annotation)
    return column.type in SQL_TYPES[get_origin(kind) or kind] and column.nullable == nullable


def test_there_is_a_model_for_every_table(database):
    assert list_tables(database.open()) == sorted(TABLES)


def test_a_table_whose_name_begins_almost_as_sqlites_own_is_listed(database):
    owner = database.open(role=None)
    owner.prepare("CREATE TABLE sqlitex_extra (id TEXT)").run()

    assert "sqlitex_extra" in list_tables(owner)


def test_a_model_has_the_columns_types_and_nulls_of_its_table(database):
    for table, model in TABLES.items():
        columns = columns_of(database, table)
        fields = {name: field.annotation for name, field in model.model_fields.items()}

        assert sorted(fields) == sorted(columns)
        assert [name for name in columns if not said_of(columns[name], fields[name])] == [], table


def test_a_row_of_every_table_is_read_as_its_model(db):
    add_all(db)

    for table in rows_of("a"):
        row = db.prepare(f"SELECT * FROM {table}").first()
        assert TABLES[table].model_validate(dict(row)).model_dump() == dict(row)


def closed_lists():
    """Every field that takes only certain words, and the words."""
    for table, model in TABLES.items():
        for name, field in model.model_fields.items():
            kind, _ = without_none(field.annotation)
            if get_origin(kind) is Literal:
                yield table, name, list(get_args(kind))


@on_sqlite
def test_a_model_knows_the_same_words_as_its_tables_check(database):
    made_by = database.open().prepare("SELECT sql FROM sqlite_master WHERE name = ?1")

    for table, name, words in closed_lists():
        (listed,) = re.findall(rf"CHECK \(\s*{name} IN \(([^)]*)\)\s*\)", made_by.bind(table).first("sql"))
        assert re.findall(r"'(\w+)'", listed) == words, f"{table}.{name}"
