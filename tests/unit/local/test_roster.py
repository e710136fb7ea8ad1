"""Who is at work, and who was when the process was killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from local.roster import Roster

AT_WORK = """
import sys, pathlib, local
from local.roster import Roster
roster = Roster(pathlib.Path(sys.argv[1]))
roster.enter("RunJob/one")
roster.enter("RunJob/two")
roster.leave("RunJob/one")
print("ready", flush=True)
sys.stdin.read()
"""
ROOT = Path(__file__).parents[3]


def start_at_work(data: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", AT_WORK, str(data)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_whoever_has_left_is_no_longer_at_work(tmp_path: Path):
    roster = Roster(tmp_path)
    roster.enter("RunJob/one")
    roster.enter("RunJob/two")

    roster.leave("RunJob/one")

    assert roster.workers() == ["RunJob/two"]
    roster.close()


def test_the_workers_of_a_living_process_are_not_lost_and_those_of_a_killed_one_are_once(tmp_path: Path):
    roster = Roster(tmp_path)
    with start_at_work(tmp_path) as process:
        assert roster.take_lost() == []

        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    assert roster.take_lost() == ["RunJob/two"]
    assert roster.take_lost() == []
    roster.close()


def test_a_process_that_ended_well_leaves_nothing_behind(tmp_path: Path):
    first = Roster(tmp_path)
    first.enter("RunJob/one")
    first.leave("RunJob/one")

    first.close()

    assert list((tmp_path / "running").iterdir()) == []
