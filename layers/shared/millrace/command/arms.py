"""How a command reaches the database: on this machine, or with --stack through a function inside the VPC."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from millrace import operations
from millrace.bindings.operator import DeployedStack
from millrace.command.options import Run, add_command, add_database, open_env

# The stack's outputs that name its functions.
OPERATE = "OperateFunction"
MIGRATE = "MigrateFunction"


def add_operation(commands: Any, name: str, *, run: Run, says: str, more: str = "") -> Any:
    """A command that `perform` carries out on either arm."""
    parser = add_command(commands, name, run=run, says=says, more=more)
    add_database(parser)
    parser.set_defaults(takes_stack=True)
    return parser


def perform(given: argparse.Namespace, name: str, /, **arguments: Any) -> dict[str, Any]:
    """Have an operation carried out where the line says. The facts it came to."""
    if given.stack:
        return DeployedStack(given.stack).command(name, arguments, output=OPERATE)
    env = open_env(given)
    try:
        return operations.run(name, arguments, env)
    finally:
        env.close()


def show(facts: Mapping[str, Any]) -> int:
    """One fact a line. The exit code of a command that went well."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        print(f"{name:<{width}}  {to_text(value)}")
    return 0


def show_table(rows: list[dict[str, Any]], *, columns: tuple[str, ...]) -> int:
    """One row a line, as wide as its widest."""
    lines = [columns, *(tuple(to_text(row.get(name)) for name in columns) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    return 0


def to_text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)
