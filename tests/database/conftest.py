"""What the tests on both databases share."""

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
def job_id(bed: Bed) -> str:
    """The bed's lead is to be evaluated."""
    return accept_job(bed.db, bed.lead_id)
