"""Waiting for one's turn at a database: said when it lasts, and not for ever."""

import pytest

from millrace.errors import MigrationFailed
from millrace.migrations.turns import MOST_TRIES, TRIES_IN_SILENCE, wait_for_turn

WAITING = "A runner, a copy or a writer is at work on the database: waiting for it"


class Busy:
    """What another has for so many tries."""

    def __init__(self, tries):
        self.left = tries

    def take(self):
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize(
    ("tries", "told"),
    [(0, []), (TRIES_IN_SILENCE - 1, []), (TRIES_IN_SILENCE, [WAITING]), (MOST_TRIES - 1, [WAITING])],
)
def test_whoever_waits_for_longer_than_a_moment_is_told_once(tries, told):
    said = []

    wait_for_turn(Busy(tries).take, report=said.append)

    assert said == told


def test_nobody_waits_for_ever():
    with pytest.raises(MigrationFailed, match=r"ten minutes: run this again"):
        wait_for_turn(Busy(MOST_TRIES).take, report=lambda _: None)
