"""Who may import whom, who may touch the world, where SQL may stand; each rule proved by planting a fault."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers/shared"

# Room: whose doors it may open. Everybody may open its own, and `errors`, which opens none.
MAY_IMPORT = {
    "errors": set(),
    "domain": {"errors"},
    "bindings": {"errors", "domain"},
    "store": {"errors", "domain", "bindings.database"},
    "workloads": {"errors", "domain", "store", "env"},
    "env": {"errors", "bindings", "domain"},
    "entry": {"errors", "domain", "env"},
    "operations": {"errors", "domain", "bindings.database", "store", "env"},
    "migrations": {"errors", "bindings"},
    "command": {
        "errors",
        "domain",
        "bindings",
        "store",
        "workloads",
        "env",
        "entry",
        "migrations",
        "operations",
    },
    "__main__": {"command"},
    "functions": {"errors", "domain", "store", "workloads", "env", "entry"},
}
NOT_DEPLOYED = {"local", "tests", "gpu", "bench"}
# Single functions that may do what no other may.
ALSO_MAY_IMPORT = {"functions.migrate": {"migrations"}, "functions.operate": {"operations"}}

# What touches the world, and the rooms that may name it. Everybody else is given it by `env`.
WORLD = {
    "the environment": (
        {"env"},
        r"os\.(environb?|getenvb?|putenv|unsetenv)",
    ),
    "the calendar": (
        {"env"},
        r"datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today"
        r"|time\.(time|time_ns|localtime|gmtime|ctime|strftime)",
    ),
    "chance": (
        {"env", "bindings"},
        r"random(\..+)?|secrets(\..+)?|os\.urandom|uuid\.uuid\d",
    ),
    "the stopwatch": (
        {"env", "bindings"},
        r"time\.(monotonic|perf_counter|process_time|thread_time|sleep)(_ns)?",
    ),
    "the network": (
        {"bindings"},
        r"(socket|ssl|asyncio|select|selectors|http\.client|urllib\.request|ftplib|smtplib|webbrowser"
        r"|requests|httpx|urllib3|boto3|botocore)(\..+)?",
    ),
    "a database driver": (
        {"bindings", "migrations"},
        r"(sqlite3|pg8000)(\..+)?",
    ),
    "other programs": (
        set(),
        r"(subprocess|multiprocessing)(\..+)?|os\.(system|popen|fork|exec.*|spawn.*)",
    ),
}

# A statement about a table. What only concerns the connection (BEGIN, PRAGMA, set_config) is a binding's own.
SQL = re.compile(
    r"\s*(WITH\s+(RECURSIVE\s+)?\w+.*\bAS\b.*\(|SELECT\b.+\bFROM\s+\w|INSERT\s+INTO\s+\w|UPDATE\s+\w+\s+SET\b"
    r"|DELETE\s+FROM\s+\w|MERGE\s+INTO\s+\w|TRUNCATE\s+\w|(CREATE|ALTER|DROP)\s+(UNIQUE\s+)?(TABLE|INDEX|VIEW|TRIGGER)\b)",
    re.DOTALL,
)
MAY_HOLD_SQL = {"store", "migrations"}
MAY_PREPARE = {"store", "migrations", "bindings"}


def sources() -> Iterator[tuple[str, str]]:
    """Every module that is deployed: its dotted name and its text."""
    for root, folder in ((LAYER, LAYER / "millrace"), (ROOT, ROOT / "functions")):
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts).removesuffix(".__init__"), path.read_text()


def room_of(module: str) -> str:
    first, _, rest = module.partition(".")
    return "functions" if first == "functions" else rest.partition(".")[0]


def faults_in(module: str, source: str) -> list[str]:
    """Everything the module does that its room may not, each as one line to read."""
    tree = ast.parse(source)
    names = dotted_names(tree)
    return sorted(
        {
            *import_faults(module, names),
            *world_faults(module, names),
            *sql_faults(module, tree),
        }
    )


def dotted_names(tree: ast.Module) -> set[str]:
    """Each imported thing, and each attribute reached through one, by its full name."""
    known: dict[str, str] = {}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                known[alias.asname or first] = alias.name if alias.asname else first
                found.add(alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                found.add(f"{node.module}.{alias.name}")
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return found | {name for node in attributes if (name := full_name(node, known))}


def full_name(node: ast.AST, known: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute) and (owner := full_name(node.value, known)):
        return f"{owner}.{node.attr}"
    return None


def import_faults(module: str, names: set[str]) -> Iterator[str]:
    allowed = MAY_IMPORT.get(room_of(module), set()) | {room_of(module)}
    for function, rooms in ALSO_MAY_IMPORT.items():
        if module.startswith(function):
            allowed = allowed | rooms
    for name in names:
        if not may_import(module, name, rooms=allowed):
            yield f"{module} imports {name}"


def may_import(module: str, name: str, *, rooms: set[str]) -> bool:
    root, _, rest = name.partition(".")
    if root == "millrace":
        return any(rest == room or rest.startswith(f"{room}.") for room in rooms | {""})
    if root == "functions":
        return name.split(".")[:2] == module.split(".")[:2]
    return root not in NOT_DEPLOYED


def world_faults(module: str, names: set[str]) -> Iterator[str]:
    for name in names:
        for what, (rooms, pattern) in WORLD.items():
            if room_of(module) not in rooms and re.fullmatch(pattern, name):
                yield f"{module} touches {what}: {name}"


def sql_faults(module: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if room_of(module) not in MAY_HOLD_SQL and SQL.match(node.value):
                yield f"{module} holds SQL: {' '.join(node.value.split())[:40]}"
        elif (
            isinstance(node, ast.Attribute) and node.attr == "prepare" and room_of(module) not in MAY_PREPARE
        ):
            yield f"{module} prepares a statement"


SOURCES = dict(sources())


@pytest.mark.parametrize("module", SOURCES)
def test_every_module_keeps_to_its_room(module):
    assert faults_in(module, SOURCES[module]) == []


def test_the_table_knows_every_room():
    assert {room_of(module) for module in SOURCES} - {""} <= set(MAY_IMPORT)


PLANTED = [
    ("millrace.errors", "from millrace.domain import jobs", "imports millrace.domain.jobs"),
    ("millrace.domain.jobs", "import millrace.store.jobs", "imports millrace.store.jobs"),
    ("millrace.domain.jobs", "from millrace import env", "imports millrace.env"),
    ("millrace.bindings.queue", "from millrace.store import jobs", "imports millrace.store.jobs"),
    ("millrace.store.jobs", "from millrace.bindings.sqlite import X", "imports millrace.bindings.sqlite.X"),
    ("millrace.store.jobs", "from millrace import bindings", "imports millrace.bindings"),
    ("millrace.store.jobs", "def f():\n    from millrace import env", "imports millrace.env"),
    ("millrace.workloads.evaluation", "from millrace.entry import worker", "imports millrace.entry.worker"),
    ("millrace.workloads.evaluation", "import millrace.bindings.ai", "imports millrace.bindings.ai"),
    ("millrace.env", "from millrace.store import keys", "imports millrace.store.keys"),
    ("millrace.entry.routes", "from millrace.store import keys", "imports millrace.store.keys"),
    ("millrace.migrations.runner", "from millrace.store import jobs", "imports millrace.store.jobs"),
    ("millrace.command", "from functions.operate import app", "imports functions.operate.app"),
    ("millrace.entry.routes", "from local import gateway", "imports local.gateway"),
    ("functions.create_job.app", "from functions.job_status.app import f", "imports functions.job_status"),
    ("functions.create_job.app", "from millrace.bindings.queue import Q", "imports millrace.bindings.queue"),
    ("functions.create_job.app", "from millrace.migrations import up", "imports millrace.migrations.up"),
    ("functions.create_job.app", "from tests.factories import NOW", "imports tests.factories.NOW"),
    ("millrace.domain.quota", "import os\nx = os.environ['A']", "touches the environment: os.environ"),
    ("millrace.bindings.aws", "from os import getenv as g", "touches the environment: os.getenv"),
    ("millrace.domain.quota", "from datetime import datetime\nf(now=datetime.now)", "datetime.datetime.now"),
    ("millrace.bindings.queue", "import datetime as d\nd.datetime.now(d.UTC)", "datetime.datetime.now"),
    ("millrace.entry.routes", "from datetime import date\ndate.today()", "datetime.date.today"),
    ("functions.run_job.app", "import time\ntime.time()", "touches the calendar: time.time"),
    ("functions.run_job.app", "from time import monotonic", "touches the stopwatch: time.monotonic"),
    ("millrace.workloads.evaluation", "import time\ntime.sleep(1)", "touches the stopwatch: time.sleep"),
    ("millrace.store.jobs", "import uuid\nuuid.uuid4()", "touches chance: uuid.uuid4"),
    ("millrace.store.jobs", "from random import random", "touches chance: random.random"),
    ("millrace.entry.request", "import secrets", "touches chance: secrets"),
    ("millrace.domain.documents", "import urllib.request", "touches the network: urllib.request"),
    ("millrace.domain.documents", "import socket", "touches the network: socket"),
    ("millrace.workloads.evaluation", "import boto3", "touches the network: boto3"),
    ("millrace.env", "from botocore.config import Config", "touches the network: botocore.config.Config"),
    ("millrace.store.jobs", "import sqlite3", "touches a database driver: sqlite3"),
    ("functions.run_job.app", "import pg8000.native", "touches a database driver: pg8000.native"),
    ("millrace.bindings.gpu", "import subprocess", "touches other programs: subprocess"),
    ("millrace.entry.routes", "x = 'SELECT id FROM leads'", "holds SQL: SELECT id FROM leads"),
    ("functions.run_job.app", "x = f'UPDATE leads SET a = {b}'", "holds SQL: UPDATE leads SET a ="),
    ("millrace.bindings.sqlite", "x = 'DELETE FROM leads'", "holds SQL: DELETE FROM leads"),
    ("millrace.domain.jobs", "x = 'WITH due AS (SELECT 1)'", "holds SQL: WITH due AS (SELECT 1)"),
    ("functions.run_job.app", "env.DB.prepare(text)", "prepares a statement"),
]


@pytest.mark.parametrize(("module", "source", "named"), PLANTED)
def test_a_planted_fault_is_named(module, source, named):
    assert [fault for fault in faults_in(module, source) if named in fault] != []


INNOCENT = [
    ("millrace.domain.jobs", "from millrace import errors"),
    ("millrace.domain.jobs", "from millrace.domain.money import X"),
    ("millrace.store.jobs", "from millrace.bindings.database import Database"),
    ("millrace.store.jobs", "x = 'SELECT id FROM leads'\ndb.prepare(x)"),
    ("millrace.bindings.sqlite", "import sqlite3, time\ntime.monotonic()\nx = 'PRAGMA foreign_keys = ON'"),
    ("millrace.bindings.postgres", "x = \"SELECT set_config('app.tenant', ?1, true)\""),
    ("millrace.entry.routes", "x = 'Select a file from the list.'"),
    ("millrace.env", "import os, uuid\nfrom datetime import UTC, datetime\ndatetime.now(UTC)\nos.environ"),
    ("millrace.domain.jobs", "from datetime import datetime\nx = datetime.fromisoformat(y)"),
    ("millrace.bindings.links", "from urllib.parse import quote\nimport http"),
    ("functions.migrate.app", "from millrace import migrations"),
    ("functions.run_job.app", "from functions.run_job.pace import X"),
]


@pytest.mark.parametrize(("module", "source"), INNOCENT)
def test_what_a_room_may_do_is_no_fault(module, source):
    assert faults_in(module, source) == []
