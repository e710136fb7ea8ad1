"""Runners that meet, and runners that are killed."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier, Event

import pytest

from millrace.errors import MigrationFailed
from millrace.migrations import history, turns
from millrace.migrations.opening import opened
from millrace.migrations.targets import Schema
from millrace.migrations.verify import build
from tests.databases import MIGRATIONS, on_postgres
from tests.migration_bed import BEDS, LAMPS, Folder, real_files
from tests.unit.migrations.test_turns import WAITING

ROOT = Path(__file__).parents[2]
# `make kills` asks for more of them.
KILLS = int(os.environ.get("MILLRACE_KILLS", "2"))
# Longer than a file takes, so that some die between two.
LONGEST_DELAY_SECONDS = 0.02


@pytest.fixture
def folder(empty_database) -> Folder:
    return Folder(MIGRATIONS, empty_database)


def test_of_runners_started_together_one_applies_each_file(folder):
    barrier = Barrier(4)

    def run(_):
        barrier.wait()
        return folder.up()

    with ThreadPoolExecutor(4) as pool:
        done = [name for names in pool.map(run, range(4)) for name in names]

    assert sorted(done) == [file.name for file in real_files(folder.database.dialect)]
    assert folder.up() == []
    assert folder.verify() == []


@pytest.mark.parametrize("empty_database", ["postgres"], indirect=True)
def test_a_runner_that_waits_is_in_nobodys_way(tmp_path, empty_database, monkeypatch):
    monkeypatch.setattr(turns, "TRIES_IN_SILENCE", 1)
    folder = Folder(tmp_path, empty_database)
    folder.write("0001_beds.sql", BEDS[0], BEDS[1])
    folder.write("0002_slow.sql", "SELECT pg_sleep(0.5);", "SELECT 1;")
    folder.write(
        "0003_index.sql",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS beds_by_id ON beds (id);",
        "DROP INDEX CONCURRENTLY IF EXISTS beds_by_id;",
        place="postgres",
        option=" transaction:false",
    )
    folder.write("0004_lamps.sql", *LAMPS)
    begun = Event()
    said = []

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(folder.up, report=lambda _: begun.set())
        begun.wait()
        second = pool.submit(folder.up, report=said.append)

        assert first.result()[-1] == "0004_lamps.sql"
        assert second.result() == []
    assert said == [WAITING]


@contextmanager
def at_work(folder: Folder) -> Iterator[Callable[[], None]]:
    """Somebody who has the database to himself until he is told to end, or the test does."""
    with opened(folder.database.url) as target, ExitStack() as work:
        work.enter_context(target.lock(lambda _: None))
        work.enter_context(target.transaction())
        yield work.close


def test_a_runner_that_has_to_wait_says_so_and_goes_on_when_the_other_has_ended(
    tmp_path, empty_database, monkeypatch
):
    monkeypatch.setattr(turns, "TRIES_IN_SILENCE", 1)
    folder = Folder(tmp_path, empty_database)
    folder.write("0001_beds.sql", *BEDS)
    said = []

    with at_work(folder) as end:

        def hear(line: str) -> None:
            said.append(line)
            end()

        assert folder.up(report=hear) == ["0001_beds.sql"]

    assert said == [WAITING, "Applying 0001_beds.sql"]


def test_a_runner_that_has_waited_for_too_long_gives_up_and_changes_nothing(folder, monkeypatch):
    monkeypatch.setattr(turns, "MOST_TRIES", 2)

    with at_work(folder), pytest.raises(MigrationFailed, match="ten minutes"):
        folder.up()

    assert folder.tables() == []


@pytest.mark.parametrize("seed", range(KILLS))
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_runner_killed_at_any_moment_leaves_whole_files_and_the_next_goes_on(folder, way, seed):
    chance = random.Random(seed)
    files = real_files(folder.database.dialect)
    if way == "down":
        folder.up()

    kill_amid(folder, way, chance=chance)

    applied, found = look(folder)
    assert applied == [file.version for file in files[: len(applied)]]
    assert found == schema_after(folder, files[: len(applied)])

    folder.up()
    assert folder.status().pending == []
    assert folder.verify() == []


def kill_amid(folder: Folder, way: str, *, chance: random.Random) -> None:
    """Begin a run of all files and kill it a moment after it said that it begins with one of them."""
    count = len(real_files(folder.database.dialect))
    command = [sys.executable, "-m", "millrace", "migrations", way, "--database", folder.database.url]
    with subprocess.Popen(
        command if way == "up" else [*command, str(count), "--force"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "layers/shared")},
    ) as runner:
        if way == "down":
            # Where it does it.
            runner.stdout.readline()
        for _ in range(chance.randint(1, count)):
            runner.stdout.readline()
        time.sleep(chance.uniform(0, LONGEST_DELAY_SECONDS))
        runner.kill()


def look(folder: Folder) -> tuple[list[str], Schema]:
    """What is applied and what is there, once the server has noticed that the runner is dead."""
    with opened(folder.database.url) as target, target.lock(lambda _: None), target.transaction():
        return [row.version for row in history.read_history(target)], target.read_schema()


def schema_after(folder: Folder, files: list) -> Schema:
    with opened(folder.database.url) as target, target.scratch() as scratch:
        return build(scratch, files)


@on_postgres
def test_a_transaction_on_a_line_that_broke_ends_with_what_ended_it(database):
    with (
        opened(database.url) as target,
        pytest.raises(RuntimeError, match="the reason"),
        target.transaction(),
    ):
        runner = target.execute("SELECT pg_backend_pid()")[0][0]
        database.open(role=None).prepare("SELECT pg_terminate_backend(?1::int)").bind(runner).run()
        raise RuntimeError("the reason")
