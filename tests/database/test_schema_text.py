"""Reading a schema out of the statements it was made with."""

from millrace.migrations.opening import opened
from millrace.migrations.schema_sqlite import read_schema, tidy


def schema_of(*statements):
    with opened("sqlite:///nowhere/at-all.db", for_reading=True) as target:
        for statement in statements:
            target.execute(statement)
        return read_schema(target)


def test_a_table_falls_into_columns_and_rules():
    schema = schema_of("""
        CREATE TABLE beds (
          id TEXT PRIMARY KEY, -- who, and
          "wide" BOOLEAN NOT NULL DEFAULT (1 = 1),
          note TEXT DEFAULT 'a, (b',
          CONSTRAINT note_is_short CHECK ( length(note) < 9 AND note <> 'x,y' ),
          FOREIGN KEY (note) REFERENCES notes(id)
        ) WITHOUT ROWID
    """)

    assert schema == {
        "table beds": "WITHOUT ROWID",
        "column beds.id": "TEXT PRIMARY KEY",
        "column beds.wide": "BOOLEAN NOT NULL DEFAULT (1 = 1)",
        "column beds.note": "TEXT DEFAULT 'a, (b'",
        "constraint beds.note_is_short": "CHECK (length(note) < 9 AND note <> 'x,y')",
        "constraint beds: FOREIGN KEY (note) REFERENCES notes(id)": "",
    }


def test_an_added_column_is_read_like_one_that_was_there():
    added = schema_of("CREATE TABLE beds (id TEXT)", "ALTER TABLE beds ADD COLUMN wide BOOLEAN")

    assert added == schema_of("CREATE TABLE beds (id TEXT, wide   BOOLEAN)")


def test_a_table_whose_name_begins_almost_as_sqlites_own_is_read():
    assert "table sqlitex_extra" in schema_of("CREATE TABLE sqlitex_extra (id TEXT)")


def test_what_is_made_on_top_of_tables_is_read_whole():
    schema = schema_of(
        "CREATE TABLE beds (id TEXT)",
        "CREATE INDEX wide_beds  ON beds(id) -- soon\n WHERE id = 'a  b'",
        "CREATE VIEW all_beds AS SELECT id FROM beds",
    )

    assert schema["index wide_beds"] == "CREATE INDEX wide_beds ON beds(id) WHERE id = 'a  b'"
    assert schema["view all_beds"] == "CREATE VIEW all_beds AS SELECT id FROM beds"


def test_comments_and_spaces_make_no_difference():
    assert tidy("a  (\n b , c ) /* why */ -- so\n 'd  -- e'") == "a (b, c) 'd  -- e'"
