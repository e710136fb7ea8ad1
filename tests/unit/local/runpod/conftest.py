"""A RunPod for each test."""

from collections.abc import Iterator

import pytest

from local.runpod import operations
from tests.runpod_bed import Bed, runpod_bed


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch) -> None:
    """A worker that asks for a job is told at once that there is none."""
    monkeypatch.setattr(operations, "POLL_SECONDS", 0.0)


@pytest.fixture
def bed() -> Iterator[Bed]:
    with runpod_bed() as bed:
        yield bed
