"""The command itself, ended by kill -9 at random points: run again it loses nothing and doubles nothing."""

import os
import random
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.cutover_bed import read_rejects
from tests.databases import MIGRATIONS

KILLS_A_ROUND = 2
ROUNDS = int(os.environ.get("MILLRACE_KILLS", "4")) // KILLS_A_ROUND
# A whole copy says two lines a table: one when it is copied, one when it is compared.
MOST_LINES = 36
EQUAL = "But for the rejected rows, every table has the same rows and the same hash on both sides."
# The one before it had taken its marks away already when it was killed, or was not killed in time.
DONE_BEFORE = "Was it copied already? --verify-only tells."


def start_copy(move):
    command = ["copy", "--from", move.source.url, "--to", move.target.url, "--rejects", str(move.rejects)]
    return subprocess.Popen(
        [sys.executable, "-m", "millrace", *command, "--chunk-rows", "5"],
        env={**os.environ, "PYTHONPATH": str(MIGRATIONS.parent / "layers/shared")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kill_somewhere(process, *, chance):
    """After so many lines of its progress, and at any moment of the table that follows."""
    with process:
        for _ in range(chance.randrange(MOST_LINES)):
            process.stdout.readline()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0, 0.03))
        process.kill()
    return process.returncode


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_copy_that_is_killed_again_and_again_ends_well(move, seed):
    chance = random.Random(seed)
    move.fill(rows=30)
    move.spoil("UPDATE lead_documents SET size_bytes = 'many' WHERE rowid = 7")

    endings = [kill_somewhere(start_copy(move), chance=chance) for _ in range(KILLS_A_ROUND)]
    last = start_copy(move)
    said, _ = last.communicate()

    assert -9 in endings
    assert any(words in said for words in (EQUAL, DONE_BEFORE)), said
    assert last.returncode == 1
    assert [reject["rowid"] for reject in read_rejects(move)] == [7]
    assert not move.has_marks()
    move.spoil("DELETE FROM lead_documents WHERE rowid = 7")
    assert move.contents(move.target) == move.contents(move.source)
