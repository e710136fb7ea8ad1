"""The routes that a function's code answers, read from its source."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.unit.template.needs import chain_of, sources


@cache
def answered_by(module: str) -> frozenset[str]:
    """Such as "GET /api/exports/{job_id}" for the module functions.job_status.app."""
    return frozenset(route for source in sources(module) for route in answered_in(source))


def answered_in(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and chain_of(node.func)[:1] == ["routes"]:
            method, path = chain_of(node.func)[-1].upper(), ast.literal_eval(node.args[0])
            yield method + " " + re.sub("<(.+?)>", r"{\1}", path)
