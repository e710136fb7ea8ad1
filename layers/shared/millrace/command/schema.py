"""`millrace schema …`: a database's schema as text to read or to compare."""

import argparse

from millrace import migrations
from millrace.command.migrations import login_of
from millrace.command.options import Commands, add_command, add_database, add_noun, open_env
from millrace.errors import MigrationInvalid
from millrace.migrations.targets import Schema


def add_to(commands: Commands) -> None:
    schema = add_noun(commands, "schema", says="print the schema that a database has")
    listing = add_command(
        schema, "list", run=run_list, says="print every table, column, rule, index and view, a line each"
    )
    drawing = add_command(
        schema,
        "draw",
        run=run_draw,
        says="print the schema as Markdown with a diagram",
        more="From a SQLite database; docs/schema.md is made of it.",
    )
    for printing in (listing, drawing):
        add_database(printing)


def run_list(given: argparse.Namespace) -> int:
    print(migrations.to_text(read(given)), end="")
    return 0


def run_draw(given: argparse.Namespace) -> int:
    if not open_env(given).config.database_url.startswith("sqlite:"):
        raise MigrationInvalid("the schema is drawn from a SQLite database: its columns come in their order")
    print(migrations.draw(read(given)), end="")
    return 0


def read(given: argparse.Namespace) -> Schema:
    env = open_env(given)
    return migrations.read_schema(env.config.database_url, **login_of(env))
