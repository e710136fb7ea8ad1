"""What a migration file may look like, and how it falls into statements."""

import pytest

from millrace.errors import MigrationInvalid
from millrace.migrations.files import read_file, read_folder, split
from millrace.migrations.new import create

UP_AND_DOWN = "-- migrate:up\nCREATE TABLE beds (id TEXT);\n-- migrate:down\nDROP TABLE beds;\n"


def write(folder, name, text=UP_AND_DOWN):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("beds.sql", UP_AND_DOWN, "is called NNNN_what_it_does.sql"),
        ("0001_beds.sql", "CREATE TABLE beds (id TEXT);", "needs a line '-- migrate:up'"),
        ("0001_beds.sql", "-- migrate:down\n-- migrate:up\n", "needs a line '-- migrate:up'"),
        (
            "0001_beds.sql",
            UP_AND_DOWN.replace("DROP", "COMMIT;\nDROP"),
            r"line 4: the runner begins and ends",
        ),
        ("0001_beds.sql", UP_AND_DOWN.replace("up", "up transaction:false"), "for a file in migrations/post"),
        ("0001_beds.sql", f"CREATE TABLE chairs (id TEXT);\n{UP_AND_DOWN}", "nothing but comments may stand"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused_by_name(tmp_path, name, text, complaint):
    path = write(tmp_path, name, text)

    with pytest.raises(MigrationInvalid, match=f"{name}.*{complaint}"):
        read_file(path, dialect="sqlite")


def test_outside_a_transaction_a_section_has_one_statement(tmp_path):
    text = "-- migrate:up transaction:false\nSELECT 1;\nSELECT 2;\n-- migrate:down\nSELECT 3;\n"

    with pytest.raises(MigrationInvalid, match="a single statement"):
        read_file(write(tmp_path, "0001_beds.sql", text), dialect="postgres")


@pytest.mark.parametrize(
    "named",
    ["ON beds(id)", "rooms.beds_by_id ON beds(id)", "beds_by_id ON rooms.beds(id)", '"a"."b" ON beds(id)'],
)
def test_an_index_that_could_not_be_found_again_is_not_built_outside_a_transaction(tmp_path, named):
    path = write_index(tmp_path, f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {named}")

    with pytest.raises(MigrationInvalid, match=r"0001_index\.sql, line 3: .*IF NOT EXISTS name ON table"):
        read_file(path, dialect="postgres")


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS beds_by_id ON beds(id)", "beds_by_id"),
        ('create unique index concurrently /* so */ if not exists "Beds" on only "beds" (id)', '"Beds"'),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS by_id ON beds USING brin (id)", "by_id"),
        ("DROP INDEX CONCURRENTLY IF EXISTS beds_by_id", None),
    ],
)
def test_an_index_built_outside_a_transaction_is_known_by_its_name(tmp_path, statement, index):
    assert read_file(write_index(tmp_path, statement), dialect="postgres").up.index == index


def write_index(folder, statement):
    text = f"-- migrate:up transaction:false\n\n{statement};\n-- migrate:down\nDROP INDEX beds_by_id;\n"
    return write(folder, "0001_index.sql", text)


def test_comments_may_stand_before_the_first_half(tmp_path):
    text = f"-- Why.\n/* How. */\n\n{UP_AND_DOWN}"

    assert len(read_file(write(tmp_path, "0001_beds.sql", text), dialect="sqlite").up.steps) == 1


def test_a_file_that_is_not_in_utf_8_is_refused_by_name(tmp_path):
    path = write(tmp_path, "0001_beds.sql")
    path.write_bytes(b"-- B\xe4tten\n" + path.read_bytes())

    with pytest.raises(MigrationInvalid, match=r"0001_beds\.sql: it is not in UTF-8 \(at byte 5\)"):
        read_file(path, dialect="sqlite")


def test_two_files_with_one_number_are_refused(tmp_path):
    write(tmp_path, "0001_beds.sql")
    write(tmp_path, "sqlite/0001_chairs.sql")

    with pytest.raises(MigrationInvalid, match="have the same number"):
        read_folder(tmp_path, dialect="sqlite")


def test_a_folder_without_migrations_is_no_schema(tmp_path):
    with pytest.raises(MigrationInvalid, match="no migration in"):
        read_folder(tmp_path / "mistyped", dialect="sqlite")


def test_a_statement_knows_the_line_it_begins_on_in_its_file(tmp_path):
    text = "-- migrate:up\n\n-- Why.\n\nSELECT 1;\nSELECT\n  2;\n\n-- migrate:down\nSELECT 3;\n"

    file = read_file(write(tmp_path, "0001_beds.sql", text), dialect="sqlite")

    assert [(step.sql, step.line) for step in file.up.steps] == [("SELECT 1;", 5), ("SELECT\n  2;", 6)]
    assert [(step.sql, step.line) for step in file.down.steps] == [("SELECT 3;", 10)]


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT ';';",
        'SELECT ";";',
        "SELECT 1 -- one; it's\n + 1;",
        "SELECT 1 /* one; */ + 1;",
        "SELECT 1",
    ],
)
def test_a_semicolon_in_quotes_or_comments_ends_nothing(dialect, statement):
    assert [step.sql for step in split(statement, dialect=dialect)] == [statement]


def test_a_semicolon_between_dollars_ends_nothing():
    statement = "DO $$ BEGIN PERFORM 1; END $$;"

    assert [step.sql for step in split(f"{statement} SELECT 1;", dialect="postgres")] == [
        statement,
        "SELECT 1;",
    ]


def test_a_semicolon_in_the_body_of_a_function_ends_nothing():
    statement = """CREATE FUNCTION wide(bed TEXT) RETURNS BOOLEAN LANGUAGE sql BEGIN ATOMIC
      SELECT CASE bed WHEN 'it;s' THEN true ELSE false END; -- END;
      SELECT CASE bed WHEN 'a' THEN true END;
    END;"""

    assert [step.sql for step in split(f"{statement} SELECT 1;", dialect="postgres")] == [
        statement,
        "SELECT 1;",
    ]


def test_a_comment_alone_is_no_statement():
    assert list(split("-- Nothing to do here;\n", dialect="sqlite")) == []


def test_a_new_file_has_the_next_number_of_all_folders(tmp_path):
    write(tmp_path, "0001_beds.sql")
    write(tmp_path, "postgres/0007_chairs.sql")

    path = create("Add rent to leads", folder=tmp_path)

    assert path == tmp_path / "0008_add_rent_to_leads.sql"
    assert read_file(path, dialect="sqlite").up.steps == ()
    assert create("policies", folder=tmp_path, only_for="postgres").parent == tmp_path / "postgres"


def test_a_new_file_needs_a_name(tmp_path):
    with pytest.raises(MigrationInvalid, match="name the migration by what it does"):
        create("?!", folder=tmp_path)
