"""What a function's code asks of `env`, read from its source and from all that it imports of ours."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
# Rooms whose code runs as a part of the function, and is handed its env.
FOLLOWED = ("functions.", "millrace.workloads", "millrace.operations")
# What the entry asks in a function's stead.
ASKED_BY_ENTRY = {"worker": ("config",), "hold": ("config.max_wait_seconds",)}


@cache
def needs_of(module: str) -> frozenset[str]:
    """Such as "config", "DB", "QUEUE.ring" and "config.ai_models" for the module functions.create_job.app."""
    return frozenset(name for source in sources(module) for name in asked_in(source))


def sources(module: str) -> Iterator[str]:
    """The module's text and, each once, those of what it imports."""
    waiting, seen = [module], set()
    while waiting:
        name = waiting.pop()
        path = path_of(name)
        if name in seen or path is None:
            continue
        seen.add(name)
        text = path.read_text()
        yield text
        waiting += [found for found in imported_in(text) if found.startswith(FOLLOWED)]


def imported_in(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def path_of(module: str) -> Path | None:
    folder = ROOT if module.startswith("functions.") else ROOT / "layers/shared"
    path = folder.joinpath(*module.split("."))
    return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


def asked_in(source: str) -> Iterator[str]:
    """Each thing that hangs on env, with what is done with it where that is said at once.

    Env itself is made by the entry's worker, which reads the configuration.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            chain = chain_of(node)
            if chain[:1] == ["env"] and len(chain) > 1:
                yield from wanted(chain[1:])
            if chain[:1] == ["entry"]:
                yield from ASKED_BY_ENTRY.get(chain[-1], ())
    if any(name == "millrace.migrations" for name in imported_in(source)):
        yield "migrations"


def wanted(chain: list[str]) -> Iterator[str]:
    first = chain[0]
    if first.isupper():
        yield first
    if (first.isupper() or first == "config") and len(chain) > 1:
        yield f"{first}.{chain[1]}"


def chain_of(node: ast.expr) -> list[str]:
    """`env.QUEUE.ring` as its three names. Empty for what does not begin with a name."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute) and (before := chain_of(node.value)):
        return [*before, node.attr]
    return []
