"""What the code counts, read from its source: metrics by name, and whether they are counted by kind."""

import ast
from collections.abc import Iterator
from functools import cache

from tests.unit.template.needs import ROOT, chain_of

ROOMS = ("layers/shared/millrace", "functions")


@cache
def counted() -> frozenset[tuple[str, bool]]:
    """Such as ("OldestDueAge", True)."""
    paths = (path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    return frozenset(found for path in paths for found in counted_in(path.read_text()))


def counted_in(source: str) -> Iterator[tuple[str, bool]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and chain_of(node.func)[-1:] == ["count"]:
            has_kind = any(keyword.arg == "kind" for keyword in node.keywords)
            for name in ast.walk(node.args[0]):
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    yield name.value, has_kind
