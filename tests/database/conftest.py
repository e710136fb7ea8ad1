"""What the tests on both databases share."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from millrace.bindings.database import Database
from tests.clock import Clock
from tests.evaluation_bed import Bed
from tests.factories import accept_job


@pytest.fixture
def bed(db: Database, clock: Clock, tmp_path: Path) -> Bed:
    """A lead, and everything that it takes to evaluate it."""
    return Bed(db, clock=clock, folder=tmp_path)


@pytest.fixture
def scratch() -> Iterator[sqlite3.Connection]:
    """An empty SQLite database as Python opens it, to show what the requirements' own text does."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def job_id(bed: Bed) -> str:
    """The bed's lead is to be evaluated."""
    return accept_job(bed.db, bed.lead_id)
