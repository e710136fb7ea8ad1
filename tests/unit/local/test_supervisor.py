"""What the supervisor waits for, and what it takes for a change."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.supervisor import Served, stamp_of


@pytest.fixture
def started() -> Iterator[tuple[Served, int]]:
    """A process that is being started, and the end of the pipe by which it says that it serves."""
    hears, says = os.pipe()
    holds_on, lifeline = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    served = Served(process, hears, lifeline)
    yield served, says
    served.end()
    process.communicate()
    os.close(says)
    os.close(holds_on)


def test_a_process_has_started_once_it_says_so(started: tuple[Served, int]):
    served, says = started
    os.write(says, b"now")

    assert served.wait_until_started(unless=threading.Event())


def test_a_start_that_is_wanted_no_longer_is_not_waited_for(started: tuple[Served, int]):
    served, says = started
    stop = threading.Event()
    os.write(says, b"now")
    stop.set()

    assert not served.wait_until_started(unless=stop)


def test_who_says_too_late_that_it_has_started_is_still_heard(started: tuple[Served, int]):
    served, says = started
    stop = threading.Event()
    stop.set()
    served.wait_until_started(unless=stop)

    assert os.write(says, b"now") == 3


def test_a_file_put_in_place_of_another_is_a_change(tmp_path: Path):
    template, other = tmp_path / "template.yaml", tmp_path / "other.yaml"
    template.write_text("same")
    other.write_text("same")
    before = stamp_of(template)

    other.replace(template)

    assert stamp_of(template) not in (None, before)


def test_a_file_that_is_away_for_a_moment_has_no_stamp(tmp_path: Path):
    assert stamp_of(tmp_path / "template.yaml") is None
