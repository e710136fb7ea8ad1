"""The schema of a SQLite database, thing by thing, out of the statements it was made with."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from millrace.bindings.database import TOKEN, end_of_comment
from millrace.migrations.history import TABLES
from millrace.migrations.targets import Schema, Target

MADE_WITH = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*'"
NAME = re.compile(r"""["`\[]?(\w+)["`\]]?\s*""")
# What begins a rule of the whole table; anything else begins a column.
RULE = re.compile(r"(CONSTRAINT|CHECK|UNIQUE|PRIMARY\s+KEY|FOREIGN\s+KEY)\b", re.IGNORECASE)
NAMED_RULE = re.compile(r"CONSTRAINT\s+(\w+)\s+(.*)", re.IGNORECASE)
EDGE = re.compile(r"[(),]")


def read_schema(target: Target) -> Schema:
    found: Schema = {}
    for kind, name, sql in target.execute(MADE_WITH):
        if name not in TABLES:
            found.update(_read_table(name, sql) if kind == "table" else {f"{kind} {name}": tidy(sql)})
    return found


def tidy(sql: str) -> str:
    """In one line, without comments, and spaced the same however it was written."""
    plain = "".join(" " if kind == "comment" else text for kind, text in _pieces(sql))
    return "".join(text if kind == "quoted" else _space(text) for kind, text in _pieces(plain)).strip()


def _read_table(name: str, sql: str) -> Iterator[tuple[str, str]]:
    text = tidy(sql)
    *parts, last = _split_body(text)
    yield f"table {name}", last
    for part in parts:
        if named := NAMED_RULE.fullmatch(part):
            yield f"constraint {name}.{named[1]}", named[2]
        elif RULE.match(part):
            yield f"constraint {name}: {part}", ""
        else:
            column = NAME.match(part)
            if column:
                yield f"column {name}.{column[1]}", part[column.end() :]


def _split_body(text: str) -> Iterator[str]:
    """What stands between the commas of the outer brackets; at last what follows them."""
    edges: list[int] = []
    depth = 0
    for place in _edges(text):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0 or (depth == 1 and (not edges or text[place] == ",")):
            edges.append(place)
            if depth == 0:
                break
    for start, end in pairwise(edges):
        yield text[start + 1 : end].strip()
    yield text[edges[-1] + 1 :].strip() if edges else ""


def _edges(text: str) -> Iterator[int]:
    """Where brackets and commas are, but for those in quotes."""
    start = 0
    for kind, piece in _pieces(text):
        if kind == "sql":
            yield from (start + edge.start() for edge in EDGE.finditer(piece))
        start += len(piece)


def _pieces(sql: str) -> Iterator[tuple[Literal["sql", "quoted", "comment"], str]]:
    done = start = 0
    while token := TOKEN.search(sql, done):
        done = end_of_comment(sql, token.end()) if token["comment"] else token.end()
        if token["comment"] or token["opaque"]:
            yield "sql", sql[start : token.start()]
            start = done
            text = sql[token.start() : done]
            yield "comment" if text.startswith(("--", "/*")) else "quoted", text
    yield "sql", sql[start:]


def _space(text: str) -> str:
    return re.sub(r"(?<=\() | (?=[),])", "", re.sub(r"\s+", " ", text))
